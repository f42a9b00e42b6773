"""One seed, one machine, one version: the same bytes, whatever else is different.

Every configuration is a real ``python -m tinycnn.train`` process: numbers of threads,
threads of BLAS, kernels from the cache or compiled anew, other working directories (one
of them full of traps), other hash seeds, interrupted or not. All must end with one SHA-256 of
the weights.
"""

import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from numba.core import config as numba_config

from tests.reliability.findings import Finding
from tests.reliability.kill_storm import wait_until_it_trains
from tests.reliability.small_runs import command, make_data, start, train

TRAPS = ("numpy", "numba", "json", "tinycnn", "safetensors")
"""Modules that a hostile folder offers to a program that looks there first."""

SHORT = ("1 threads", "in a folder of traps")
"""The configurations that are tried in little time, beside the first."""


@dataclass(frozen=True)
class Configuration:
    """One way to start the same training; ``folder`` is the working directory."""

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    threads: int | None = None
    folder: str = "plain"
    empty_cache: bool = False
    stopped: bool = False


def configurations() -> Iterator[Configuration]:
    """All that is tried; the others are compared with the first."""
    most = numba_config.NUMBA_NUM_THREADS
    yield Configuration("nothing special")
    for threads in sorted({1, most}):
        yield Configuration(f"{threads} threads", threads=threads)
    for threads in (1, 2, 3, 4, 8):
        chosen = {"NUMBA_NUM_THREADS": str(threads)}
        yield Configuration(f"NUMBA_NUM_THREADS={threads}", chosen)
    for threads in (1, 2, 4):
        names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
        chosen = dict.fromkeys(names, str(threads))
        yield Configuration(f"{threads} threads of BLAS", chosen)
    for seed in ("0", "1", "4294967295"):
        yield Configuration(f"PYTHONHASHSEED={seed}", {"PYTHONHASHSEED": seed})
    yield Configuration("kernels compiled anew", empty_cache=True)
    yield Configuration("no folder for kernels", {"NUMBA_CACHE_DIR": "/dev/null"})
    yield Configuration("no home", {"HOME": "/nonexistent", "XDG_CACHE_HOME": "/dev/null"})
    yield Configuration("in the root folder", folder="/")
    yield Configuration("in a folder of traps", {"PYTHONSAFEPATH": "1"}, folder="traps")
    yield Configuration("another locale and time zone", {"LC_ALL": "C", "TZ": "Asia/Tokyo"})
    yield Configuration("optimized Python", {"PYTHONOPTIMIZE": "2"})
    yield Configuration("with bounds checks", {"TINYCNN_KERNELS": "serial"})
    yield Configuration("developer's Python", {"PYTHONDEVMODE": "1"})
    yield Configuration("stopped and resumed", stopped=True)


def digest_of(configuration: Configuration, number: int, place: Path) -> str:
    """Train in this configuration; return the SHA-256 of the weights."""
    data, run, environment = place / "data", place / f"run{number}", dict(configuration.environment)
    threads, folder = configuration.threads, place / configuration.folder
    if configuration.empty_cache:
        environment["NUMBA_CACHE_DIR"] = str(place / "cache")
    if configuration.stopped:
        process = start(command(data, run, threads), folder, **environment)
        wait_until_it_trains(process, run)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    return train(data, run, threads, folder, **environment)


def finding(short: bool, tell: Callable[[str], None] = print) -> Finding:
    """Train in all configurations, or in the first one and the two of ``SHORT``."""
    result = Finding("one seed gives one SHA-256 of the weights", "configurations")
    digests: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        make_data(place / "data")
        (place / "plain").mkdir()
        _set_traps(place / "traps")
        for number, configuration in enumerate(configurations()):
            if short and number and configuration.name not in SHORT:
                continue
            tell(configuration.name)
            result.times += 1
            try:
                digests[configuration.name] = digest_of(configuration, number, place)
            except RuntimeError as error:
                result.breaches.append(f"{configuration.name}: {error}")
    expected = next(iter(digests.values()), "")
    result.breaches += [f"{name}: other bytes" for name, d in digests.items() if d != expected]
    result.note = f"{expected[:16]}..."
    return result


def _set_traps(folder: Path) -> None:
    folder.mkdir()
    for name in TRAPS:
        (folder / f"{name}.py").write_text("raise SystemExit('walked into a trap')\n")
