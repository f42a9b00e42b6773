"""An evaluation as text: a sentence first, then tables."""

from collections.abc import Sequence

from tinycnn.evaluate.evaluation import Evaluation
from tinycnn.metrics import interval_text, percent, text_table


def evaluation_text(evaluation: Evaluation) -> str:
    """Accuracy, classes, confusions, and how far confidence can be trusted."""
    return (
        f"{evaluation.dataset}, {evaluation.split} part: {evaluation.score.sentence()}\n"
        f"mean loss {evaluation.loss:.4f}, "
        f"calibration error {percent(evaluation.calibration_error)}, "
        f"temperature {evaluation.recognizer.temperature:g}\n\n"
        f"{_classes(evaluation)}\n\n"
        f"rows: true class; columns: answer\n{_confusion(evaluation)}"
    )


def comparison_text(names: Sequence[str], evaluations: Sequence[Evaluation]) -> str:
    """Two networks on the same images, and whether chance explains the difference."""
    first, second = evaluations
    comparison = first.compare(second)
    rows = []
    for name, score in zip(names, (first.score, second.score), strict=True):
        accuracy, interval = percent(score.accuracy), interval_text(score.interval)
        rows.append((name, accuracy, interval, f"{score.errors:,}"))
    return (
        f"on the same {comparison.n:,} images\n"
        f"{text_table(('', 'right', '95 % interval', 'errors'), rows)}\n"
        f"only the first is right {comparison.only_first:,} times, only the second "
        f"{comparison.only_second:,} times; both are wrong {comparison.neither:,} times\n"
        f"{comparison.sentence()}"
    )


def _classes(evaluation: Evaluation) -> str:
    head = ("class", "images", "errors", "recall", "95 % interval", "precision")
    rows = []
    for name, each in evaluation.per_class.items():
        if each["n"]:
            counts = f"{each['n']:,}", f"{each['errors']:,}"
            recall, precision = percent(each["recall"]), percent(each["precision"])
            rows.append((name, *counts, recall, interval_text(each["interval95"]), precision))
    return text_table(head, rows)


def _confusion(evaluation: Evaluation) -> str:
    """Columns are headed by class numbers; rows also by names, where classes have any."""
    K = len(evaluation.confusion)
    names = [str(k) for k in range(K)]
    for k, name in enumerate(evaluation.class_names):
        names[k] = name if name == str(k) else f"{k} {name}"
    rows = [
        (name, *(f"{count:,}" if count else "." for count in counts))
        for name, counts in zip(names, evaluation.confusion, strict=True)
        if counts.any()
    ]
    return text_table(("", *map(str, range(K))), rows)
