"""Files: test digits, pictures and drawings for the paper, and the drawing on the disk."""

import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.sketchpad.document import Sheet
from apps.sketchpad.record import is_record, record_text
from apps.sketchpad.session import Session
from tinycnn.errors import ImageError
from tinycnn.files import unused, write_bytes

if TYPE_CHECKING:
    from apps.sketchpad.engine import Engine
    from tinycnn.data import Dataset
    from tinycnn.ink import Drawing, Picture

NAME = "drawing-%Y-%m-%d-%H%M%S"
REPLAY = "-replay.jsonl"
NO_CLIPBOARD = "on this system, pictures can be pasted only if xclip or wl-clipboard is installed"
WEIGHTS = ".safetensors"
OPENED = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".jsonl", WEIGHTS)


def any_digit(rng: np.random.Generator) -> Sheet:
    """One of the bundled test digits."""
    from apps.sketchpad.inspector import digits

    return _test_digit(digits(), int(rng.integers(len(digits().test_labels))))


def mistake(engine: "Engine", turn: int) -> Sheet:
    """A test digit that the network gets wrong: at every turn another one."""
    from apps.sketchpad.inspector import digits

    data = digits()
    answers = engine.asked(data.test_images).probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != data.labels_in(engine.classes, data.test_labels))
    if not len(wrong):
        raise ImageError(f"this network reads all {len(data.test_labels):,} test digits right")
    return _test_digit(data, int(wrong[turn % len(wrong)]))


def _test_digit(data: "Dataset", number: int) -> Sheet:
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
        return _laid(name, decode_picture(payload))
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error


def pasted() -> "Sheet | Drawing":
    """The picture on the clipboard, or in the file that is there; raises ImageError."""
    from PIL import ImageGrab

    from tinycnn.ink import decode_picture

    try:
        held = ImageGrab.grabclipboard()
    except (NotImplementedError, OSError) as error:
        raise ImageError(NO_CLIPBOARD) from error
    if isinstance(held, list) and held:
        return opened(held[0])
    if not held or isinstance(held, list):
        raise ImageError("there is no picture on the clipboard: copy one first")
    buffer = io.BytesIO()
    held.save(buffer, "PNG")
    return _laid("clipboard", decode_picture(buffer.getvalue()))


def _laid(name: str, picture: "Picture") -> Sheet:
    return Sheet(name, picture.gray, picture, unit=1 / picture.scale)


def is_replay(path: str) -> bool:
    """Whether a file is a recorded session."""
    path = os.path.expanduser(path)
    try:
        with open(path if os.path.isfile(path) else os.devnull, "rb") as file:
            return is_record(file.read(1000).decode(errors="replace"))
    except OSError:
        return False  # the one that opens it says why


def listing(typed: str) -> list[tuple[str, str]]:
    """Folders and files to choose from for a path that is typed: names and paths."""
    folder, begun = os.path.split(os.path.expanduser(typed))
    try:
        entries = sorted(os.scandir(folder or "."), key=lambda e: (e.is_file(), e.name.lower()))
    except OSError:
        return []
    kept = [
        entry
        for entry in entries
        if entry.name.startswith(begun or entry.name.lstrip("."))
        and (entry.is_dir() or entry.name.lower().endswith(OPENED))
    ]
    head = os.path.split(typed)[0]
    names = ["../"] * (not begun) + [entry.name + "/" * entry.is_dir() for entry in kept]
    return [("~/", "~/")] * (not typed) + [(name, os.path.join(head, name)) for name in names]


def save(session: Session, folder: Path) -> Path:
    """Write NAME.json, the reading, NAME.jsonl, the strokes, and NAME-replay.jsonl; returns NAME.

    ``python -m tinycnn.predict --strokes NAME.jsonl`` reads the drawing again.
    """
    from tinycnn.ink.results import as_record

    page, answer = session.pad.page, session.answer
    if answer is None or (page.empty and not session.game):
        raise ImageError("there is nothing to save yet")
    if not session.up_to_date:
        raise ImageError("the drawing is still being read: nothing was saved")
    files = {".json": _line(as_record(answer.reading)), REPLAY: record_text(session.log).encode()}
    if page.strokes:
        strokes = [stroke.points.round(2).tolist() for stroke in page.strokes]
        labels = session.labels
        label = {"label": "".join(map(str, labels))} if labels and all(labels) else {}
        files[".jsonl"] = _line({"strokes": strokes, "pen": session.pad.brush, **label})
    stem = unused(folder, NAME, ".png", ".gif", ".json", ".jsonl", REPLAY)
    for suffix, payload in files.items():
        write_bytes(stem.with_name(stem.name + suffix), payload)
    return stem


def _line(record: dict[str, Any]) -> bytes:
    return (json.dumps(record) + "\n").encode()
