"""What can be laid on the paper: test digits, pictures from files, and drawings from files."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad.digits import digits
from apps.sketchpad.document import Sheet
from tinycnn.errors import ImageError

if TYPE_CHECKING:
    from apps.sketchpad.engine import Engine
    from tinycnn.ink import Drawing


def any_digit(chance: float) -> Sheet:
    """A test digit; ``chance``, 0 to 1, says which."""
    return test_digit(int(chance * len(digits().test_labels)))


def mistake(engine: "Engine", turn: int) -> Sheet:
    """A test digit that the network gets wrong: at every turn another one."""
    wrong = mistakes(engine)
    if not wrong:
        raise ImageError(f"this network reads all {len(digits().test_labels):,} test digits right")
    return test_digit(wrong[turn % len(wrong)])


def mistakes(engine: "Engine") -> list[int]:
    """The numbers of the test digits that the network gets wrong."""
    data = digits()
    names = np.array([*engine.classes])
    said = names[engine.asked(data.test_images).probabilities.argmax(axis=1)]
    return np.flatnonzero(said != np.array(data.class_names)[data.test_labels]).tolist()


def test_digit(number: int) -> Sheet:
    """One of the bundled test digits."""
    data = digits()
    image = data.test_images[number]
    truth = data.class_names[data.test_labels[number]]
    return Sheet(f"test digit {number:,}", 255 - image, image, truth)


def opened(path: str) -> "Sheet | Drawing":
    """What a file holds: a picture, or the first drawing of a stroke file; raises ImageError."""
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
