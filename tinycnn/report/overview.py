"""The parts of a report that all its runs share: facts side by side, comparisons, and charts."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from tinycnn.augment.corruptions import CORRUPTIONS
from tinycnn.errors import DataError
from tinycnn.evaluate.robustness import Curve
from tinycnn.ink.annotate import percent as confidence_percent
from tinycnn.metrics import (
    PairedComparison,
    Score,
    calibration_bins,
    calibration_error,
    interval_text,
    percent,
)
from tinycnn.plots import Series
from tinycnn.report.charts import PERCENT, Chart
from tinycnn.report.pictures import gray_picture
from tinycnn.report.subject import Subject
from tinycnn.train.state import EpochRecord

SHARES = (1, 0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.9, 0.87, 0.84, 0.8)
"""Shares of the answers, the most confident ones, whose accuracy is drawn."""

MOST_EPOCHS = 60
"""More markers on a line could not be told apart."""


def facts(subjects: Sequence[Subject]) -> list[tuple[str, list[str]]]:
    """Rows of the table: a name, and a value for each run; without rows that are empty."""
    rows: list[tuple[str, Callable[[Subject], str]]] = [
        ("right", lambda s: percent(s.evaluation.score.accuracy)),
        ("95 % interval", lambda s: interval_text(s.evaluation.score.interval)),
        ("errors", lambda s: f"{s.evaluation.score.errors:,} of {s.evaluation.score.n:,}"),
        ("measured on", lambda s: f"{s.dataset.name}, test part"),
        ("mean loss", lambda s: f"{s.evaluation.loss:.4f}"),
        ("calibration error", lambda s: _calibration(s, s.evaluation.probabilities)),
        ("the same at temperature 1", lambda s: _calibration(s, s.evaluation.uncalibrated)),
        ("right among the surest 95 %", _right_among_the_surest),
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
    for k, first in enumerate(subjects):
        for second in subjects[k + 1 :]:
            try:
                comparison = first.evaluation.compare(second.evaluation)
            except DataError:
                comparison = None
            found.append((first.name, second.name, comparison))
    return found


def training_charts(subjects: Sequence[Subject]) -> list[Chart]:
    """Loss and validation errors over epochs; none if no run has a history."""
    trained = [each for each in subjects if each.history]
    if not trained:
        return []
    training = _history(trained, lambda r: r.loss)
    validation = _history(trained, lambda r: r.validation_loss)
    wrong = _history(trained, lambda r: 100 * (1 - r.validation_accuracy))
    errors = _over_epochs("Validation errors", "wrong (%)", wrong)
    if len(trained) > 1:
        return [
            _over_epochs("Training loss", "loss (nats)", training, log=True),
            _over_epochs("Validation loss", "loss (nats)", validation, log=True),
            errors,
        ]
    losses = [replace(training[0], name="training"), replace(validation[0], name="validation")]
    rates = _history(trained, lambda r: r.lr)
    return [
        _over_epochs("Loss", "loss (nats)", losses, log=True),
        errors,
        _over_epochs("Learning rate", "at the epoch’s end", rates),
    ]


def calibration_chart(subjects: Sequence[Subject]) -> Chart:
    """Accuracy over confidence; of a single run, also without its temperature."""
    lines = [_calibration_line(each.name, each, each.evaluation.probabilities) for each in subjects]
    if len(subjects) == 1:
        without = _calibration_line("", subjects[0], subjects[0].evaluation.uncalibrated)
        lines = [
            replace(lines[0], name="at its temperature"),
            Series("at temperature 1", without.points),  # more whiskers would hide the others
        ]
    return Chart(
        "Is confidence honest?",
        "confidence (%)",
        "right (%)",
        lines,
        x_ticks=PERCENT,
        y_ticks=PERCENT,
        diagonal=True,
        note="Answers of similar confidence together; whiskers are 95 % intervals. On the dotted "
        "line, of answers given with 80 % confidence exactly 80 % are right; below it the network "
        "is overconfident.",
    )


def coverage_chart(subjects: Sequence[Subject]) -> Chart:
    """Errors over the share of answers that are given."""
    lines = []
    for each in subjects:
        points = each.evaluation.coverage(SHARES)
        wrong = [(100 * z.share, 100 * (1 - z.score.accuracy)) for z in points]
        lines.append(Series(each.name, wrong))
    return Chart(
        "Errors among the answers given",
        "answers given (%)",
        "wrong (%)",
        lines,
        x_ticks=(80, 85, 90, 95, 100),
        note="If the answers that the network is least sure of are left to a person.",
    )


def robustness_strips(subjects: Sequence[Subject]) -> list[tuple[Chart, list[tuple[str, str]]]]:
    """For each corruption a chart, and each level with a picture of the first digit."""
    strips = []
    image = subjects[0].evaluation.images[:1]
    for k, corruption in enumerate(CORRUPTIONS):
        chart = Chart(
            corruption.name.capitalize(),
            f"{corruption.name} ({corruption.unit})",
            "right (%)",
            [_line(z.name, corruption.levels, z.robustness[k].scores) for z in subjects],
            x_ticks=corruption.levels,
            y_ticks=PERCENT,
        )
        pictures = [
            (f"{level:g}", gray_picture(corruption(image, level)[0])) for level in corruption.levels
        ]
        strips.append((chart, pictures))
    return strips


def findings(subject: Subject) -> list[str]:
    """The most notable results, in sentences."""
    evaluation = subject.evaluation
    confusion = evaluation.confusion.copy()
    np.fill_diagonal(confusion, 0)
    truth, answer = divmod(int(confusion.argmax()), len(confusion))
    names = evaluation.recognizer.classes
    found = []
    if most := int(confusion.max()):
        times = "once" if most == 1 else f"{most} times"
        pair = f"{names[truth]} taken for {names[answer]}"
        found.append(f"The most frequent confusion is {pair} ({times}).")
    (surest,) = evaluation.coverage([0.9])
    found.append(
        f"Nine answers in ten have a confidence of {confidence_percent(surest.confidence)} or "
        f"more; {percent(surest.score.accuracy)} of them are right."
    )
    return [*found, _breaking_points(subject.robustness)]


def _breaking_points(curves: Iterable[Curve]) -> str:
    """The mildest level of each corruption that costs more than five points."""
    costly = []
    for curve in curves:
        corruption = curve.corruption
        accuracies = {z: s.accuracy for z, s in zip(corruption.levels, curve.scores, strict=True)}
        enough = accuracies[corruption.harmless] - 0.05
        if hurt := [level for level, accuracy in accuracies.items() if accuracy < enough]:
            mildest = min(hurt, key=lambda level: abs(level - corruption.harmless))
            unit = corruption.unit.replace("more", "less") if mildest < 0 else corruption.unit
            unit = unit.replace("pixels", "pixel") if abs(mildest) == 1 else unit
            costly.append(f"{corruption.name} {abs(mildest):g} {unit}")
    if not costly:
        return "No corruption of the images costs more than five points."
    return f"It loses more than five points at: {'; '.join(costly)}."


def _history(subjects: Sequence[Subject], value: Callable[[EpochRecord], float]) -> list[Series]:
    """A line for each run, through at most ``MOST_EPOCHS`` epochs, the last among them."""
    lines = []
    for each in subjects:
        step = math.ceil(len(each.history) / MOST_EPOCHS)
        lines.append(Series(each.name, [(r.epoch, value(r)) for r in each.history[::-step][::-1]]))
    return lines


def _over_epochs(title: str, label: str, lines: Sequence[Series], log: bool = False) -> Chart:
    epochs = sorted({x for line in lines for x, _ in line.points})
    return Chart(title, "epoch", label, lines, x_ticks=epochs, log=log)


def _calibration_line(name: str, subject: Subject, probabilities: np.ndarray) -> Series:
    bins = calibration_bins(probabilities, subject.evaluation.labels)
    return _line(name, [100 * b.confidence for b in bins], [b.score for b in bins])


def _line(name: str, xs: Sequence[float], scores: Sequence[Score]) -> Series:
    """Accuracies with their intervals, in percent."""
    points = [(x, 100 * score.accuracy) for x, score in zip(xs, scores, strict=True)]
    bounds = [score.interval for score in scores]
    return Series(name, points, [(100 * low, 100 * high) for low, high in bounds])


def _right_among_the_surest(subject: Subject) -> str:
    return percent(subject.evaluation.coverage([0.95])[0].score.accuracy)


def _calibration(subject: Subject, probabilities: np.ndarray) -> str:
    return percent(calibration_error(probabilities, subject.evaluation.labels))


def _number(value: object, text: str) -> str:
    return text.format(value) if isinstance(value, int | float) else "-"
