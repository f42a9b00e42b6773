"""A drawing on the disk: a picture for people, strokes and reading for programs."""

import io
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.errors import ImageError
from tinycnn.files import write_bytes

if TYPE_CHECKING:
    from PIL import Image

    from apps.sketchpad.session import Session

NAME = "drawing-%Y-%m-%d-%H%M%S"


def save(session: "Session", folder: Path) -> list[Path]:
    """Write NAME.png, NAME.json and, of a drawing, NAME.jsonl to ``folder``; returns all three.

    ``python -m tinycnn.predict --strokes NAME.jsonl`` reads the drawing again.
    """
    from tinycnn.ink import as_record

    if session.answer is None or session.pad.page.empty:
        raise ImageError("there is nothing to save yet")
    if not session.up_to_date:
        raise ImageError("the drawing is still being read: nothing was saved")
    stem = folder / time.strftime(NAME)
    buffer = io.BytesIO()
    _picture(session).save(buffer, "PNG")
    files = {".png": buffer.getvalue(), ".json": _line(as_record(session.answer.reading))}
    if session.pad.page.strokes:
        files[".jsonl"] = _line(_drawing(session))
    for suffix, payload in files.items():
        write_bytes(stem.with_suffix(suffix), payload)
    return [stem.with_suffix(suffix) for suffix in files]


def _picture(session: "Session") -> "Image.Image":
    from PIL import Image

    from tinycnn.ink import draw_boxes, draw_drawing

    assert session.answer is not None
    reading, sheet = session.answer.reading, session.pad.page.sheet
    if sheet is not None:
        return draw_boxes(Image.fromarray(sheet.shade), reading, sheet.unit)
    return draw_drawing([stroke.points for stroke in session.pad.page.strokes], reading)


def _drawing(session: "Session") -> dict:
    page = session.pad.page
    drawing: dict = {
        "strokes": [stroke.points.round(2).tolist() for stroke in page.strokes],
        "pen": session.pad.brush,
    }
    said = session.labels
    if said and all(said):
        drawing["label"] = "".join(map(str, said))
    return drawing


def _line(record: dict) -> bytes:
    return (json.dumps(record) + "\n").encode()
