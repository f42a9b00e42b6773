"""The inspector answers the questions of tabs about a network, by ``tinycnn.interpret``."""

from functools import cache, cached_property

import numpy as np

from tinycnn import interpret
from tinycnn.data import Dataset, load_dataset
from tinycnn.interpret import BackwardPass, Effect, FilterAblation, Link, Spot, Trace
from tinycnn.nn import Sequential
from tinycnn.nn.classifier import network_input

TESTED = 1000  # bundled digits that a switched-off filter is tested on
SEARCHED = 4000  # bundled digits among which the nearest are found

Neighbors = list[tuple[np.ndarray, str, float]]
"""Known digits (28,28), their classes and their distances, nearest first."""


@cache
def digits() -> Dataset:
    """The bundled digits, read once; no network has been trained on the test digits."""
    return load_dataset()


class Inspector:
    """A network to inspect; used by one worker at a time."""

    def __init__(self, model: Sequential, classes: tuple[str, ...]) -> None:
        self.model, self.classes = model, classes
        self.tracer = interpret.Tracer(model)
        self._boards: dict[int, FilterAblation] = {}

    def warm_up(self) -> None:
        """Compile all kernels, so that no question waits for the compiler."""
        blank = np.zeros((28, 28), np.uint8)
        blank[10:18, 13:15] = 255
        self.flow(blank)
        self.why(blank, 0, 1)
        self.train(blank, 0, 0.01)

    def input(self, images: np.ndarray) -> np.ndarray:
        """Images uint8 (N,28,28) as the network gets them: (N, *input_shape)."""
        return network_input(self.model, images)

    @cached_property
    def stages(self) -> list[int]:
        """The layers that sum: convolutions and dense layers."""
        return interpret.stages(self.tracer)

    def flow(self, image: np.ndarray, spot: Spot | None = None) -> tuple[Trace, list[Link]]:
        """The trace of an image uint8 (28,28), and the strongest ways to a number."""
        trace = self.tracer.trace(self.input(image[None]))
        return trace, interpret.flow(self.tracer, trace, spot)

    def why(self, image: np.ndarray, label: int, other: int) -> tuple[np.ndarray, ...]:
        """Maps (H,W): the input, and what speaks for ``label``, or for ``other`` instead.

        The second is occlusion, the third gradient times input, the last a contrast of gradients.
        """
        x, (H, W, _) = self.input(image[None]), self.tracer.image_shape
        contribution = x[0] * interpret.class_gradient(self.tracer, x, label)
        contrast = interpret.class_gradient(self.tracer, x, other, label)
        pixels, *gradients = (z.reshape(H, W, -1).sum(axis=2) for z in (x, contribution, contrast))
        return pixels, interpret.occlusion(self.tracer, x, label), *gradients

    def neighbors(self, image: np.ndarray) -> Neighbors:
        """The bundled digits that are nearest to an image in the last hidden layer."""
        data = digits()
        return [
            (data.train_images[n], data.class_names[data.train_labels[n]], distance)
            for n, distance in self._gallery.nearest(self.input(image[None]), 5)
        ]

    def switched_off(self, index: int, filters: frozenset[int], image: np.ndarray) -> Effect:
        """The answers for this image and 1,000 bundled digits without some filters."""
        if index not in self._boards:
            labels = digits().labels_in(self.classes, digits().test_labels[:TESTED])
            self._boards[index] = FilterAblation(self.tracer, index, self._known, labels)
        return self._boards[index].ablate(set(filters), self.input(image[None]))

    def train(self, image: np.ndarray, label: int, rate: float) -> tuple[BackwardPass, np.ndarray]:
        """Gradients toward reading ``image`` as ``label``, and p after one step of a copy."""
        x = self.input(image[None])
        backward = interpret.backward_pass(self.model, x, label)
        return backward, interpret.after_step(self.model, x, label, rate)

    @cached_property
    def _known(self) -> np.ndarray:
        return self.input(digits().test_images[:TESTED])

    @cached_property
    def _gallery(self) -> interpret.NearestNeighbors:
        return interpret.NearestNeighbors(self.tracer, self.input(digits().train_images[:SEARCHED]))
