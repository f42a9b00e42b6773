"""The inspector answers the questions of tabs about a network, by ``tinycnn.interpret``."""

from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tinycnn.data import Dataset
    from tinycnn.interpret import (
        BackwardPass,
        Effect,
        FilterAblation,
        Link,
        NearestNeighbors,
        Spot,
        Trace,
    )
    from tinycnn.nn import Sequential

TESTED = 1000  # bundled digits that a switched-off filter is tested on
SEARCHED = 4000  # bundled digits among which the nearest are found

Neighbors = list[tuple[np.ndarray, str, float]]
"""Known digits (28,28), their classes and their distances, nearest first."""


@cache
def digits() -> "Dataset":
    """The bundled digits, read once; no network has been trained on the test digits."""
    from tinycnn.data import load_dataset

    return load_dataset()


class Inspector:
    """A network to inspect; used by one worker at a time."""

    def __init__(self, model: "Sequential", classes: tuple[str, ...]) -> None:
        from tinycnn.interpret import Tracer

        self.model, self.classes = model, classes
        self.tracer = Tracer(model)
        self._boards: dict[int, FilterAblation] = {}

    def warm_up(self) -> None:
        """Compile all kernels, so that no question waits for the compiler."""
        blank = np.zeros((28, 28), np.uint8)
        blank[10:18, 13:15] = 255
        self.trace(blank)
        self.why(blank, 0, 1)
        self.train(blank, 0, 0.01)

    def input(self, images: np.ndarray) -> np.ndarray:
        """Images uint8 (N,28,28) as the network gets them: (N, *input_shape)."""
        from tinycnn.nn.classifier import network_input

        return network_input(self.model, images)

    def trace(self, image: np.ndarray) -> "Trace":
        """The output of every layer for an image uint8 (28,28)."""
        return self.tracer.trace(self.input(image[None]))

    @cached_property
    def stages(self) -> list[int]:
        """The layers that sum: convolutions and dense layers."""
        from tinycnn.interpret import stages

        return stages(self.tracer)

    def flow(self, image: np.ndarray, spot: "Spot | None" = None) -> "tuple[Trace, list[Link]]":
        """The trace of an image, and the strongest ways to a number; see ``interpret.flow``."""
        from tinycnn.interpret import flow

        trace = self.trace(image)
        return trace, flow(self.tracer, trace, spot)

    def why(self, image: np.ndarray, label: int, other: int) -> tuple[np.ndarray, ...]:
        """Maps (H,W): the input, and what speaks for ``label``, or for ``other`` instead.

        The second is occlusion, the third gradient times input, the last a contrast of gradients.
        """
        from tinycnn.interpret import class_gradient, occlusion

        x, (H, W, _) = self.input(image[None]), self.tracer.image_shape
        contribution = x[0] * class_gradient(self.tracer, x, label)
        contrast = class_gradient(self.tracer, x, other, label)
        pixels, *gradients = (z.reshape(H, W, -1).sum(axis=2) for z in (x, contribution, contrast))
        return pixels, occlusion(self.tracer, x, label), *gradients

    def neighbors(self, image: np.ndarray) -> Neighbors:
        """The bundled digits that are nearest to an image in the last hidden layer."""
        data = digits()
        return [
            (data.train_images[n], data.class_names[data.train_labels[n]], distance)
            for n, distance in self._gallery.nearest(self.input(image[None]), 5)
        ]

    def switched_off(self, index: int, filters: frozenset[int], image: np.ndarray) -> "Effect":
        """The answers for this image and 1,000 bundled digits without some filters."""
        from tinycnn.interpret import FilterAblation

        if index not in self._boards:
            labels = digits().labels_in(self.classes, digits().test_labels[:TESTED])
            self._boards[index] = FilterAblation(self.tracer, index, self._known, labels)
        return self._boards[index].ablate(set(filters), self.input(image[None]))

    def train(
        self, image: np.ndarray, label: int, rate: float
    ) -> "tuple[BackwardPass, np.ndarray]":
        """Gradients toward reading ``image`` as ``label``, and p after one step of a copy."""
        from tinycnn.interpret import after_step, backward_pass

        x = self.input(image[None])
        return backward_pass(self.model, x, label), after_step(self.model, x, label, rate)

    @cached_property
    def _known(self) -> np.ndarray:
        return self.input(digits().test_images[:TESTED])

    @cached_property
    def _gallery(self) -> "NearestNeighbors":
        from tinycnn.interpret import NearestNeighbors

        return NearestNeighbors(self.tracer, self.input(digits().train_images[:SEARCHED]))
