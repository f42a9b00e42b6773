"""An adapted network is kept beside the one it came from, never in its place."""

import os
from pathlib import Path

from tinycnn.adapt.adaptation import Adaptation
from tinycnn.errors import RunError
from tinycnn.files import PathLike


def save_adapted(adaptation: Adaptation, path: PathLike, base: PathLike) -> None:
    """Write the adapted weights to ``path``, all or nothing; RunError if ``base`` is there."""
    there = os.path.exists(path) and os.path.exists(base)
    if Path(path).resolve() == Path(base).resolve() or (there and os.path.samefile(path, base)):
        raise RunError(f"{path} holds the weights that were adapted; choose another name")
    adaptation.model.save(Path(path))
