"""An evaluation as text, for people: a sentence first, then tables."""

from collections.abc import Sequence

from tinycnn.evaluate.evaluation import SHARES, Duel, Evaluation
from tinycnn.evaluate.robustness import Curve
from tinycnn.metrics import accuracy_sentence, calibration_error, coverage, score

Row = Sequence[str]


def evaluation_text(evaluation: Evaluation) -> str:
    """Accuracy, classes, confusions, and what confidence is worth."""
    n, errors = evaluation.score.n, evaluation.score.errors
    return "\n\n".join(
        [
            f"{evaluation.dataset}, {evaluation.split} part: "
            f"{accuracy_sentence(n, errors)}\n{_confidence(evaluation)}",
            _classes(evaluation),
            "rows: what it is; columns: what it is taken for\n" + _confusion(evaluation),
            "if the least certain answers are left to a person\n" + _coverage(evaluation),
        ]
    )


def duel_text(names: Sequence[str], evaluations: Sequence[Evaluation]) -> str:
    """Two networks on the same images, and whether chance explains the difference."""
    duel = Duel.of(*evaluations)
    rows = [
        (name, percent(each.score.accuracy), interval_text(each.interval), f"{each.score.errors:,}")
        for name, each in zip(names, evaluations, strict=True)
    ]
    return "\n".join(
        [
            f"on the same {duel.n:,} images",
            table(("", "right", "95 % interval", "errors"), rows),
            f"only the first is right {duel.only_first:,} times, only the second "
            f"{duel.only_second:,} times; both are wrong {duel.neither:,} times",
            duel_sentence(duel),
        ]
    )


def duel_sentence(duel: Duel) -> str:
    """What may be concluded, with the probability that chance alone does as much."""
    p = "below 0.0001" if duel.p_value < 1e-4 else f"= {duel.p_value:.2g}"
    better = "first" if duel.only_first > duel.only_second else "second"
    verdict = "it may be chance" if duel.p_value > 0.05 else f"the {better} is better"
    return f"McNemar's test: p {p}; {verdict}"


def robustness_text(curves: Sequence[Curve]) -> str:
    """A row of levels and a row of accuracies for each corruption."""
    lines = [f"accuracy in % on {curves[0].n:,} images that are spoiled step by step"]
    for curve in curves:
        corruption = curve.corruption
        cells = [
            (f"{level:g}", f"{100 * accuracy:.1f}")
            for level, accuracy in zip(corruption.levels, curve.accuracies, strict=True)
        ]
        title = f"{corruption.name}, {corruption.unit}"
        for name, values in zip((title, ""), zip(*cells, strict=True), strict=True):
            lines.append(f"{name:<26}" + "".join(f"{value:>6}" for value in values))
    return "\n".join(lines)


def percent(share: float | None) -> str:
    """A share with two digits after the point; a dash for none."""
    return "-" if share is None else f"{100 * share:.2f} %"


def table(head: Row, rows: Sequence[Row]) -> str:
    """Columns as wide as they need; the first is flush left, numbers are flush right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = []
    for first, *others in (head, *rows):
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([f"{first:<{widths[0]}}", *cells]))
    return "\n".join(lines)


def _confidence(evaluation: Evaluation) -> str:
    labels, temperature = evaluation.labels, evaluation.recognizer.temperature
    after = calibration_error(evaluation.probabilities, labels)
    before = calibration_error(evaluation.uncalibrated, labels)
    loss = f"mean loss {evaluation.score.loss:.4f}, calibration error {100 * after:.2f} %"
    if temperature == 1:
        return f"{loss} (these weights have no temperature)"
    loss_before = score(evaluation.uncalibrated, labels).loss
    return f"{loss}; before temperature {temperature:g}: {loss_before:.4f}, {100 * before:.2f} %"


def _classes(evaluation: Evaluation) -> str:
    head = ("class", "images", "errors", "recall", "95 % interval", "precision")
    rows = [
        (
            each.name,
            f"{each.n:,}",
            f"{each.errors:,}",
            percent(each.recall),
            interval_text(each.interval),
            percent(each.precision),
        )
        for each in evaluation.classes
        if each.n
    ]
    return table(head, rows)


def _confusion(evaluation: Evaluation) -> str:
    """Columns have the numbers of the classes; so have rows, with their names if they have any."""
    K = len(evaluation.confusion)
    names = [str(k) for k in range(K)]
    for k, name in enumerate(evaluation.class_names):
        names[k] = name if name == str(k) else f"{k} {name}"
    rows = [
        (name, *(f"{count:,}" if count else "." for count in counts))
        for name, counts in zip(names, evaluation.confusion, strict=True)
        if counts.any()
    ]
    return table(("", *map(str, range(K))), rows)


def _coverage(evaluation: Evaluation) -> str:
    rows = [
        (
            f"{100 * each.share:.0f} %",
            percent(each.accuracy),
            f"{each.errors:,}",
            f"{each.n:,}",
            percent(each.confidence),
        )
        for each in coverage(evaluation.probabilities, evaluation.labels, SHARES)
    ]
    return table(("answered", "right", "errors", "images", "confidence from"), rows)


def interval_text(bounds: tuple[float, float] | None) -> str:
    """The two bounds of a share; a dash for none."""
    return "-" if bounds is None else f"{100 * bounds[0]:.2f} to {100 * bounds[1]:.2f} %"
