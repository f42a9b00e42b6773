"""Optimizers turn gradients into steps, and remember in ``state`` what they need to go on."""

from collections.abc import Callable, Iterable
from types import ModuleType

import numpy as np

from tinycnn import kernels
from tinycnn.nn import checks
from tinycnn.nn.checks import Array
from tinycnn.nn.layers import Layer
from tinycnn.nn.repeats import Updates


class Optimizer:
    """The base of both optimizers: changes every parameter of ``layers`` in place."""

    ops: ModuleType = kernels
    slots: tuple[str, ...] = ()
    _update: Callable[..., None]  # (z, dz, *state): changes one parameter and its state

    def __init__(self, layers: Iterable[Layer], lr: float, weight_decay: float = 0.0) -> None:
        self.layers = [(index, layer) for index, layer in enumerate(layers) if layer.params]
        self.lr, self.weight_decay, self.steps = checks.rate(lr), weight_decay, 0
        self.updates = Updates()
        self.state = {
            f"{slot}.{index}.{key}": np.zeros_like(z)
            for index, layer in self.layers
            for key, z in layer.params.items()
            for slot in self.slots
        }

    def step(self) -> None:
        """Change every parameter by one step, in place."""
        self.steps += 1
        arrays = [
            (z, layer.grads[key], *(self.state[f"{slot}.{index}.{key}"] for slot in self.slots))
            for index, layer in self.layers
            for key, z in layer.params.items()
        ]
        self.updates.of(self._update, arrays, type(self) in (SGD, Adam))


class SGD(Optimizer):
    """Steps downhill that keep a share ``momentum`` of the previous step."""

    slots = ("velocity",)

    def __init__(
        self, layers: Iterable[Layer], lr: float, momentum: float = 0.9, weight_decay: float = 0.0
    ) -> None:
        super().__init__(layers, lr, weight_decay)
        self.momentum = momentum

    def _update(self, z: Array, dz: Array, *state: Array) -> None:
        (velocity,) = state
        self.ops.sgd_update(z, dz, velocity, self.lr, self.momentum, self.weight_decay)


class Adam(Optimizer):
    """Steps of about the same length for every parameter (Kingma and Ba 2015).

    mean and square are running averages of the gradient and of its square. They start at zero,
    so at first they are too small, by known factors that the step divides by. Weight decay acts
    on the parameter itself, not through the averages (Loshchilov and Hutter 2019).
    """

    slots = ("mean", "square")
    BETAS, EPSILON = (0.9, 0.999), 1e-8

    def _update(self, z: Array, dz: Array, *state: Array) -> None:
        mean, square = state
        self.ops.adam_update(
            z, dz, mean, square, self.steps, self.lr, *self.BETAS, self.EPSILON, self.weight_decay
        )


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam}
