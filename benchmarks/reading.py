"""How well drawings are read: single digits, rows of digits, and what should be refused."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.pages import GAPS, Sample, on_canvas, page_of, strings
from tinycnn.ink import (
    Recognizer,
    bitmap_to_image,
    read_bitmap,
    read_strokes,
    shrink,
    strokes_to_image,
)
from tinycnn.metrics import design_effect, wilson_interval

NAIVE_BRUSH = 16  # pixels of 280
ROW_HEIGHT = 100  # pixels of a digit in the bitmap of a row
ROW_BRUSH = 8

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """Which answers were right, also counted so that every writer weighs the same."""

    answers: np.ndarray  # (n,) texts
    labels: np.ndarray  # (n,) texts
    writers: np.ndarray  # (n,) names

    @property
    def right(self) -> np.ndarray:
        return self.answers == self.labels

    @property
    def n(self) -> int:
        return len(self.right)

    @property
    def errors(self) -> int:
        return int(np.count_nonzero(~self.right))

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy, wider by how alike a writer's digits are."""
        effect = design_effect(self.right, self.writers)
        return wilson_interval((self.n - self.errors) / effect, self.n / effect)

    @property
    def by_writer(self) -> float:
        """The mean accuracy of the writers."""
        return float(self._of_writers().mean())

    @property
    def worst_tenth(self) -> float:
        """The mean accuracy of the tenth of the writers who are read worst."""
        accuracies = np.sort(self._of_writers())
        return float(accuracies[: max(round(len(accuracies) / 10), 1)].mean())

    def kinds(self) -> list[tuple[str, str, int]]:
        """What was read as what, and how often; the most frequent errors first."""
        wrong = Counter(zip(self.labels[~self.right], self.answers[~self.right], strict=True))
        return [(str(label), str(answer), n) for (label, answer), n in wrong.most_common()]

    def _of_writers(self) -> np.ndarray:
        _, index = np.unique(self.writers, return_inverse=True)
        return np.bincount(index, self.right) / np.bincount(index)

    def as_dict(self) -> dict:
        """For machines."""
        return {
            "n": self.n,
            "errors": self.errors,
            "accuracy": self.accuracy,
            "interval95": self.interval,
            "design_effect": design_effect(self.right, self.writers),
            "by_writer": self.by_writer,
            "worst_tenth": self.worst_tenth,
            "kinds": self.kinds(),
        }


def single_digits(
    samples: Sequence[Sample], recognizer: Recognizer, brushes: Sequence[int], seed: int, tell: Tell
) -> dict[str, Outcome]:
    """Isolated digits, by how they are prepared; the last two are read as pages."""
    writers = np.array([sample.writer for sample in samples])
    labels = np.array([sample.label for sample in samples])

    def images(name: str, prepare: Callable[[Sample], np.ndarray]) -> tuple[str, Outcome]:
        tell(f"single digits: {name}")
        opinion = recognizer(np.stack([prepare(sample) for sample in samples]))
        answers = np.array(recognizer.classes)[opinion.probabilities.argmax(axis=1)]
        return name, Outcome(answers, labels, writers)

    def pages(name: str, read: Callable[[Sample], str]) -> tuple[str, Outcome]:
        tell(f"single digits: {name}")
        return name, Outcome(np.array([read(sample) for sample in samples]), labels, writers)

    def painted(brush: int, then: Callable[[np.ndarray], Any]) -> Callable[[Sample], Any]:
        rng = np.random.default_rng([seed, brush])  # the same canvases in every row of the table
        return lambda sample: then(on_canvas(sample.strokes, brush, rng))

    rows = [images(f"naive, brush {NAIVE_BRUSH}", painted(NAIVE_BRUSH, shrink))]
    rows += [images(f"bitmap, brush {b}", painted(b, bitmap_to_image)) for b in brushes]
    rows.append(images("strokes", lambda sample: strokes_to_image(sample.strokes)))
    rows.append(pages("strokes, as a page", lambda s: read_strokes(s.strokes, recognizer).text))
    as_page = painted(NAIVE_BRUSH, lambda canvas: read_bitmap(canvas, recognizer).text)
    rows.append(pages(f"bitmap {NAIVE_BRUSH}, as a page", as_page))
    return dict(rows)


@dataclass(frozen=True)
class Rows:
    """Rows of digits with one kind of gap: exactly right from strokes, from a bitmap, and with
    the digits already apart, which is what segmentation could reach at most.
    """

    strokes: Outcome
    bitmap: Outcome
    ceiling: Outcome

    def as_dict(self) -> dict:
        """For machines."""
        return {name: outcome.as_dict() for name, outcome in vars(self).items()}


def digit_rows(
    samples: Sequence[Sample], recognizer: Recognizer, count: int, seed: int, tell: Tell
) -> dict[str, Rows]:
    """Rows of 2 to 5 digits, by the gaps between them."""
    results = {}
    for name, gaps in GAPS.items():
        tell(f"rows of digits: {name} gaps")
        rows = strings(samples, count, gaps, np.random.default_rng(seed))
        texts = np.array([row.label for row in rows])
        apart = [_read_apart(row, recognizer) for row in rows]
        drawn = [read_strokes(row.strokes, recognizer).text for row in rows]
        painted = [
            read_bitmap(page_of(row.strokes, ROW_HEIGHT, ROW_BRUSH), recognizer).text
            for row in rows
        ]
        nobody = np.zeros(count, dtype="U1")
        outcomes = [Outcome(np.array(read), texts, nobody) for read in (drawn, painted, apart)]
        results[name] = Rows(*outcomes)
    return results


def _read_apart(row: Sample, recognizer: Recognizer) -> str:
    """The text if it is known which stroke belongs to which digit."""
    images = [strokes_to_image(strokes) for strokes in row.digits()]
    best = recognizer(np.stack(images)).probabilities.argmax(axis=1)
    return "".join(recognizer.classes[k] for k in best)


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
