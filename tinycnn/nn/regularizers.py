"""Layers that help a network to learn, and do next to nothing once it has learned."""

import numpy as np

from tinycnn import kernels
from tinycnn.errors import ShapeError
from tinycnn.kernels.shapes import dropout_rate
from tinycnn.nn.layers import Layer, Shape, remembered


class BatchNorm(Layer):
    """Bring every channel to standard deviation w and mean b over the batch: any shape (..., C).

    To answer, running averages over the batches of training are used: an answer must not depend
    on what else is asked. They follow by a tenth of the way in every batch.
    """

    EPSILON = 1e-5
    FOLLOW = 0.1

    _x: np.ndarray | None = None

    def shapes(self, input_shape: Shape) -> tuple[Shape, dict[str, Shape]]:
        return input_shape, {"w": input_shape[-1:], "b": input_shape[-1:]}

    def state_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        return {"mean": input_shape[-1:], "variance": input_shape[-1:]}

    def initial(self, key: str, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return np.full(shape, key in ("w", "variance"), np.float32)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        w, b = self.params["w"], self.params["b"]
        if not training:
            scale = w / np.sqrt(self.state["variance"] + x.dtype.type(self.EPSILON))
            return scale * (x - self.state["mean"]) + b
        if x.size == x.shape[-1]:
            raise ShapeError(
                f"BatchNorm cannot learn from a batch that holds one number a channel, {x.shape}: "
                "it would take away what it is given; use batches of two or more"
            )
        y, self._mean, self._variance = kernels.batchnorm(x, w, b, self.EPSILON)
        self.state["mean"] += self.FOLLOW * (self._mean - self.state["mean"])
        self.state["variance"] += self.FOLLOW * (self._variance - self.state["variance"])
        self._x = x
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        x, w = remembered(self._x), self.params["w"]
        dx, dw, db = kernels.batchnorm_backward(dy, x, w, self._mean, self._variance, self.EPSILON)
        self.grads = {"w": dw, "b": db}
        return dx

    def backward_params(self, dy: np.ndarray) -> None:
        self.backward(dy)

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        return self.backward(dy)


class Dropout(Layer):
    """Silence a share ``rate`` of all numbers in training, others in every step; any shape.

    It draws from the generator it was built with, until ``draw_from`` gives it another: whoever
    wants to see the same numbers silenced again gives it the same generator, started anew.
    """

    _draw: np.ndarray | None = None

    def __init__(self, rate: float) -> None:
        super().__init__()
        dropout_rate(rate)
        self.rate = rate

    def build(self, input_shape: Shape, rng: np.random.Generator) -> Shape:
        self.draw_from(rng)
        return super().build(input_shape, rng)

    def draw_from(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        if not training:
            return x
        self._draw = self._rng.random(x.shape, dtype=x.dtype.type)
        return kernels.dropout(x, self._draw, self.rate)

    def backward_input(self, dy: np.ndarray) -> np.ndarray:
        return kernels.dropout_backward(dy, remembered(self._draw), self.rate)

    def config(self) -> dict[str, float]:
        return {"rate": self.rate}
