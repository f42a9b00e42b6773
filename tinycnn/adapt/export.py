"""Corrections for other programs: as a data set to train on, and as strokes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinycnn.adapt.corrections import Correction
from tinycnn.data import write_idx
from tinycnn.data.catalogue import FILE_NAMES
from tinycnn.errors import DataError, EnvironmentFault
from tinycnn.files import PathLike, write_bytes

TEST_EVERY = 5  # one in five is kept to test on
STROKES = "drawings.jsonl"


def export(corrections: Sequence[Correction], classes: Sequence[str], folder: PathLike) -> int:
    """Write four IDX files and a stroke file into ``folder``; returns how many digits.

    ``train --data-dir FOLDER`` takes it as it is: labels are numbers of ``classes``, every fifth
    digit is in the test part. A digit of another class is only in the stroke file. Raises
    DataError if there is nothing to train on, EnvironmentFault if nothing can be written.
    """
    known = [correction for correction in corrections if correction.label in classes]
    if len(known) < TEST_EVERY:
        raise DataError(
            f"a data set needs at least {TEST_EVERY} corrected digits, and there are {len(known)}"
        )
    images = np.stack([correction.image() for correction in known])
    labels = np.array([classes.index(c.label) for c in known], np.uint8)
    test = np.arange(len(known)) % TEST_EVERY == TEST_EVERY - 1
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"cannot make {target}: {error.strerror or error}") from error
    arrays = (images[~test], labels[~test], images[test], labels[test])
    for name, array in zip(FILE_NAMES, arrays, strict=True):
        write_idx(target / f"{name}.gz", array)
    write_bytes(target / STROKES, b"".join(correction.line() for correction in corrections))
    return len(known)
