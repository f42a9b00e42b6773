"""The parts of a report that all its runs share: facts side by side, and comparisons."""

from collections.abc import Callable, Sequence
from itertools import combinations

from tinycnn.errors import DataError
from tinycnn.metrics import PairedComparison, interval_text, percent
from tinycnn.report.subject import Subject


def facts(subjects: Sequence[Subject]) -> list[tuple[str, list[str]]]:
    """Rows of the table: a name, and a value for each run; without rows that are empty."""
    rows: list[tuple[str, Callable[[Subject], str]]] = [
        ("right", lambda s: percent(s.evaluation.score.accuracy)),
        ("95 % interval", lambda s: interval_text(s.evaluation.score.interval)),
        ("errors", lambda s: f"{s.evaluation.score.errors:,} of {s.evaluation.score.n:,}"),
        ("measured on", lambda s: f"{s.dataset.name}, test part"),
        ("mean loss", lambda s: f"{s.evaluation.loss:.4f}"),
        ("calibration error", lambda s: percent(s.evaluation.calibration_error)),
        ("network", lambda s: str(s.recipe.get("preset", "-"))),
        ("parameters", lambda s: f"{s.model.parameter_count():,}"),
        ("trained on", lambda s: _number(s.training.get("images"), "{:,} images")),
        ("epochs", lambda s: str(s.recipe.get("epochs", "-"))),
        ("epoch kept", lambda s: str(s.training.get("best_epoch", "-"))),
        ("training took", lambda s: _number((s.result or {}).get("seconds"), "{:,.0f} s")),
    ]
    found = [(name, [value(each) for each in subjects]) for name, value in rows]
    return [(name, values) for name, values in found if set(values) != {"-"}]


def pairs(subjects: Sequence[Subject]) -> list[tuple[str, str, PairedComparison | None]]:
    """Each run beside each later one, compared if both were measured on the same digits."""
    found = []
    for first, second in combinations(subjects, 2):
        try:
            comparison = first.evaluation.compare(second.evaluation)
        except DataError:
            comparison = None
        found.append((first.name, second.name, comparison))
    return found


def _number(value: object, text: str) -> str:
    return text.format(value) if isinstance(value, int | float) else "-"
