"""A network that reads 28 x 28 images, the names of its classes, and its calibration."""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from PIL import Image

from tinycnn.data.mnist import SIZE
from tinycnn.errors import WeightsError
from tinycnn.nn.checks import Array
from tinycnn.nn.layers import Softmax
from tinycnn.nn.model import BATCH, Sequential

CALIBRATION = dict.fromkeys(("temperature", "temperature_of_strokes"), (0.01, 100.0))
CALIBRATION["threshold"] = -math.inf, sys.float_info.max
"""What a weights file may say of its calibration, and the limits of what may be right."""

Logits = Callable[[Array], Array]
"""uint8 images (N,28,28) -> logits (N,K), K at least 2."""


class Prediction(NamedTuple):
    """The answer of a recognizer to N images."""

    probabilities: Array  # (N,K), calibrated by the temperature
    scores: Array  # (N,), log sum exp of the logits: how much each looks like any class at all


@dataclass(frozen=True)
class Recognizer:
    """A classifier and its calibration, both measured on validation data.

    Logits are divided by ``temperature`` before they become probabilities; those of drawings by
    ``temperature_of_strokes``, if there is one. An image whose score is below ``threshold`` is
    refused: it belongs to no class. ``classes`` are the names.
    """

    logits: Logits
    classes: tuple[str, ...]
    temperature: float = 1.0
    threshold: float = -np.inf
    temperature_of_strokes: float | None = None

    @classmethod
    def of(cls, model: Sequential) -> "Recognizer":
        """Return a recognizer that asks ``model``, with the calibration of its weights file.

        Raises WeightsError for a network that does not turn one gray image into classes, and for
        a description of classes or calibration that cannot be right.
        """
        return cls(_logits_of(model), names_of(model), **calibration_of(model))

    def of_strokes(self) -> "Recognizer":
        """Return the recognizer for images that are made of strokes."""
        return replace(self, temperature=self.temperature_of_strokes or self.temperature)

    def __call__(self, images: Array) -> Prediction:
        """Classify uint8 images (N,28,28), white on black."""
        return self.judge(self.logits(images))

    def judge(self, logits: Array) -> Prediction:
        """Return the probabilities and scores of logits (N,K)."""
        logits = np.asarray(logits, np.float64)
        warm = logits / self.temperature
        return Prediction(np.exp(warm - _log_sum(warm)[:, None]), _log_sum(logits))


def _log_sum(logits: Array) -> Array:
    """Return log sum exp over the classes (N,), without overflow."""
    largest = logits.max(axis=1, initial=-np.inf, keepdims=True)
    log_sum: Array = largest + np.log(np.exp(logits - largest).sum(axis=1, keepdims=True))
    return log_sum[:, 0]


def names_of(model: Sequential) -> tuple[str, ...]:
    """Return the names of the classes of ``model``; WeightsError unless each has one."""
    shape = model.output_shape
    if len(shape) != 1 or shape[0] < 2:
        raise WeightsError(f"these weights give outputs of shape {shape}, not classes")
    given = model.description.get("classes") or range(shape[0])
    names = tuple(map(str, given)) if isinstance(given, Sequence) else ()
    if not len(names) == len({*names} - {""}) == shape[0]:
        raise WeightsError(f"these weights tell {shape[0]} classes apart, but do not name so many")
    return names


def calibration_of(model: Sequential) -> dict[str, float]:
    """Return temperatures and threshold, as far as the weights file has them.

    Raises WeightsError for others than ``train`` writes: the file may come from anywhere.
    """
    calibration = model.description.get("calibration") or {}
    try:
        found = {name: float(z) for name, z in calibration.items()}
        sound = all(low <= found[z] <= high for z in found for low, high in [CALIBRATION[z]])
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        sound = False
    if not sound:
        raise WeightsError(
            "the calibration of these weights is no threshold and no temperature from 0.01 to 100"
        )
    return found


def network_input(model: Sequential, images: Array) -> Array:
    """Return uint8 images (N,28,28) as the input of ``model``: float32 (N, *input_shape).

    For a network of another size they are resized. Raises WeightsError for a network that does
    not take one gray image.
    """
    H, W = _input_size(model)
    if images.shape[1:] != (H, W):
        method = Image.Resampling.BICUBIC
        resized = [np.asarray(Image.fromarray(x).resize((W, H), method)) for x in images]
        images = np.array(resized, np.uint8)
    return model.prepare(images.reshape(-1, *model.input_shape))


def _logits_of(model: Sequential) -> Logits:
    _input_size(model)  # a network that does not fit is refused now, not at the first image
    ends_in_softmax = isinstance(model.layers[-1], Softmax)

    def logits(images: Array) -> Array:
        outputs = [np.empty((0, *model.output_shape), np.float32)]
        for start in range(0, len(images), BATCH):
            with np.errstate(all="ignore"):  # ``finite`` says it in one sentence instead
                y = model.forward(network_input(model, images[start : start + BATCH]))
            outputs.append(np.log(np.maximum(y, 1e-30)) if ends_in_softmax else y)
        return finite(np.concatenate(outputs))

    return logits


def finite(answers: Array) -> Array:
    """Return the outputs of a network as they are; WeightsError if some are no numbers."""
    if np.isfinite(answers).all():
        return answers
    raise WeightsError("these weights give answers that are not finite; train or fetch them again")


def _input_size(model: Sequential) -> tuple[int, int]:
    shape = model.input_shape
    if shape == (SIZE * SIZE,):
        return SIZE, SIZE
    if len(shape) != 3 or shape[2] != 1:
        raise WeightsError(f"these weights take inputs of shape {shape}, not one gray image")
    return shape[0], shape[1]
