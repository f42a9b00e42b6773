"""Parts of your own, known by name: layers, presets, augmentations and optimizers.

A weights file only names its layers, and never imports anything: code of yours runs because you
import it, or because you give it to a command with ``--network FILE.py``.
"""

import contextlib
import importlib
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tinycnn.augment.policies import AUGMENTATIONS
from tinycnn.errors import RunError, TinyCNNError, choose
from tinycnn.nn import PRESETS, Layer
from tinycnn.nn.optimizers import OPTIMIZERS
from tinycnn.nn.weights import LAYERS

T = TypeVar("T")

TABLES: dict[str, dict[str, Any]] = {
    "layer": LAYERS,
    "preset": PRESETS,
    "augmentation": AUGMENTATIONS,
    "optimizer": OPTIMIZERS,
}
OURS = {kind: frozenset(table) for kind, table in TABLES.items()}


def register(kind: str) -> Callable[[T], T]:
    """Decorate a part of your own, so that it is known by its name; RunError if that is taken.

    A "layer" is a class of ``Layer``; a "preset" a function from the number of classes to a list of
    layers; an "augmentation" a function of images (B,H,W) uint8 and a generator of random numbers
    to images; an "optimizer" a class like ``tinycnn.nn.optimizers.SGD``, without momentum.

    >>> @register("augmentation")
    ... def noisy(images, rng):
    ...     return images ^ rng.integers(0, 8, images.shape, np.uint8)
    """
    table = choose("kind", kind, TABLES)

    def known(part: T) -> T:
        name = str(getattr(part, "__name__", part))
        if name in OURS[kind]:
            raise RunError(f"tinycnn has a {kind} {name} already; give yours another name")
        is_layer = isinstance(part, type) and issubclass(part, Layer)
        if not (is_layer if kind == "layer" else callable(part)):
            raise RunError(f"{name} is no {kind}: put register before its class or function")
        table[name] = _checked(name, part) if kind == "augmentation" else part
        return part

    return known


def _checked(name: str, augment: Any) -> Any:
    def augmented(
        images: np.ndarray, labels: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        made = np.asarray(augment(images, rng))
        if (made.shape, made.dtype) != (images.shape, images.dtype):
            raise RunError(
                f"`augment` {name} has made {made.dtype} {made.shape} of images uint8 "
                f"{images.shape}; it must return images of the same type and shape"
            )
        return made, labels

    return augmented


@dataclass(frozen=True)
class OwnFile:
    """A file of yours that has been run, ``FILE.py[:function]``.

    ``network`` is the function, from a number of classes to layers; None if none was named and
    there is no function ``network``: such a file only registers parts.
    """

    source: str
    path: Path
    network: Callable[[int], Sequence[Layer]] | None

    def layers(self, classes: int) -> Sequence[Layer]:
        """Return what ``network`` returns; RunError if it fails or those are no layers."""
        assert self.network is not None
        with errors_in(self.path):
            layers = list(self.network(classes))
        for name, kind in [(type(layer).__name__, type(layer)) for layer in layers]:
            if LAYERS.get(name) is not kind:
                raise RunError(
                    f"{self.source} makes a network of {name}, which is no registered layer; "
                    'put @tinycnn.register("layer") before its class'
                )
        return layers


def import_file(source: str) -> OwnFile:
    """Run ``FILE.py[:function]``, with its folder first in ``sys.path``; RunError if it fails."""
    start, _, name = source.partition(".py:")
    path = Path(start).with_suffix(".py").absolute()
    if not path.is_file():
        raise RunError(f"there is no file {path} to take a `network` from")
    sys.path.insert(0, str(path.parent))
    try:
        with errors_in(path):
            module = importlib.import_module(path.stem)
    finally:
        sys.path.pop(0)
    if getattr(module, "__file__", None) != str(path):
        raise RunError(f"{path.name} has the name of another module; rename it for `network`")
    function = getattr(module, name or "network", None)
    if name and not callable(function):
        raise RunError(f"there is no function {name} in {path}")
    return OwnFile(source, path, function)


@contextlib.contextmanager
def errors_in(path: Path) -> Iterator[None]:
    """Turn an exception of the code in the file ``path`` into a RunError that names its line."""
    try:
        yield
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(path)]
        if isinstance(error, SyntaxError) and error.filename == str(path):
            lines = [error.lineno]
        if isinstance(error, TinyCNNError) or not lines:
            raise
        reason = f"{type(error).__name__}: {error}"
        raise RunError(f"{path.name}, line {lines[-1]}: {reason}; --debug tells more") from error
