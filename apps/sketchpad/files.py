"""Files: test digits, pictures and drawings for the paper, and the drawing on the disk."""

import io
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad.document import Sheet
from apps.sketchpad.engine import Engine
from apps.sketchpad.inspector import digits
from apps.sketchpad.session import Session
from tinycnn.errors import ImageError
from tinycnn.files import write_bytes

if TYPE_CHECKING:
    from tinycnn.ink import Drawing

NAME = "drawing-%Y-%m-%d-%H%M%S"


def any_digit(chance: float) -> Sheet:
    """A test digit; ``chance``, 0 to 1, says which."""
    return test_digit(int(chance * len(digits().test_labels)))


def mistake(engine: Engine, turn: int) -> Sheet:
    """A test digit that the network gets wrong: at every turn another one."""
    data = digits()
    answers = engine.asked(data.test_images).probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != data.labels_in(engine.classes, data.test_labels))
    if not len(wrong):
        raise ImageError(f"this network reads all {len(data.test_labels):,} test digits right")
    return test_digit(int(wrong[turn % len(wrong)]))


def test_digit(number: int) -> Sheet:
    """One of the bundled test digits."""
    data = digits()
    image = data.test_images[number]
    truth = data.class_names[data.test_labels[number]]
    return Sheet(f"test digit {number:,}", 255 - image, image, truth)


def opened(path: str) -> "Sheet | Drawing":
    """The picture in a file, or the first drawing of a stroke file; raises ImageError."""
    from tinycnn.ink import decode_picture, read_drawings, read_file

    path = os.path.expanduser(path)
    name = Path(path).name
    try:
        payload = read_file(path)
        if payload.lstrip()[:1] == b"{":
            drawing = next(read_drawings(payload))
            if isinstance(drawing, ImageError):
                raise drawing
            return drawing
        picture = decode_picture(payload)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error
    return Sheet(name, picture.gray, picture, unit=1 / picture.scale)


def save(session: Session, folder: Path) -> list[Path]:
    """Write NAME.png, NAME.json and, of a drawing, NAME.jsonl to ``folder``; returns all three.

    ``python -m tinycnn.predict --strokes NAME.jsonl`` reads the drawing again.
    """
    from PIL import Image

    from tinycnn.ink.annotate import draw_boxes, draw_drawing
    from tinycnn.ink.reading import as_record

    page, answer = session.pad.page, session.answer
    if answer is None or page.empty:
        raise ImageError("there is nothing to save yet")
    if not session.up_to_date:
        raise ImageError("the drawing is still being read: nothing was saved")
    if page.sheet is not None:
        shade = Image.fromarray(page.sheet.shade)
        picture = draw_boxes(shade, answer.reading, page.sheet.unit)
    else:
        picture = draw_drawing([stroke.points for stroke in page.strokes], answer.reading)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    files = {".png": buffer.getvalue(), ".json": _line(as_record(answer.reading))}
    if page.strokes:
        strokes = [stroke.points.round(2).tolist() for stroke in page.strokes]
        labels = session.labels
        label = {"label": "".join(map(str, labels))} if labels and all(labels) else {}
        files[".jsonl"] = _line({"strokes": strokes, "pen": session.pad.brush, **label})
    stem = folder / time.strftime(NAME)
    for suffix, payload in files.items():
        write_bytes(stem.with_suffix(suffix), payload)
    return [stem.with_suffix(suffix) for suffix in files]


def _line(record: dict[str, Any]) -> bytes:
    return (json.dumps(record) + "\n").encode()
