"""The network of a engine, taken apart: what tabs ask a worker for.

Nothing is computed here that ``tinycnn.interpret`` does not compute; this is where its objects live
from one question to the next, for some take a while to make.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tinycnn.data import Dataset
    from tinycnn.interpret import BackwardPass, Effect, Excitement, SGDStepper, Switchboard, Trace
    from tinycnn.nn import Sequential

SHOWN = 1000
"""Bundled digits that a switched-off filter is tried on, and that excite filters."""

EXCITING = 5
"""Pieces of digits shown of each filter."""

HUNG = 4000
"""Bundled digits among which the nearest are looked for."""


@dataclass(frozen=True, eq=False)
class Why:
    """What speaks for a class, pixel by pixel; maps (H,W), ``dx`` of one class against another."""

    label: int
    rather_than: int
    image: np.ndarray
    occlusion: np.ndarray
    contribution: np.ndarray
    """Gradient times input, for ``label``."""

    contrast: np.ndarray
    """Gradient of ``rather_than`` less that of ``label``: what would make it the other."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """A known digit that the network takes for nearly the same."""

    image: np.ndarray
    name: str
    distance: float


@dataclass(frozen=True, eq=False)
class FilterView:
    """A convolution: its kernels, and for each the patches that excite it most."""

    kernels: np.ndarray
    """(F,KH,KW,C)."""

    patches: list[list[tuple[np.ndarray, "Excitement"]]]
    """Of each filter: pieces of digits (h,w), strongest first."""


@dataclass(frozen=True, eq=False)
class Taught:
    """A lesson after some steps: the gradients now, and the probabilities (K,) at first."""

    back: "BackwardPass"
    p_before: np.ndarray


class Inspector:
    """A network to look into; used by one worker at a time."""

    def __init__(self, model: "Sequential", classes: tuple[str, ...]) -> None:
        from tinycnn.interpret import Tracer

        self.model, self.classes = model, classes
        self.tracer = Tracer(model)
        self._boards: dict[int, Switchboard] = {}
        self._fold_model: tuple[bytes, int] | None = None
        self._lesson: SGDStepper | None = None
        self._taken: tuple[float, ...] = ()

    def warm_up(self) -> None:
        """Have all kernels compiled, so that no question waits for a compiler."""
        blank = np.zeros((28, 28), np.uint8)
        blank[10:18, 13:15] = 255
        self.trace(blank)
        self.why(blank, 0, 1)
        self.taught(blank, 0, (0.01,))

    def input(self, image: np.ndarray) -> np.ndarray:
        """An image uint8 (28,28) as the network gets it: (1, *input_shape)."""
        from tinycnn.ink import network_input

        return network_input(self.model, image[None])

    def trace(self, image: np.ndarray) -> "Trace":
        """What every layer makes of an image."""
        return self.tracer.trace(self.input(image))

    def why(self, image: np.ndarray, label: int, other: int) -> Why:
        """What speaks for ``label``, and what would make it ``other``."""
        from tinycnn.interpret import class_gradient, occlusion

        x, (H, W, _) = self.input(image), self.tracer.image_shape
        maps = (
            x[0] * class_gradient(self.tracer, x, label),
            class_gradient(self.tracer, x, other, label),
        )
        return Why(
            label,
            other,
            x.reshape(H, W, -1).sum(axis=2),
            occlusion(self.tracer, x, label),
            *(z.reshape(H, W, -1).sum(axis=2) for z in maps),
        )

    def neighbors(self, image: np.ndarray) -> list[Likeness]:
        """The bundled digits that are nearest to an image in the last hidden layer."""
        images, labels, gallery = self._gallery
        names = self._digits.class_names
        return [
            Likeness(images[n], names[labels[n]], distance)
            for n, distance in gallery.nearest(self.input(image), 5)
        ]

    def filters(self, index: int) -> FilterView:
        """The kernels of convolution ``index``, and what excites them."""
        from tinycnn.interpret import most_exciting

        H, W, _ = self.tracer.image_shape
        x = self._known
        patches = [
            [(x[e.image][e.region].sum(axis=2), e) for e in best]
            for best in most_exciting(self.tracer, index, x, EXCITING)
        ]
        return FilterView(self.tracer.layers[index].params["w"], patches)

    def switched_off(self, index: int, filters: frozenset[int], image: np.ndarray) -> "Effect":
        """What this image and 1,000 bundled digits are without some filters."""
        from tinycnn.interpret import Switchboard

        if index not in self._boards:
            labels = self._known_labels
            self._boards[index] = Switchboard(self.tracer, index, self._known, labels)
        return self._boards[index].switch_off(set(filters), self.input(image))

    def taught(self, image: np.ndarray, label: int, rates: tuple[float, ...]) -> Taught:
        """A copy of the network after steps at ``rates`` toward reading ``image`` as ``label``.

        The lesson of the last question goes on where that is possible, forth or back.
        """
        from tinycnn.interpret import SGDStepper

        fold_model = image.tobytes(), label
        if self._fold_model != fold_model:
            self._fold_model = fold_model
            self._lesson, self._taken = SGDStepper(self.model, self.input(image), label), ()
        lesson = self._lesson
        assert lesson is not None
        while self._taken != rates[: len(self._taken)]:
            lesson.undo()
            self._taken = self._taken[:-1]
        for rate in rates[len(self._taken) :]:
            lesson.step(rate)
            self._taken += (rate,)
        return Taught(lesson.backward_pass(), self.trace(image).p)

    @property
    def _digits(self) -> "Dataset":
        from apps.sketchpad.digits import digits

        return digits()

    @cached_property
    def _known(self) -> np.ndarray:
        from tinycnn.ink import network_input

        return network_input(self.model, self._digits.test_images[:SHOWN])

    @property
    def _known_labels(self) -> np.ndarray:
        """Numbers of the network's classes; -1 where it has none for a digit."""
        names = self._digits.class_names
        numbers = [self.classes.index(n) if n in self.classes else -1 for n in names]
        return np.array(numbers)[self._digits.test_labels[:SHOWN]]

    @cached_property
    def _gallery(self):
        from tinycnn.ink import network_input
        from tinycnn.interpret import Gallery

        images = self._digits.train_images[:HUNG]
        gallery = Gallery(self.tracer, network_input(self.model, images))
        return images, self._digits.train_labels[:HUNG], gallery
