"""Arguments are checked here, in Python, because a compiled loop would read past an array.

Each function returns its arrays ready for kernels: C-contiguous, aligned, in the machine's byte
order, all of one dtype, float32 or float64. What does not fit raises a ShapeError that names the
argument and both shapes. Nothing is ever changed in place.
"""

import numpy as np

from tinycnn.errors import ShapeError

LARGEST_POOL = 15
"""The winner's place and the mark of a silenced one, size * size, must fit into a byte."""


def ready(array: np.ndarray) -> np.ndarray:
    """Return ``array``, or a copy that lies in memory as kernels want it, and may be written to.

    They would not write; but for read-only arrays numba would compile them once more.
    """
    if type(array) is np.ndarray and array.flags.carray:
        return array  # as nearly always; to ask for it takes longer
    return np.require(array, requirements=["C", "A", "W", "E"])


def arrays(**named: np.ndarray) -> list[np.ndarray]:
    """Return the arrays as kernels want them; the dtype of the first one counts for all."""
    found = [ready(array) for array in named.values()]
    dtype = found[0].dtype.newbyteorder("=")
    for name, array in zip(named, found, strict=True):
        if array.dtype.newbyteorder("=") != dtype or dtype not in (np.float32, np.float64):
            raise ShapeError(
                f"{name} is {array.dtype}, but all arrays must be float32 or all float64"
            )
    return [array.astype(dtype, copy=False) for array in found]


def rank(name: str, array: np.ndarray, letters: str) -> None:
    """Raise unless ``array`` has one axis for each word of ``letters``, such as "N H W C"."""
    if array.ndim != len(letters.split()):
        raise ShapeError(f"{name} has shape {array.shape}, expected ({letters.replace(' ', ', ')})")


def same(what: str, actual, expected) -> None:
    """Raise unless two sizes or shapes agree."""
    if actual != expected:
        raise ShapeError(f"{what} is {actual}, expected {expected}")


def conv2d_fits(input_size: tuple[int, int], kernel_size: tuple[int, int]) -> None:
    """Raise unless the kernel fits into the image at least once."""
    (H, W), (KH, KW) = input_size, kernel_size
    if not (1 <= KH <= H and 1 <= KW <= W):
        raise ShapeError(f"a {KH}x{KW} kernel does not fit into a {H}x{W} image")


def pool_fits(input_size: tuple[int, int], size: int) -> None:
    """Raise unless the pooling window fits into the image at least once."""
    if not 1 <= size <= min(*input_size, LARGEST_POOL):
        H, W = input_size
        raise ShapeError(
            f"pooling windows of {size}x{size} do not fit into a {H}x{W} image"
            if size <= LARGEST_POOL
            else f"pooling windows may be {LARGEST_POOL}x{LARGEST_POOL} at most, not {size}x{size}"
        )


def conv2d(x, w, b):
    """Check the arguments of ``conv2d``."""
    x, w, b = arrays(x=x, w=w, b=b)
    rank("x", x, "N H W C")
    rank("w", w, "F KH KW C")
    same("the number of channels of w", w.shape[3], x.shape[3])
    same("the shape of b", b.shape, w.shape[:1])
    conv2d_fits(x.shape[1:3], w.shape[1:3])
    return x, w, b


def conv2d_backward_params(dy, x, kernel_size):
    """Check the arguments of ``conv2d_backward_params``."""
    dy, x = arrays(dy=dy, x=x)
    rank("x", x, "N H W C")
    rank("dy", dy, "N OH OW F")
    conv2d_fits(x.shape[1:3], kernel_size)
    same("the shape of dy", dy.shape[:3], (x.shape[0], *valid_size(x.shape[1:3], kernel_size)))
    return dy, x


def conv2d_backward_input(dy, w):
    """Check the arguments of ``conv2d_backward_input``."""
    dy, w = arrays(dy=dy, w=w)
    rank("dy", dy, "N OH OW F")
    rank("w", w, "F KH KW C")
    same("the number of filters of dy", dy.shape[3], w.shape[0])
    return dy, w


def maxpool2d(x, size):
    """Check the arguments of ``maxpool2d``."""
    (x,) = arrays(x=x)
    rank("x", x, "N H W C")
    pool_fits(x.shape[1:3], size)
    return x


def winners(dy, winner, input_size, size, places):
    """Check a pooling gradient and its winners; places below ``places`` are allowed."""
    (dy,) = arrays(dy=dy)
    rank("dy", dy, "N OH OW C")
    same("the dtype of winner", winner.dtype, np.dtype(np.uint8))
    same("the shape of winner", winner.shape, dy.shape)
    pool_fits(input_size, size)
    same("the size of dy", dy.shape[1:3], (input_size[0] // size, input_size[1] // size))
    if winner.size and winner.max() >= places:
        raise ShapeError(f"winner has a place {winner.max()}, expected places below {places}")
    return dy, ready(winner)


def conv2d_relu_maxpool2d(x, w, b, size):
    """Check the arguments of ``conv2d_relu_maxpool2d``."""
    x, w, b = conv2d(x, w, b)
    pool_fits(valid_size(x.shape[1:3], w.shape[1:3]), size)
    return x, w, b


def conv2d_relu_maxpool2d_backward_params(dy, winner, x, kernel_size, size):
    """Check the arguments of ``conv2d_relu_maxpool2d_backward_params``."""
    dy, x = arrays(dy=dy, x=x)
    rank("x", x, "N H W C")
    conv2d_fits(x.shape[1:3], kernel_size)
    output_size = valid_size(x.shape[1:3], kernel_size)
    dy, winner = winners(dy, winner, output_size, size, size * size + 1)
    same("the number of examples of dy", dy.shape[0], x.shape[0])
    return dy, winner, x


def conv2d_relu_maxpool2d_backward_input(dy, winner, w, input_size, size):
    """Check the arguments of ``conv2d_relu_maxpool2d_backward_input``."""
    dy, w = arrays(dy=dy, w=w)
    rank("w", w, "F KH KW C")
    conv2d_fits(input_size, w.shape[1:3])
    dy, winner = winners(dy, winner, valid_size(input_size, w.shape[1:3]), size, size * size + 1)
    same("the number of filters of dy", dy.shape[3], w.shape[0])
    return dy, winner, w


def dense(x, w, b):
    """Check the arguments of ``dense``."""
    x, w, b = arrays(x=x, w=w, b=b)
    rank("x", x, "N D")
    rank("w", w, "D K")
    same("the number of inputs of x", x.shape[1], w.shape[0])
    same("the shape of b", b.shape, w.shape[1:])
    return x, w, b


def batchnorm(x, w, b, epsilon):
    """Check the arguments of ``batchnorm``."""
    x, w, b = arrays(x=x, w=w, b=b)
    channels(x, w=w, b=b)
    positive(epsilon)
    return x, w, b


def batchnorm_backward(dy, x, w, mean, variance, epsilon):
    """Check the arguments of ``batchnorm_backward``."""
    dy, x, w, mean, variance = arrays(dy=dy, x=x, w=w, mean=mean, variance=variance)
    same("the shape of dy", dy.shape, x.shape)
    channels(x, w=w, mean=mean, variance=variance)
    positive(epsilon)
    return dy, x, w, mean, variance


def dropout(x, draw, rate):
    """Check the arguments of ``dropout``."""
    x, draw = arrays(x=x, draw=draw)
    same("the shape of draw", draw.shape, x.shape)
    dropout_rate(rate)
    return x, draw


def dropout_rate(rate) -> None:
    """Raise unless some numbers are left."""
    if not 0 <= rate < 1:
        raise ShapeError(f"rate must be a share from 0 to below 1, not {rate!r}")


def channels(x, **named: np.ndarray) -> None:
    """Raise unless x is a batch, and the others have a number for each of its channels."""
    if x.ndim < 2 or not all(x.shape[1:]):
        raise ShapeError(f"x has shape {x.shape}, expected examples with channels, (N, ..., C)")
    for name, array in named.items():
        same(f"the shape of {name}", array.shape, x.shape[-1:])


def positive(epsilon) -> None:
    """Raise unless epsilon keeps quotients finite."""
    if not epsilon > 0:
        raise ShapeError(f"epsilon must be above 0, not {epsilon}")


def rows_and_labels(name, p, labels):
    """Check rows of classes and the true class of each row."""
    (p,) = arrays(**{name: p})
    rank(name, p, "N K")
    labels = np.asarray(labels)
    same("the shape of labels", labels.shape, p.shape[:1])
    if labels.dtype.kind not in "ui":
        raise ShapeError(f"labels are {labels.dtype}, expected integers")
    if not p.size:
        raise ShapeError(f"{name} has shape {p.shape}: no examples or no classes")
    wrong = (labels < 0) | (labels >= p.shape[1])
    if wrong.any():
        first = int(wrong.argmax())
        raise ShapeError(
            f"label {labels[first]} of example {first} is not one of {p.shape[1]} classes"
        )
    return p, labels.astype(np.intp)


def valid_size(input_size, kernel_size):
    """Return (OH, OW) of a valid convolution."""
    return input_size[0] - kernel_size[0] + 1, input_size[1] - kernel_size[1] + 1


def update(z, dz, **state):
    """Check the arguments of an update, which changes z and ``state`` where they stand."""
    for name, array in {"z": z, **state}.items():
        same(f"the shape of {name}", array.shape, z.shape)
        same(f"the dtype of {name}", array.dtype, z.dtype)
        if ready(array) is not array or not array.dtype.isnative:
            raise ShapeError(
                f"{name} is changed in place and must be contiguous, aligned, writeable and "
                "in the machine's byte order"
            )
    _, dz = arrays(z=z, dz=dz)
    same("the shape of dz", dz.shape, z.shape)
    return dz
