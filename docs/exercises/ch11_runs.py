"""Exercises of chapter 11. Check them with: python docs/exercises/check.py 11"""

from pathlib import Path

import numpy as np


def save(path: Path, payload: bytes) -> None:
    """Put ``payload`` under the name ``path``, all or nothing.

    Whatever fails on the way, ``path`` keeps its old bytes, no other file is left in the folder,
    and the error reaches the caller. On return the bytes are on the disk: use os.fsync.
    """
    raise NotImplementedError


def order_of_epoch(seed: int, epoch: int, count: int) -> np.ndarray:
    """Return the numbers 0 to count-1 in the order in which an epoch takes the images.

    Another order for every epoch and seed; the same whenever it is asked for again, in whatever
    process and after whatever else.
    """
    raise NotImplementedError
