"""Drawings that are written into the sketchpad by hand, beside what ``predict`` reads of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apps.sketchpad.commands import do
from apps.sketchpad.document import placed
from apps.sketchpad.engine import Engine
from apps.sketchpad.replay import write_line
from apps.sketchpad.session import Session
from apps.sketchpad.worker import Inline
from benchmarks.pages import GAPS, Sample, load_samples, strings
from tinycnn.ink import Recognizer, read_strokes

GAP_NAMES = {name: f"rows of 2 to 5 digits, {name} gaps" for name in GAPS}


@dataclass(frozen=True)
class Compared:
    """What was read in the app and by the library."""

    n: int
    app: float
    """Share that the app read right."""

    predict: float
    """Share that the library read right."""

    different: int
    """How many were not read alike."""

    def as_dict(self) -> dict[str, float]:
        """For machines."""
        return dict(vars(self))


def compare_singles(file: str | Path, weights: str, limit: int | None) -> Compared:
    """Every drawing of a stroke file."""
    samples = [sample for sample in load_samples(file) if sample.strokes]
    return compare(samples[:: max(len(samples) // limit, 1)] if limit else samples, weights)


def compare_rows(file: str | Path, weights: str, count: int) -> dict[str, Compared]:
    """Rows of digits, by the gaps between them; the same rows as ``benchmarks.drawings``."""
    samples = [sample for sample in load_samples(file) if sample.strokes]
    return {
        name: compare(strings(samples, count, gaps, np.random.default_rng(0)), weights)
        for name, gaps in GAPS.items()
    }


def compare(samples: Sequence[Sample], weights: str) -> Compared:
    """Write every sample on a page of its own, and have it read twice."""
    session = new_session(weights)
    assert session.engine is not None
    recognizer = Recognizer.of(session.engine.model)
    written = np.array([by_hand(sample, session) for sample in samples])
    known = np.array([read_strokes(sample.strokes, recognizer).text for sample in samples])
    truth = np.array([sample.label for sample in samples])
    different = int(np.count_nonzero(written != known))
    return Compared(
        len(samples), float((written == truth).mean()), float((known == truth).mean()), different
    )


def new_session(weights: str) -> Session:
    """A session of the sketchpad with its network loaded, and no window."""
    session = Session(Inline(), lambda: Engine.load(weights))
    session.tick()
    session.tick()
    return session


def by_hand(sample: Sample, session: Session) -> str:
    """What the sketchpad reads when a sample is written into it, point by point."""
    do(session, ("clear",))
    for line in placed(sample.strokes, session.pad.size):
        write_line(line, session)
    return session.answer.reading.text if session.answer else ""
