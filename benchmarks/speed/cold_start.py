"""Starting up: from nothing to the first training step, and the memory that training takes.

Each figure comes from a process that did nothing else. "Cold" means that nothing compiled
earlier is at hand; the files themselves are in the system's cache either way.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from benchmarks.speed.contender import Contender
from benchmarks.speed.rounds import Plan, Variant

STEPS = 20
"""Training steps, or predicted batches, before the memory is read."""

FIRST = {
    "train": ("first_step", {"steps": STEPS}),
    "inference": ("first_prediction", {"calls": STEPS}),
}
"""For a measure, what is asked first, and how much is done afterwards."""


@dataclass(frozen=True)
class Start:
    """What one fresh process needed. Seconds count from its creation, imports within it."""

    variant: Variant
    measure: str
    import_seconds: float
    warm_seconds: float
    cold_seconds: float
    peak_mb: float


def cache_variables(folder: str) -> dict[str, str]:
    """The environment that sends all compilers' caches to ``folder``."""
    names = ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR")
    return dict.fromkeys(names, folder)


def start(
    new: Callable[[dict[str, str]], Contender], variant: Variant, measure: str, plan: Plan
) -> Start:
    """Start ``variant`` with empty caches, then again with full ones.

    ``new`` starts its process with an environment; ``measure`` is "train" or, for a contender that
    only predicts, "inference".
    """
    with TemporaryDirectory() as folder:
        caches = cache_variables(folder)
        cold, _, _ = _one_start(lambda: new(caches), variant[1], measure, plan)
        warm, imports, peak = _one_start(lambda: new(caches), variant[1], measure, plan)
    return Start(variant, measure, imports, warm, cold, peak)


def _one_start(
    new: Callable[[], Contender], variant: str, measure: str, plan: Plan
) -> tuple[float, float, float]:
    """Return seconds to the first result, seconds of imports, and peak memory in MB."""
    first, more = FIRST[measure]
    created = time.perf_counter()
    with new() as contender:
        contender.ask("load", network=plan.network, batch=plan.batch)
        contender.ask(first, variant=variant)
        seconds = time.perf_counter() - created
        contender.ask(measure, variant=variant, **more)
        peak = contender.ask("memory")["peak_mb"]
        return seconds, contender.about["import_seconds"], peak
