"""A layer turns x into y, remembers what it needs, and turns dy into dx on the way back.

What a layer computes stands in ``reference.py``; here stands what is remembered and in which
order it flows. Every layer is used once in a step, so ``backward`` assigns its gradients.
"""

import math
from collections.abc import Mapping

import numpy as np

from tinycnn import kernels
from tinycnn.errors import ShapeError
from tinycnn.kernels.shapes import conv2d_fits, pool_fits

Shape = tuple[int, ...]


class Layer:
    """What all layers share; a layer of your own overrides ``forward`` and ``backward_input``.

    ``params`` and ``grads`` are dicts with equal keys. A layer with parameters also overrides
    ``shapes``, ``initial`` and ``backward_params``. What else it keeps from batch to batch, and
    does not learn by gradients, is in ``state``. Shapes here leave out N, the number of examples.
    """

    def __init__(self) -> None:
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self.state: dict[str, np.ndarray] = {}

    def build(self, input_shape: Shape, rng: np.random.Generator) -> Shape:
        """Check the input shape, make the parameters, return the output shape."""
        output_shape, shapes = self.shapes(input_shape)
        self.params = {key: self.initial(key, shape, rng) for key, shape in shapes.items()}
        state = self.state_shapes(input_shape)
        self.state = {key: self.initial(key, shape, rng) for key, shape in state.items()}
        return output_shape

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        """Return the output shape and those of the parameters, or raise ShapeError."""
        return input_shape, {}

    def state_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of the state."""
        return {}

    def initial(self, key: str, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Return the first values of a parameter or of the state, float32."""
        return np.zeros(shape, np.float32)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """Return y; remember what ``backward`` needs when ``training``."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Assign ``grads`` and return dx; belongs to the last ``forward`` in training."""
        self.backward_params(dy)
        return self.backward_input(dy)

    def backward_params(self, dy: np.ndarray) -> None:
        """Assign ``grads``; a layer without parameters has nothing to do."""

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        """Return dx."""
        raise NotImplementedError

    def draw_from(self, rng: np.random.Generator) -> None:
        """Take another generator; for layers that draw at random in training."""

    def config(self) -> Mapping[str, float]:
        """Return the arguments that make a layer like this one."""
        return {}

    def __repr__(self) -> str:
        arguments = ", ".join(str(value) for value in self.config().values())
        return f"{type(self).__name__}({arguments})"


def own(layer: Layer) -> Layer | None:
    """Return ``layer`` if it is one of this library's, and None if it is a class of your own.

    Who replaces a layer by something faster, or explains it, may do so only with layers it knows:
    a subclass of ReLU is no ReLU.
    """
    return layer if type(layer).__module__.startswith("tinycnn.") else None


class Conv2D(Layer):
    """Slide ``filters`` windows of ``kernel_size`` x ``kernel_size`` weights over the image.

    (H, W, C) -> (H - kernel_size + 1, W - kernel_size + 1, filters)
    """

    _x: np.ndarray | None = None

    def __init__(self, filters: int, kernel_size: int) -> None:
        super().__init__()
        self.filters = _positive("filters", filters)
        self.kernel_size = _positive("kernel_size", kernel_size)

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        H, W, C = _image(self, input_shape)
        (KH, KW), F = self.kernel, self.filters
        conv2d_fits((H, W), (KH, KW))
        return (H - KH + 1, W - KW + 1, F), {"w": (F, KH, KW, C), "b": (F,)}

    def initial(self, key: str, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        fan_in = math.prod(shape[1:])
        return he_normal(shape, fan_in, rng) if key == "w" else np.zeros(shape, np.float32)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        self._x = x if training else None
        return kernels.conv2d(x, self.params["w"], self.params["b"])

    def backward_params(self, dy: np.ndarray) -> None:
        dw, db = kernels.conv2d_backward_params(dy, remembered(self._x), self.kernel)
        self.grads = {"w": dw, "b": db}

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        return kernels.conv2d_backward_input(dy, self.params["w"])

    def config(self) -> dict[str, int]:
        return {"filters": self.filters, "kernel_size": self.kernel_size}

    @property
    def kernel(self) -> tuple[int, int]:
        return self.kernel_size, self.kernel_size


class MaxPool2D(Layer):
    """Keep the largest number of every window of ``size`` x ``size``.

    (H, W, C) -> (H // size, W // size, C)
    """

    _winner: np.ndarray | None = None

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = _positive("size", size)

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        H, W, C = _image(self, input_shape)
        pool_fits((H, W), self.size)
        return (H // self.size, W // self.size, C), {}

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        y, winner = kernels.maxpool2d(x, self.size)
        self._winner = winner if training else None
        self._input_size = x.shape[1:3]
        return y

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        winner = remembered(self._winner)
        return kernels.maxpool2d_backward(dy, winner, self._input_size, self.size)

    def config(self) -> dict[str, int]:
        return {"size": self.size}


class ReLU(Layer):
    """Let positive numbers pass and silence the others; any shape."""

    _y: np.ndarray | None = None

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        y = kernels.relu(x)
        self._y = y if training else None
        return y

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        return kernels.relu_backward(dy, remembered(self._y))


class Flatten(Layer):
    """Write the numbers of an example in one row: (H, W, C) -> (H * W * C,)."""

    _shape: Shape | None = None

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        return (math.prod(input_shape),), {}

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        self._shape = x.shape if training else None
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        return dy.reshape(remembered(self._shape))


class Dense(Layer):
    """Connect every input with each of ``units`` outputs: (D,) -> (units,)."""

    _x: np.ndarray | None = None

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = _positive("units", units)

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        (D,) = _row(self, input_shape)
        return (self.units,), {"w": (D, self.units), "b": (self.units,)}

    def initial(self, key: str, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return he_normal(shape, shape[0], rng) if key == "w" else np.zeros(shape, np.float32)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        self._x = x if training else None
        return kernels.dense(x, self.params["w"], self.params["b"])

    def backward_params(self, dy: np.ndarray) -> None:
        dw, db = kernels.dense_backward_params(dy, remembered(self._x))
        self.grads = {"w": dw, "b": db}

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        return kernels.dense_backward_input(dy, self.params["w"])

    def config(self) -> dict[str, int]:
        return {"units": self.units}


class Softmax(Layer):
    """Turn K numbers into K probabilities, for those who want that as a layer: (K,) -> (K,).

    Training needs no such layer: ``SoftmaxCrossEntropy`` takes the numbers before it, the
    logits, and does both steps in one.
    """

    _p: np.ndarray | None = None

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        return _row(self, input_shape), {}

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        p = kernels.softmax(x)
        self._p = p if training else None
        return p

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        return kernels.softmax_backward(dy, remembered(self._p))


def he_normal(shape: Shape, fan_in: int, rng: np.random.Generator) -> np.ndarray:
    """Draw weights of variance 2 / fan_in, float32.

    Each output sums ``fan_in`` inputs of which a ReLU has silenced about half: with this variance
    the numbers neither fade nor explode from layer to layer (He et al. 2015).
    """
    return (rng.standard_normal(shape) * math.sqrt(2 / fan_in)).astype(np.float32)


def remembered(value):
    """Return what ``forward`` kept for the way back."""
    if value is None:
        raise RuntimeError("backward needs a forward(x, training=True) before it")
    return value


def _positive(name: str, value: int) -> int:
    if type(value) is not int or value < 1:  # True is an int, but no size
        raise ShapeError(f"{name} must be a whole number of at least 1, not {value!r}")
    return value


def _image(layer: Layer, shape: Shape) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ShapeError(f"{layer} takes images (H, W, C), not {shape}")
    return shape[0], shape[1], shape[2]


def _row(layer: Layer, shape: Shape) -> tuple[int]:
    if len(shape) != 1:
        raise ShapeError(f"{layer} takes rows (D,), not {shape}; put a Flatten before it")
    return (shape[0],)
