"""What all runs of a report share: a table side by side, who is better, and curves in one frame."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn.augment.corruptions import CORRUPTIONS
from tinycnn.errors import DataError
from tinycnn.evaluate.evaluation import Duel
from tinycnn.evaluate.robustness import Curve
from tinycnn.evaluate.tables import interval_text, percent
from tinycnn.ink import percent as confidence_percent
from tinycnn.metrics import calibration_bins, calibration_error, coverage, wilson_interval
from tinycnn.report.charts import Axis, Chart, Line, draw
from tinycnn.report.pictures import gray_picture
from tinycnn.report.subject import Subject
from tinycnn.train.trainer import EpochRecord

SHARES = (1, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.9, 0.87, 0.84, 0.8)
"""Of the answers that are given: the coverage at which accuracy is drawn."""

MOST_EPOCHS = 60
"""As many marks can be told apart on a line."""


@dataclass(frozen=True)
class Match:
    """Two runs on the same digits, or on others: then there is no ``duel``."""

    first: str
    second: str
    duel: Duel | None


@dataclass(frozen=True)
class Strip:
    """A chart of robustness, and the same digit at each level below it."""

    chart: Chart
    pictures: tuple[tuple[str, str], ...]
    """(level, data URI)."""


def facts(subjects: Sequence[Subject]) -> list[tuple[str, list[str]]]:
    """Rows of the table: what it is, and what it is in each run; none of which nothing is known."""
    rows: list[tuple[str, Callable[[Subject], str]]] = [
        ("right", lambda s: percent(s.evaluation.score.accuracy)),
        ("95 % interval", lambda s: interval_text(s.evaluation.interval)),
        ("errors", lambda s: f"{s.evaluation.score.errors:,} of {s.evaluation.score.n:,}"),
        ("measured on", lambda s: f"{s.dataset.name}, test part"),
        ("mean loss", lambda s: f"{s.evaluation.score.loss:.4f}"),
        ("calibration error", lambda s: _calibration(s, s.evaluation.probabilities)),
        ("the same at temperature 1", lambda s: _calibration(s, s.evaluation.uncalibrated)),
        ("right among the surest 95 %", lambda s: percent(_covered(s, 0.95))),
        ("network", lambda s: str(_recipe(s).get("preset", "-"))),
        ("parameters", lambda s: f"{s.model.parameter_count():,}"),
        ("trained on", lambda s: _number(s.training.get("images"), "{:,} images")),
        ("epochs", lambda s: str(_recipe(s).get("epochs", "-"))),
        ("epoch kept", lambda s: str(s.training.get("best_epoch", "-"))),
        ("training took", lambda s: _number((s.result or {}).get("seconds"), "{:,.0f} s")),
    ]
    told = [(name, [tell(each) for each in subjects]) for name, tell in rows]
    return [(name, values) for name, values in told if set(values) != {"-"}]


def matches(subjects: Sequence[Subject]) -> list[Match]:
    """Each run against each later one."""
    pairs = [(a, b) for k, a in enumerate(subjects) for b in subjects[k + 1 :]]
    return [Match(a.name, b.name, _duel(a, b)) for a, b in pairs]


def training_charts(subjects: Sequence[Subject]) -> list[Chart]:
    """Loss and validation errors over epochs; none if no run has a history."""
    told = [each for each in subjects if each.history]
    if not told:
        return []
    training = _history(told, lambda r: r.loss)
    validation = _history(told, lambda r: r.validation_loss)
    wrong = _history(told, lambda r: 100 * (1 - r.validation_accuracy))
    if len(told) == 1:
        losses = [Line("training", training[0].points), Line("validation", validation[0].points)]
        return [
            _over_epochs("Loss", "loss (nats)", losses, log=True),
            _over_epochs("Validation errors", "wrong (%)", wrong),
            _over_epochs("Learning rate", "at the epoch’s end", _history(told, lambda r: r.lr)),
        ]
    return [
        _over_epochs("Training loss", "loss (nats)", training, log=True),
        _over_epochs("Validation loss", "loss (nats)", validation, log=True),
        _over_epochs("Validation errors", "wrong (%)", wrong),
    ]


def confidence_charts(subjects: Sequence[Subject]) -> list[Chart]:
    """How far confidence may be trusted, and what it gains to answer only when sure."""
    return [_calibration_chart(subjects), _coverage_chart(subjects)]


def robustness_strips(subjects: Sequence[Subject]) -> list[Strip]:
    """A chart a corruption, and what it does to the first digit."""
    strips = []
    image = subjects[0].evaluation.images[:1]
    for k, corruption in enumerate(CORRUPTIONS):
        lines = [_robust_line(each.name, each.robustness[k]) for each in subjects]
        x = Axis.at(f"{corruption.name} ({corruption.unit})", corruption.levels)
        chart = draw(corruption.name.capitalize(), x, _percent_axis("right (%)"), lines)
        pictures = tuple(
            (f"{level:g}", gray_picture(corruption(image, level)[0])) for level in corruption.levels
        )
        strips.append(Strip(chart, pictures))
    return strips


def findings(subject: Subject) -> list[str]:
    """What strikes most, in sentences."""
    evaluation = subject.evaluation
    confusion = evaluation.confusion.copy()
    K = len(confusion)
    confusion[range(K), range(K)] = 0
    truth, answer = divmod(int(confusion.argmax()), K)
    names = evaluation.recognizer.classes
    found = []
    if most := int(confusion.max()):
        times = "once" if most == 1 else f"{most} times"
        found.append(
            f"The most frequent confusion is {names[truth]} taken for {names[answer]} ({times})."
        )
    (surest,) = coverage(evaluation.probabilities, evaluation.labels, [0.9])
    found.append(
        f"Nine answers in ten have a confidence of {confidence_percent(surest.confidence)} or "
        f"more; {percent(surest.accuracy)} of them are right."
    )
    return found + [_breaking_points(subject.robustness)]


def _breaking_points(curves: Iterable[Curve]) -> str:
    """From where on each corruption costs more than five points."""
    costly = []
    for curve in curves:
        levels = curve.corruption.levels
        untouched = curve.accuracies[levels.index(curve.corruption.harmless)]
        hurt = [z for z, a in zip(levels, curve.accuracies, strict=True) if a < untouched - 0.05]
        nearest = min(hurt, key=lambda z: abs(z - curve.corruption.harmless), default=None)
        if nearest is not None:
            unit = curve.corruption.unit
            unit = unit.replace("more", "less") if nearest < 0 else unit
            unit = unit.replace("pixels", "pixel") if abs(nearest) == 1 else unit
            costly.append(f"{curve.corruption.name} {abs(nearest):g} {unit}")
    if not costly:
        return "Nothing that was done to the images costs more than five points."
    return f"It loses more than five points at: {'; '.join(costly)}."


def _history(subjects: Sequence[Subject], of: Callable[[EpochRecord], float]) -> list[Line]:
    return [Line(s.name, [(r.epoch, of(r)) for r in _some(s.history)]) for s in subjects]


def _some(history: Sequence[EpochRecord]) -> Sequence[EpochRecord]:
    """At most ``MOST_EPOCHS`` epochs, evenly spread, the last among them."""
    step = math.ceil(len(history) / MOST_EPOCHS)
    return history[::-step][::-1]


def _over_epochs(title: str, label: str, lines: Sequence[Line], log: bool = False) -> Chart:
    values = [y for line in lines for _, y in line.points] + ([] if log else [0])
    epochs = sorted({x for line in lines for x, _ in line.points})
    return draw(title, Axis.at("epoch", epochs), Axis.over(label, values, log), lines)


def _calibration_chart(subjects: Sequence[Subject]) -> Chart:
    if len(subjects) == 1:
        evaluation = subjects[0].evaluation
        lines = [
            _calibration_line("as told", evaluation.probabilities, evaluation.labels),
            _calibration_line("at temperature 1", evaluation.uncalibrated, evaluation.labels),
        ]
        lines[1] = dataclasses.replace(lines[1], ranges=())  # two sets of whiskers hide all
    else:
        lines = [
            _calibration_line(s.name, s.evaluation.probabilities, s.evaluation.labels)
            for s in subjects
        ]
    return draw(
        "Is confidence honest?",
        _percent_axis("confidence (%)"),
        _percent_axis("right (%)"),
        lines,
        "Answers of similar confidence together; whiskers are 95 % intervals. On the dotted line, "
        "of answers given with 80 % just 80 % are right; below it the network boasts.",
        diagonal=True,
    )


def _calibration_line(name: str, probabilities: np.ndarray, labels: np.ndarray) -> Line:
    bins = calibration_bins(probabilities, labels)
    return Line(
        name,
        [(100 * b.confidence, 100 * b.accuracy) for b in bins],
        [_in_percent(wilson_interval(b.right, b.n)) for b in bins],
    )


def _coverage_chart(subjects: Sequence[Subject]) -> Chart:
    lines = []
    for each in subjects:
        evaluation = each.evaluation
        points = coverage(evaluation.probabilities, evaluation.labels, SHARES)
        lines.append(Line(each.name, [(100 * z.share, 100 * (1 - z.accuracy)) for z in points]))
    values = [y for line in lines for _, y in line.points] + [0]
    x = Axis("answers given (%)", 80, 100, (80, 85, 90, 95, 100))
    note = "If the answers that the network is least sure of are left to a person."
    return draw("Errors among the answers given", x, Axis.over("wrong (%)", values), lines, note)


def _robust_line(name: str, curve: Curve) -> Line:
    points = zip(curve.corruption.levels, curve.accuracies, strict=True)
    return Line(name, [(x, 100 * y) for x, y in points], [*map(_in_percent, curve.intervals)])


def _percent_axis(label: str) -> Axis:
    return Axis(label, 0, 100, (0, 20, 40, 60, 80, 100))


def _in_percent(bounds: tuple[float, float]) -> tuple[float, float]:
    return 100 * bounds[0], 100 * bounds[1]


def _duel(first: Subject, second: Subject) -> Duel | None:
    try:
        return Duel.of(first.evaluation, second.evaluation)
    except DataError:
        return None


def _recipe(subject: Subject) -> dict:
    recipe = subject.training.get("recipe")
    return recipe if isinstance(recipe, dict) else {}


def _calibration(subject: Subject, probabilities: np.ndarray) -> str:
    return percent(calibration_error(probabilities, subject.evaluation.labels))


def _covered(subject: Subject, share: float) -> float:
    evaluation = subject.evaluation
    return coverage(evaluation.probabilities, evaluation.labels, [share])[0].accuracy


def _number(value: object, words: str) -> str:
    return words.format(value) if isinstance(value, int | float) else "-"
