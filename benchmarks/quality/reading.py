"""How well drawings are read: single digits, rows of digits, and what should be refused."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.quality.pages import GAPS, Sample, on_canvas, page_of, shrink, strings
from tinycnn.ink import Recognizer, bitmap_to_image, read_bitmap, read_strokes, strokes_to_image
from tinycnn.metrics import Score, design_effect

NAIVE_BRUSH = 16  # pixels of 280
ROW_HEIGHT = 100  # pixels of a digit in the bitmap of a row
ROW_BRUSH = 8

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """How many answers were right, also counted so that every writer weighs the same."""

    n: int
    errors: int
    accuracy: float
    interval95: tuple[float, float]
    """Of the accuracy, wider by how alike a writer's digits are."""

    design_effect: float
    by_writer: float
    """The mean accuracy of the writers."""

    worst_tenth: float
    """The mean accuracy of the tenth of the writers who are read worst."""

    kinds: list[tuple[str, str, int]]
    """(Label, answer, how often), the most frequent errors first."""


def outcome(answers: Sequence[str], labels: np.ndarray, writers: np.ndarray) -> Outcome:
    """Count; answers, labels and writers are (n,) texts."""
    given = np.array(answers)
    right, n = given == labels, len(labels)
    errors = int(np.count_nonzero(~right))
    effect = design_effect(right, writers)
    _, index = np.unique(writers, return_inverse=True)
    of_writers = np.sort(np.bincount(index, right) / np.bincount(index))
    wrong = Counter(zip(labels[~right], given[~right], strict=True)).most_common()
    return Outcome(
        n,
        errors,
        accuracy=float(right.mean()),
        interval95=Score(n, errors, effect).interval,
        design_effect=effect,
        by_writer=float(of_writers.mean()),
        worst_tenth=float(of_writers[: max(round(len(of_writers) / 10), 1)].mean()),
        kinds=[(str(label), str(answer), count) for (label, answer), count in wrong],
    )


def single_digits(
    samples: Sequence[Sample], recognizer: Recognizer, brushes: Sequence[int], seed: int, tell: Tell
) -> dict[str, Outcome]:
    """Isolated digits, by how they are prepared; the last two are read as pages."""
    writers = np.array([sample.writer for sample in samples])
    labels = np.array([sample.label for sample in samples])

    def painted(brush: int, then: Callable[[np.ndarray], Any]) -> Callable[[Sample], Any]:
        rng = np.random.default_rng([seed, brush])  # the same canvases in every row of the table
        return lambda sample: then(on_canvas(sample.strokes, brush, rng))

    prepared = {
        f"naive, brush {NAIVE_BRUSH}": painted(NAIVE_BRUSH, shrink),
        **{f"bitmap, brush {brush}": painted(brush, bitmap_to_image) for brush in brushes},
        "strokes": lambda sample: strokes_to_image(sample.strokes),
    }
    read_page = painted(NAIVE_BRUSH, lambda canvas: read_bitmap(canvas, recognizer).text)
    pages = {
        "strokes, as a page": lambda sample: read_strokes(sample.strokes, recognizer).text,
        f"bitmap {NAIVE_BRUSH}, as a page": read_page,
    }
    found = {}
    for name, work in (prepared | pages).items():
        tell(f"single digits: {name}")
        results = [work(sample) for sample in samples]
        answers = results if name in pages else _answers(results, recognizer)
        found[name] = outcome(answers, labels, writers)
    return found


def _answers(images: Sequence[np.ndarray], recognizer: Recognizer) -> list[str]:
    best = recognizer(np.stack(images)).probabilities.argmax(axis=1)
    return [recognizer.classes[k] for k in best]


def digit_rows(
    samples: Sequence[Sample], recognizer: Recognizer, count: int, seed: int, tell: Tell
) -> dict[str, dict[str, Outcome]]:
    """Rows of 2 to 5 digits, by the gaps between them: the share that is exactly right.

    From "strokes", from a "bitmap", and with the digits "apart", which is what segmentation could
    reach at most.
    """
    results = {}
    for name, gaps in GAPS.items():
        tell(f"rows of digits: {name} gaps")
        rows = strings(samples, count, gaps, np.random.default_rng(seed))
        labels, no_writer = np.array([row.label for row in rows]), np.zeros(count, dtype="U1")
        bitmaps = (page_of(row.strokes, ROW_HEIGHT, ROW_BRUSH) for row in rows)
        read = {
            "strokes": [read_strokes(row.strokes, recognizer).text for row in rows],
            "bitmap": [read_bitmap(bitmap, recognizer).text for bitmap in bitmaps],
            "apart": [
                "".join(_answers([strokes_to_image(d) for d in row.digits()], recognizer))
                for row in rows
            ],
        }
        results[name] = {way: outcome(texts, labels, no_writer) for way, texts in read.items()}
    return results


def acceptance(
    drawings: Sequence[Sequence[np.ndarray]], recognizer: Recognizer, digits: bool
) -> np.ndarray:
    """The highest threshold, (n,), at which each drawing is still accepted as a page.

    A page of digits is accepted when all on it is; something else is accepted as soon as
    anything on it is, and never (-inf) if nothing on it was taken for a digit at all.
    """
    worst = min if digits else max
    readings = [read_strokes(list(strokes), recognizer) for strokes in drawings]
    return np.array([worst((d.score for d in r.digits), default=-np.inf) for r in readings])


def image_scores(drawings: Sequence[Sequence[np.ndarray]], recognizer: Recognizer) -> np.ndarray:
    """The score, (n,), of each drawing if all of it is taken for one digit."""
    return recognizer(np.stack([strokes_to_image(drawing) for drawing in drawings])).scores


def auroc(accept: np.ndarray, refuse: np.ndarray) -> float:
    """The chance that something to accept scores higher than something to refuse."""
    order = np.sort(refuse)
    below = np.searchsorted(order, accept, "left") + np.searchsorted(order, accept, "right")
    return float(below.mean() / 2 / len(refuse))
