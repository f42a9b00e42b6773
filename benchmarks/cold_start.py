"""Starting up: from nothing to the first training step, and the memory that training takes.

Each figure comes from a process that did nothing else. "Cold" means that nothing compiled
earlier is at hand; the files themselves are in the system's cache either way.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contender import Contender
from benchmarks.plan import Plan, Variant

STEPS = 20
"""Training steps, or predicted batches, before the memory is read."""


@dataclass(frozen=True)
class Start:
    """What one fresh process needed. Seconds count from its creation, imports within it."""

    variant: Variant
    measure: str
    import_seconds: float
    warm_seconds: float
    cold_seconds: float
    peak_mb: float


def start(
    variant: Variant,
    measure: str,
    module: str,
    plan: Plan,
    folder: Path,
) -> Start:
    """Start ``variant`` with empty caches, then again with full ones.

    ``measure`` is "train" or, for a contender that only predicts, "inference".
    """
    with TemporaryDirectory(dir=folder) as caches:
        cold, _, _ = _one_start(variant, measure, module, plan, folder, cache_variables(caches))
        warm, imports, peak = _one_start(
            variant, measure, module, plan, folder, cache_variables(caches)
        )
    return Start(variant, measure, imports, warm, cold, peak)


def cache_variables(folder: str) -> dict[str, str]:
    """The environment that sends all compilers' caches to ``folder``."""
    names = ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR")
    return dict.fromkeys(names, folder)


def _one_start(
    variant: Variant,
    measure: str,
    module: str,
    plan: Plan,
    folder: Path,
    environment: dict[str, str],
) -> tuple[float, float, float]:
    """Return seconds to the first result, seconds of imports, and peak memory in MB."""
    first, more = {
        "train": ("first_step", {"do": "train", "steps": STEPS}),
        "inference": ("first_prediction", {"do": "inference", "calls": STEPS}),
    }[measure]
    name, kind = variant
    created = time.perf_counter()
    with Contender(name, module, plan.threads, folder, environment) as contender:
        contender.ask("load", network=plan.network, batch=plan.batch)
        contender.ask(first, variant=kind)
        seconds = time.perf_counter() - created
        contender.ask(variant=kind, **more)  # type: ignore[arg-type]
        peak = contender.ask("memory")["peak_mb"]
        return seconds, contender.about["import_seconds"], peak
