"""The path from ink to 28 x 28, made visible: every step hands over what it has so far.

Functions of this package take ``show``, called with a title and a picture after each step.
Nobody looking (``unseen``) costs nothing; ``Steps`` keeps the pictures and lays them out in rows.
"""

from collections.abc import Callable, Sequence

import numpy as np

Picture = np.ndarray | Sequence[np.ndarray]
"""An image (H,W) uint8, 255 is ink, or lines as ``tinycnn.ink.pen`` draws them."""

Show = Callable[[str, Picture], None]


def unseen(title: str, picture: Picture) -> None:
    """Nobody is looking."""
