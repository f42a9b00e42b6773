"""A layer turns x into y, remembers what it needs, and turns dy into dx in the backward pass.

``reference.py`` says what a layer computes; this file says what it remembers, and in which order
data flow. Every layer is used once per step, so ``backward`` assigns its gradients.
"""

import copy
import math
from inspect import signature
from types import ModuleType
from typing import Any

import numpy as np

from tinycnn import kernels
from tinycnn.kernels.threads import between
from tinycnn.nn import checks, shapes
from tinycnn.nn.checks import Array, Shape
from tinycnn.nn.lending import Lent
from tinycnn.nn.reference import flush


class Layer:
    """What all layers share; a layer of your own overrides ``forward`` and ``backward``.

    ``params`` and ``grads`` are dicts with equal keys; a layer with parameters also overrides
    ``shapes`` and ``initial``. ``state`` is what it keeps from batch to batch without learning
    it by gradients. Shapes here leave out N, the number of examples.
    """

    ops: ModuleType = kernels  # the module that computes; ``Sequential.on`` changes it
    inference = False  # True: BatchNorm and Dropout work as in inference, in training too
    params, state = Lent(), Lent()

    def __init__(self) -> None:
        self.params, self.state = {}, {}
        self.grads: dict[str, Array] = {}
        self._memory: Any = None  # what forward keeps for backward

    def build(self, input_shape: Shape, rng: np.random.Generator) -> Shape:
        """Check the input shape, make the parameters, return the output shape."""
        self.draw_from(rng)
        output_shape, shapes = self.shapes(input_shape)
        self.params, self.state = (
            {key: self.initial(key, shape, rng) for key, shape in kept.items()}
            for kept in (shapes, self.state_shapes(input_shape))
        )
        return output_shape

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        """Return the output shape and those of the parameters, or raise ShapeError."""
        return input_shape, {}

    def state_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of the state."""
        return {}

    def initial(self, key: str, shape: Shape, rng: np.random.Generator) -> Array:
        """Return the first values of a parameter or of the state, float32."""
        return np.zeros(shape, np.float32)

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return y; remember what ``backward`` needs when ``training``."""
        raise NotImplementedError

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        """Assign ``grads`` and return dx; call it after ``forward`` in training.

        Without ``input_gradient`` dx is not needed; a layer may save the time and return None.
        """
        raise NotImplementedError

    def remembered(self) -> Any:
        """Return what the last ``forward`` in training kept for ``backward``."""
        if self._memory is None:
            raise RuntimeError("backward needs a forward(x, training=True) before it")
        return self._memory

    def draw_from(self, rng: np.random.Generator) -> None:
        """Use another generator for what is drawn at random in training."""
        self._rng = rng

    def config(self) -> dict[str, Any]:
        """Return the arguments that make a layer like this one; it keeps each under its name."""
        return {k: vars(self)[k] for k in signature(type(self)).parameters if k in vars(self)}

    def __deepcopy__(self, memo: dict[int, Any]) -> "Layer":
        memo[id(self.ops)] = self.ops  # a module cannot be copied, and need not be
        twin = copy.copy(self)
        vars(twin).update(copy.deepcopy(vars(self), memo))
        return twin

    def __repr__(self) -> str:
        arguments = ", ".join(map(repr, self.config().values()))
        return f"{type(self).__name__}({arguments})"


class Conv2D(Layer):
    """Slide ``filters`` windows of ``kernel_size`` x ``kernel_size`` weights over the image.

    (H, W, C) -> (H - kernel_size + 1, W - kernel_size + 1, filters)
    """

    def __init__(self, filters: int, kernel_size: int) -> None:
        super().__init__()
        self.filters = checks.positive("filters", filters)
        self.kernel_size = checks.positive("kernel_size", kernel_size)
        self.filter_size = kernel_size, kernel_size  # KH, KW

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        H, W, C = checks.image_shape(self, input_shape)
        (KH, KW), F = self.filter_size, self.filters
        shapes.conv2d_fits((H, W), (KH, KW))
        return (H - KH + 1, W - KW + 1, F), {"w": (F, KH, KW, C), "b": (F,)}

    def initial(self, key: str, shape: Shape, rng: np.random.Generator) -> Array:
        fan_in = math.prod(shape[1:])
        return he_normal(shape, fan_in, rng) if key == "w" else np.zeros(shape, np.float32)

    def forward(self, x: Array, training: bool = False) -> Array:
        self._memory = x if training else None
        return self.ops.conv2d(x, self.params["w"], self.params["b"])

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        dw, db = self.ops.conv2d_backward_params(dy, self.remembered(), self.filter_size)
        self.grads = {"w": dw, "b": db}
        return self.ops.conv2d_backward_input(dy, self.params["w"]) if input_gradient else None


class MaxPool2D(Layer):
    """Keep the largest number of every window of ``size`` x ``size``.

    (H, W, C) -> (H // size, W // size, C)
    """

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = checks.positive("size", size)

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        H, W, C = checks.image_shape(self, input_shape)
        shapes.pool_fits((H, W), self.size)
        return (H // self.size, W // self.size, C), {}

    def forward(self, x: Array, training: bool = False) -> Array:
        y, winner = self.ops.maxpool2d(x, self.size)
        self._memory = (winner, x.shape[1:3]) if training else None
        return y

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        return self.ops.maxpool2d_backward(dy, *self.remembered(), self.size)


class ReLU(Layer):
    """Let positive numbers pass and set the others to zero; any shape."""

    def forward(self, x: Array, training: bool = False) -> Array:
        y = self.ops.relu(x)
        self._memory = y if training else None
        return y

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        return self.ops.relu_backward(dy, self.remembered())


class Flatten(Layer):
    """Write the numbers of an example in one row: (H, W, C) -> (H * W * C,)."""

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        return (math.prod(input_shape),), {}

    def forward(self, x: Array, training: bool = False) -> Array:
        self._memory = x.shape if training else None
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        return dy.reshape(self.remembered())


class Dense(Layer):
    """Connect every input with each of ``units`` outputs: (D,) -> (units,)."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = checks.positive("units", units)

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        (D,) = checks.row_shape(self, input_shape)
        return (self.units,), {"w": (D, self.units), "b": (self.units,)}

    def initial(self, key: str, shape: Shape, rng: np.random.Generator) -> Array:
        return he_normal(shape, shape[0], rng) if key == "w" else np.zeros(shape, np.float32)

    def forward(self, x: Array, training: bool = False) -> Array:
        self._memory = x if training else None
        return self.ops.dense(x, self.params["w"], self.params["b"])

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        dw, db = self.ops.dense_backward_params(dy, self.remembered())
        self.grads = {"w": dw, "b": db}
        return self.ops.dense_backward_input(dy, self.params["w"]) if input_gradient else None


class Softmax(Layer):
    """Turn K numbers into K probabilities, (K,) -> (K,); in training, the loss does so itself."""

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        return checks.row_shape(self, input_shape), {}

    def forward(self, x: Array, training: bool = False) -> Array:
        p = self.ops.softmax(x)
        self._memory = p if training else None
        return p

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        return self.ops.softmax_backward(dy, self.remembered())


class BatchNorm(Layer):
    """Bring every channel to standard deviation w and mean b over the batch: any shape (..., C).

    Inference uses running averages instead, because an answer must not depend on the other images
    in its batch. Each batch of training moves the averages by a tenth of the difference.
    """

    EPSILON, FOLLOW = 1e-5, 0.1

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        return input_shape, {"w": input_shape[-1:], "b": input_shape[-1:]}

    def state_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"mean": input_shape[-1:], "variance": input_shape[-1:]}

    def initial(self, key: str, shape: Shape, rng: np.random.Generator) -> Array:
        return np.full(shape, key in ("w", "variance"), np.float32)

    def deviation(self, dtype: Any = np.float32) -> Array:
        """Return (C,), the number by which inference divides differences from the mean."""
        return np.sqrt(self.state["variance"].astype(dtype) + self.EPSILON)

    def forward(self, x: Array, training: bool = False) -> Array:
        w, b = self.params["w"], self.params["b"]
        self._memory = (x,) if training else None
        if self.inference or not training:
            return w / self.deviation(x.dtype) * (x - self.state["mean"]) + b
        checks.several_a_channel(x)
        y, *moments = self.ops.batchnorm(x, w, b, self.EPSILON)
        self._memory = x, *moments

        def follow() -> None:
            for key, moment in zip(("mean", "variance"), moments, strict=True):
                self.state[key] += self.FOLLOW * (moment - self.state[key])
                flush(self.state[key])

        between(follow)
        return y

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        (x, *moments), w = self.remembered(), self.params["w"]
        if self.inference:  # mean and deviation are constants
            z = (x - self.state["mean"]) / self.deviation(x.dtype)
            m = tuple(range(x.ndim - 1))
            self.grads = {"w": (dy * z).sum(axis=m), "b": dy.sum(axis=m)}
            return dy * (w / self.deviation(x.dtype))
        dx, dw, db = self.ops.batchnorm_backward(dy, x, w, *moments, self.EPSILON)
        self.grads = {"w": dw, "b": db}
        return dx


class Dropout(Layer):
    """Set a share ``rate`` of all numbers to zero in training, others in every step; any shape.

    The same generator, given to ``draw_from`` from its start, chooses the same numbers again.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        shapes.dropout_rate(rate)
        self.rate = rate

    def forward(self, x: Array, training: bool = False) -> Array:
        if self.inference or not training:
            return x
        draw = self._memory = np.empty(x.shape, x.dtype)
        between(lambda: self._rng.random(dtype=x.dtype.type, out=draw))
        return self.ops.dropout(x, draw, self.rate)

    def backward(self, dy: Array, input_gradient: bool = True) -> Any:
        if self.inference:
            return dy
        return self.ops.dropout(dy, self.remembered(), self.rate)


def he_normal(shape: Shape, fan_in: int, rng: np.random.Generator) -> Array:
    """Draw weights of variance 2 / fan_in, float32.

    Each output sums ``fan_in`` inputs of which a ReLU has set about half to zero. With this
    variance the numbers neither fade nor explode from layer to layer (He et al. 2015).
    """
    return (rng.standard_normal(shape) * math.sqrt(2 / fan_in)).astype(np.float32)
