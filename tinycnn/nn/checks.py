"""What a network takes: sizes, shapes and images are checked here, and gray levels scaled."""

import inspect
import math
import warnings
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tinycnn.errors import ShapeError

Array = NDArray[Any]
Shape = tuple[int, ...]

GRAY = np.array(1 / 255, np.float32)  # makes 0 to 1 of the gray levels 0 to 255
OVERSHOOT = 0.25  # of floats outside of 0 to 1: resampling and noise leave them there


def positive(name: str, value: int) -> int:
    """Return the size ``value``, or raise ShapeError if it is none."""
    if type(value) is not int or value < 1:  # True is an int, but no size
        raise ShapeError(f"{name} must be a whole number of at least 1, not {value!r}")
    return value


def image_shape(layer: object, shape: Shape) -> tuple[int, int, int]:
    """Return ``shape`` if it is (H,W,C), or raise ShapeError."""
    if len(shape) != 3:
        raise ShapeError(f"{layer} takes images (H, W, C), not {shape}")
    return shape[0], shape[1], shape[2]


def row_shape(layer: object, shape: Shape) -> tuple[int]:
    """Return ``shape`` if it is (D,), or raise ShapeError."""
    if len(shape) != 1:
        raise ShapeError(f"{layer} takes rows (D,), not {shape}; put a Flatten before it")
    return (shape[0],)


def several_a_channel(x: Array) -> None:
    """Raise ShapeError if a batch x (N,...,C) has one number a channel, too few for BatchNorm."""
    if x.size == x.shape[-1]:
        raise ShapeError(
            f"BatchNorm learns nothing from one number a channel, {x.shape}: "
            "use batches of two or more"
        )


def network(layers: Sequence[object], input_shape: Shape) -> None:
    """Raise ShapeError if ``layers`` and ``input_shape`` can be no network."""
    if len({id(layer) for layer in layers}) < max(1, len(layers)):
        raise ShapeError("a network is a list of layers, none of them twice")
    if not all(hasattr(layer, "params") for layer in layers):  # a class has none
        raise ShapeError("a network is a list of layers, such as ReLU() and Dense(10)")
    if not all(type(size) is int and size > 0 for size in input_shape):
        raise ShapeError(f"input_shape must be whole numbers of at least 1, not {input_shape}")


def batch(x: Array, input_shape: Shape) -> None:
    """Raise ShapeError if x is not a batch (N, *input_shape)."""
    if x.shape[1:] != input_shape:
        raise ShapeError(f"x has shape {x.shape}, expected {_batch_shape(input_shape)}")


def array(name: str, numbers: ArrayLike) -> Array:
    """Return ``numbers`` as an array, or raise ShapeError."""
    try:
        return np.asarray(numbers)
    except ValueError as error:
        raise ShapeError(f"{name} are no array: their parts differ in shape") from error


def rate(lr: float) -> float:
    """Return a learning rate, or raise ShapeError."""
    if not isinstance(lr, Real) or not 0 < lr < math.inf:
        raise ShapeError(f"`lr` must be a number above 0, not {lr!r}")
    return lr


def labels(labels: ArrayLike, count: int, classes: int) -> Array:
    """Return the labels (N,) of ``count`` images, numbers below ``classes``; or ShapeError."""
    y = array("labels", labels)
    if y.dtype.kind not in "iu" or y.shape != (count,):
        raise ShapeError(
            f"labels are {y.dtype} {y.shape}; they must be class numbers (N,), "
            f"one for each of the {count:,} images"
        )
    if not count:
        raise ShapeError("there are no images")
    for label in (y.min(), y.max()):
        if not 0 <= label < classes:
            raise ShapeError(f"label {label} is out of range, the classes are 0 to {classes - 1}")
    return y


def images(images: ArrayLike, input_shape: Shape, any_floats: bool) -> Array:
    """Return a batch of images as an array; ShapeError if it is none for ``input_shape``.

    Warns of numbers that are clearly of another scale, unless they are floats and ``any_floats``.
    """
    images = array("images", images)
    if input_shape in (images.shape, (*images.shape, 1)):  # a single one
        images = images[None]
    if input_shape not in (images.shape[1:], (*images.shape[1:], 1)):
        raise ShapeError(f"images have shape {images.shape}, expected {_batch_shape(input_shape)}")
    if images.dtype != np.uint8 and images.dtype.kind != "f":
        raise ShapeError(f"images are {images.dtype}, expected uint8, 0-255, or floats, 0-1")
    if images.dtype == np.uint8:
        has_ink = images[:1].tobytes().lstrip(b"\0\1")  # for one image, it is found in no time
        of_scale = has_ink or not images.size or images.max() != 1
    elif images.size and not any_floats:
        least, most = float(images.min()), float(images.max())
        of_scale = least >= -OVERSHOOT and most <= 1 + OVERSHOOT and not 0 < most <= GRAY
        of_scale = of_scale or not math.isfinite(most - least)
    else:
        of_scale = True
    if not of_scale:
        ours = [z.frame.f_globals["__name__"].startswith("tinycnn.") for z in inspect.stack()]
        warnings.warn(
            f"images hold {images.dtype} from {images.min():.3g} to {images.max():.3g}, but floats "
            "are expected from 0, paper, to 1, full ink: scale them, or give uint8 from 0 to 255",
            stacklevel=ours.index(False) + 1,
        )
    return images


def scaled(images: Array, input_shape: Shape, dtype: DTypeLike) -> Array:
    """Return checked images as floats (N, *input_shape), gray levels from 0 to 1."""
    if images.dtype == np.uint8:
        x: Array = images.astype(dtype)
        x *= GRAY
    else:
        with np.errstate(over="ignore"):  # a number too large becomes infinite
            x = images.astype(dtype)
        if not np.isfinite(x).all():
            raise ShapeError("images hold numbers that are not finite")
    return x.reshape(len(x), *input_shape)


def _batch_shape(input_shape: Shape) -> str:
    return f"(N, {str(input_shape)[1:]}"
