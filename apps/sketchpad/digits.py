"""The bundled digits, read once."""

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinycnn.data import Dataset


@functools.cache
def digits() -> "Dataset":
    """All of them; those to test on have never been trained on."""
    from tinycnn.data import load_dataset

    return load_dataset()
