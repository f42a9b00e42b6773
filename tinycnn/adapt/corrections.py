"""Corrections: digits that people drew, their labels, and the network's answers.

They are kept on this machine only, in a stroke file of the user's data folder, one per line:

    {"strokes": [[[x, y], ...], ...], "label": "7", "pen": 12, "answer": "1", "version": "0.1.0"}

so ``predict --strokes`` reads them too. The file is written whole or not at all. A damaged
line does not keep the others from being read, and is never lost.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycnn import __version__
from tinycnn.errors import EnvironmentFault, ImageError
from tinycnn.files import PathLike, user_folder, write_bytes
from tinycnn.ink import read_file, strokes_to_image
from tinycnn.ink.drawings import parse_drawing

DECIMALS = 2  # of coordinates that are kept
LONGEST = 64 * 2**20  # bytes of the file; a digit needs about two thousand


@dataclass(frozen=True, eq=False)
class Correction:
    """One digit that a person drew and named."""

    strokes: Sequence[np.ndarray]
    """Polylines (n,2), y down, in any unit."""

    label: str
    """The name of its class."""

    answer: str | None = None
    """The class that the network predicted."""

    pen: float = 0.0
    """Width of the pen in the unit of the strokes, 0 if unknown."""

    version: str = __version__
    """The tinycnn that gave the answer."""

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
            "version": self.version,
        }
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def parse_correction(line: bytes) -> Correction:
    """The correction in one line of a stroke file; raises ImageError.

    A line of another origin may lack all but strokes and label.
    """
    drawing = parse_drawing(line)
    if drawing.label is None or not drawing.strokes:
        raise ImageError("the line has no label" if drawing.strokes else "the line has no strokes")
    record = json.loads(line)
    answer = record.get("answer")
    return Correction(
        drawing.strokes,
        str(drawing.label),
        None if answer is None else str(answer),
        drawing.pen,
        str(record.get("version", "unknown")),
    )


class CorrectionFile:
    """The corrections in a file, which need not exist yet; default: that of this user."""

    def __init__(self, path: PathLike | None = None) -> None:
        self.path = Path(path) if path is not None else default_path()

    def read(self) -> tuple[list[Correction], str | None]:
        """All corrections, oldest first, and a sentence on what could not be read, if anything."""
        corrections, faults = [], []
        try:
            lines = self._lines()
        except EnvironmentFault as fault:
            return [], str(fault)
        for number, line in enumerate(lines, 1):
            try:
                corrections.append(parse_correction(line))
            except ImageError as error:
                faults.append(f"line {number}: {error}")
        if not faults:
            return corrections, None
        return corrections, (
            f"{self.path}: {len(faults)} of {len(lines)} lines cannot be read and are left alone "
            f"({faults[0]})"
        )

    def add(self, correction: Correction) -> None:
        """Keep ``correction`` after all others; raises EnvironmentFault if that is impossible."""
        self._write([*self._lines(), correction.line()])

    def remove(self, correction: Correction) -> bool:
        """Forget the newest line that is ``correction``; False if there is none."""
        lines = self._lines()
        places = [i for i, line in enumerate(lines) if line == correction.line()]
        if places:
            del lines[places[-1]]
            self._write(lines)
        return bool(places)

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
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot make the folder {self.path.parent}: {error.strerror or error}"
            ) from error
        write_bytes(self.path, b"".join(lines))


def default_path() -> Path:
    """Where the corrections of this user are: ``drawings.jsonl`` in the folder for user data."""
    return user_folder("data") / "drawings.jsonl"
