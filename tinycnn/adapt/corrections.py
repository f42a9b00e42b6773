"""Corrections: digits that people drew, their labels, and the network's answers.

They are kept on this machine only, in a stroke file of the user's data folder, one per line:

    {"strokes": [[[x, y], ...], ...], "label": "7", "pen": 12, "answer": "1"}

so ``predict --strokes`` reads them too. The file is written whole or not at all. A damaged
line does not keep the others from being read, and is never lost.
"""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycnn.data import write_idx
from tinycnn.data.catalogue import FILE_NAMES
from tinycnn.errors import DataError, EnvironmentFault, ImageError
from tinycnn.files import PathLike, user_folder, write_bytes
from tinycnn.ink import read_file, strokes_to_image
from tinycnn.ink.drawings import parse_drawing

DECIMALS = 2  # of coordinates that are kept
LONGEST = 64 * 2**20  # bytes of the file; a digit needs about two thousand
TEST_EVERY = 5  # one in five that are exported is kept to test on
NAME = "drawings.jsonl"


@dataclass(frozen=True, eq=False)
class Correction:
    """One digit that a person drew and named."""

    strokes: Sequence[np.ndarray]  # polylines (n,2), y down, in any unit
    label: str  # the name of its class
    answer: str | None = None  # the class that the network predicted
    pen: float = 0.0  # width of the pen in the unit of the strokes, 0 if unknown

    def image(self) -> np.ndarray:
        """The digit as the network gets it, uint8 (28,28)."""
        return strokes_to_image(list(self.strokes))

    def line(self) -> bytes:
        """The line of a stroke file that holds it."""
        record = {
            "strokes": [np.round(stroke, DECIMALS).tolist() for stroke in self.strokes],
            "label": self.label,
            "pen": round(self.pen, DECIMALS),
            "answer": self.answer,
        }
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def parse_correction(line: bytes) -> Correction:
    """The correction in a line, which may lack all but strokes and label; raises ImageError."""
    drawing = parse_drawing(line)
    if drawing.label is None or not drawing.strokes:
        raise ImageError("the line has no label" if drawing.strokes else "the line has no strokes")
    answer = json.loads(line).get("answer")
    answer = None if answer is None else str(answer)
    return Correction(drawing.strokes, str(drawing.label), answer, drawing.pen)


class CorrectionFile:
    """The corrections in a file, which need not exist yet; default: that of this user."""

    def __init__(self, path: PathLike | None = None) -> None:
        self.path = Path(path) if path is not None else user_folder("data") / NAME

    def read(self) -> tuple[list[Correction], str | None]:
        """All corrections, oldest first, and a sentence on what could not be read, if anything."""
        try:
            lines = self._lines()
        except EnvironmentFault as error:
            return [], str(error)
        corrections = []
        for line in lines:
            with contextlib.suppress(ImageError):
                corrections.append(parse_correction(line))
        bad = len(lines) - len(corrections)
        fault = f"{self.path}: {bad} of {len(lines)} lines cannot be read and are left alone"
        return corrections, fault if bad else None

    def add(self, correction: Correction) -> None:
        """Keep ``correction`` after all others; raises EnvironmentFault if that is impossible."""
        self._write([*self._lines(), correction.line()])

    def remove(self, correction: Correction) -> None:
        """Forget the newest line that is ``correction``, if there is one."""
        newest_first = self._lines()[::-1]
        if correction.line() in newest_first:
            newest_first.remove(correction.line())
            self._write(newest_first[::-1])

    def _lines(self) -> list[bytes]:
        """The lines of the file, each with its line end; the file is the only memory there is.

        Another window may have added some meanwhile, and what cannot be read has to stay.
        """
        if not self.path.exists():
            return []
        try:
            payload = read_file(self.path, LONGEST)
        except ImageError as error:
            raise EnvironmentFault(
                f"corrections in {self.path} cannot be used: {error}; move the file away"
            ) from error
        return [line + b"\n" for line in payload.split(b"\n") if line.strip()]

    def _write(self, lines: Sequence[bytes]) -> None:
        _make(self.path.parent)
        write_bytes(self.path, b"".join(lines))


def export(corrections: Sequence[Correction], classes: Sequence[str], folder: PathLike) -> int:
    """Write four IDX files for ``train --data-dir`` and a stroke file; return how many digits.

    Labels are numbers of ``classes``; a digit of another class is only in the stroke file. Raises
    DataError if there is nothing to train on, EnvironmentFault if nothing can be written.
    """
    known = [correction for correction in corrections if correction.label in classes]
    if len(known) < TEST_EVERY:
        raise DataError(f"a data set takes {TEST_EVERY} corrected digits, not {len(known)}")
    images = np.stack([correction.image() for correction in known])
    labels = np.array([classes.index(c.label) for c in known], np.uint8)
    test = np.arange(len(known)) % TEST_EVERY == TEST_EVERY - 1
    target = Path(folder)
    _make(target)
    arrays = (images[~test], labels[~test], images[test], labels[test])
    for name, array in zip(FILE_NAMES, arrays, strict=True):
        write_idx(target / f"{name}.gz", array)
    write_bytes(target / NAME, b"".join(correction.line() for correction in corrections))
    return len(known)


def _make(folder: Path) -> None:
    with contextlib.suppress(OSError):  # what is written into it says what is wrong
        folder.mkdir(parents=True, exist_ok=True)
