"""A network that reads 28 x 28 images, together with what is known of how far to trust it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tinycnn.data.mnist import SIZE
from tinycnn.errors import WeightsError
from tinycnn.nn import Sequential, Softmax
from tinycnn.nn.model import BATCH

COLDEST, HOTTEST = 0.01, 100.0
"""Beyond these, a temperature is no measurement but nonsense."""

Logits = Callable[[np.ndarray], np.ndarray]
"""uint8 images (N,28,28) -> logits (N,K), K at least 2."""

Forward = Callable[[np.ndarray], np.ndarray]
"""What goes into a network, float32 (N, *input_shape) -> what its last layer says."""


@dataclass(frozen=True)
class Prediction:
    """What a recognizer thinks of N images."""

    probabilities: np.ndarray
    """(N,K), calibrated by the temperature."""

    scores: np.ndarray
    """(N,): how much each image looks like any class at all, log sum exp of its logits."""


@dataclass(frozen=True)
class Recognizer:
    """A classifier and its calibration, both measured on validation data.

    Logits are divided by ``temperature`` before they become probabilities. An image whose score
    is below ``threshold`` is refused: it is none of the classes. ``classes`` are their names.

    >>> recognizer = Recognizer.of(Sequential.load("weights.safetensors"))
    >>> opinion = recognizer(images)
    """

    logits: Logits
    classes: tuple[str, ...]
    temperature: float = 1.0
    threshold: float = -np.inf

    @classmethod
    def of(cls, model: Sequential, forward: Forward | None = None) -> "Recognizer":
        """The recognizer that ``model`` is, with the calibration of its weights file, if any.

        ``forward``: another way to compute what ``model.forward`` does.

        The file's description may hold ``"classes": [names]`` and ``"calibration":
        {"temperature": T, "threshold": score}``. Raises WeightsError for a network that does
        not turn one gray image into classes, and for a description that is nonsense.
        """
        logits = _logits_of(model, forward or model.forward)
        return cls(logits, names_of(model), **calibration_of(model))

    def __call__(self, images: np.ndarray) -> Prediction:
        """Look at uint8 images (N,28,28), white on black."""
        return self.judge(self.logits(images))

    def judge(self, logits: np.ndarray) -> Prediction:
        """What logits (N,K) mean at this temperature."""
        logits = np.asarray(logits, np.float64)
        return Prediction(
            np.exp(logits / self.temperature - _log_sum(logits / self.temperature)[:, None]),
            _log_sum(logits),
        )


def _log_sum(logits: np.ndarray) -> np.ndarray:
    """Log sum exp over the classes, without overflow."""
    largest = logits.max(axis=1, initial=-np.inf, keepdims=True)
    return (largest + np.log(np.exp(logits - largest).sum(axis=1, keepdims=True)))[:, 0]


def names_of(model: Sequential) -> tuple[str, ...]:
    """What the classes of ``model`` are called; WeightsError if it has none, or other ones."""
    shape = model.output_shape
    if len(shape) != 1 or shape[0] < 2:
        raise WeightsError(f"these weights give outputs of shape {shape}, not classes")
    names = model.description.get("classes") or range(shape[0])
    if not isinstance(names, Sequence) or len(names) != shape[0]:
        raise WeightsError(f"these weights tell {shape[0]} classes apart, but do not name so many")
    return tuple(map(str, names))


def calibration_of(model: Sequential) -> dict[str, float]:
    """Temperature and threshold, as far as the weights file has them; it may be a stranger's."""
    calibration = model.description.get("calibration") or {}
    sound = isinstance(calibration, dict) and calibration.keys() <= {"temperature", "threshold"}
    if not sound or not all(_is_modest(z) for z in calibration.values()):
        raise WeightsError("the calibration of these weights is no temperature and threshold")
    temperature = calibration.get("temperature", 1.0)
    if not COLDEST <= temperature <= HOTTEST:
        raise WeightsError(
            f"the temperature of these weights is {temperature}, not from {COLDEST} to {HOTTEST}"
        )
    return {name: float(z) for name, z in calibration.items()}


def _is_modest(z: object) -> bool:
    """Whether ``z`` is a number to calculate with; a threshold may be below all scores."""
    if isinstance(z, bool) or not isinstance(z, int | float):
        return False
    return abs(z) <= 1e9 or z == -math.inf


def network_input(model: Sequential, images: np.ndarray) -> np.ndarray:
    """What ``model`` gets of uint8 images (N,28,28): float32 (N, *input_shape).

    A network for other sizes sees the same picture. Raises WeightsError for a network that does
    not take one gray image.
    """
    resized = _resize(images, *_input_size(model))
    return model.prepare(resized.reshape(-1, *model.input_shape))


def _logits_of(model: Sequential, forward: Forward) -> Logits:
    _input_size(model)  # a network that does not fit is refused now, not when it is asked
    ends_in_softmax = isinstance(model.layers[-1], Softmax)

    def logits(images: np.ndarray) -> np.ndarray:
        outputs = [np.empty((0, *model.output_shape), np.float32)]
        for start in range(0, len(images), BATCH):
            with np.errstate(all="ignore"):  # told in one sentence instead
                y = forward(network_input(model, images[start : start + BATCH]))
            outputs.append(np.log(np.maximum(y, 1e-30)) if ends_in_softmax else y)
        return finite(np.concatenate(outputs))

    return logits


def finite(answers: np.ndarray) -> np.ndarray:
    """``answers`` of a network as they are; WeightsError if some are no numbers."""
    if not np.isfinite(answers).all():
        raise WeightsError(
            "these weights give answers that are not finite; train or fetch them again"
        )
    return answers


def _input_size(model: Sequential) -> tuple[int, int]:
    shape = model.input_shape
    if shape == (SIZE * SIZE,):
        return SIZE, SIZE
    if len(shape) != 3 or shape[2] != 1:
        raise WeightsError(f"these weights take inputs of shape {shape}, not one gray image")
    return shape[0], shape[1]


def _resize(images: np.ndarray, H: int, W: int) -> np.ndarray:
    """Images (N,28,28) as (N,H,W)."""
    if images.shape[1:] == (H, W):
        return images
    method = Image.Resampling.BICUBIC
    resized = [np.asarray(Image.fromarray(x).resize((W, H), method)) for x in images]
    return np.array(resized, np.uint8).reshape(-1, H, W)
