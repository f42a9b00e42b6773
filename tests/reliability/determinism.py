"""One seed, one machine, one version: the same bytes, whatever else is different.

Every configuration is a real ``python -m tinycnn.train`` process: numbers of threads,
threads of BLAS, kernels from the cache or compiled anew, other working directories (one
of them full of traps), other hash seeds. All must end with one SHA-256 of the weights; so do runs
that are interrupted, see ``kill_storm``.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.findings import Finding
from tests.reliability.small_runs import finish, make_data, start

TRAPS = ("numpy", "numba", "json", "tinycnn", "safetensors")
"""Modules that a hostile folder offers to a program that looks there first."""

SHORT = ("nothing special", "one thread", "in a folder of traps")
"""The configurations that are tried in little time."""


@dataclass(frozen=True)
class Configuration:
    """One way to start the same training; ``folder`` is the working directory."""

    environment: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    folder: str = "plain"


def configurations(place: Path) -> dict[str, Configuration]:
    """All that is tried, by name; the others are compared with the first."""
    tried = {
        "nothing special": Configuration(),
        "one thread": Configuration(options=("--threads", "1")),
        "in the root folder": Configuration(folder="/"),
        "in a folder of traps": Configuration({"PYTHONSAFEPATH": "1"}, folder="traps"),
    }
    for names, values in (
        ("NUMBA_NUM_THREADS", "1 2 3 4 8"),
        ("OPENBLAS_NUM_THREADS MKL_NUM_THREADS OMP_NUM_THREADS", "1 2 4"),
        ("PYTHONHASHSEED", "0 1 4294967295"),
        ("NUMBA_CACHE_DIR", f"{place / 'cache'} /dev/null"),  # compiled anew, not kept
        ("HOME XDG_CACHE_HOME", "/dev/null"),
        ("LC_ALL", "C"),
        ("TZ", "Asia/Tokyo"),
        ("PYTHONOPTIMIZE", "2"),
        ("TINYCNN_KERNELS", "serial"),
        ("PYTHONDEVMODE", "1"),
    ):
        for value in values.split():
            environment = dict.fromkeys(names.split(), value)
            tried[f"{names.split()[0]}={value}"] = Configuration(environment)
    return tried


def digest_of(tried: Configuration, run: Path, place: Path) -> str:
    """Train in this configuration; return the SHA-256 of the weights."""
    folder = place / tried.folder
    process = start(place / "data", run, *tried.options, folder=folder, **tried.environment)
    return finish(process, run)


def finding(short: bool, tell: Callable[[str], None] = print) -> Finding:
    result = Finding("one seed gives one SHA-256 of the weights", "configurations")
    expected = ""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        make_data(place / "data")
        for folder in ("plain", "traps"):
            (place / folder).mkdir()
        for module in TRAPS:
            (place / "traps" / f"{module}.py").write_text("raise SystemExit('in a trap')\n")
        for label, tried in configurations(place).items():
            if short and label not in SHORT:
                continue
            tell(label)
            result.times += 1
            try:
                digest = digest_of(tried, place / f"run{result.times}", place)
            except RuntimeError as error:
                digest = str(error)
            expected = expected or digest
            if digest != expected:
                result.breaches.append(f"{label}: {digest}")
    result.note = f"{expected[:16]}..."
    return result
