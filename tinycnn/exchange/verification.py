"""Does the other program compute the same as the network here? Both are run on real digits.

The other program is compared with the network's exact outputs, computed in float64 by the
expressions of ``reference.py``: the compiled kernels round too, and two roundings add up.
"""

import os
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from tinycnn.data import load_dataset
from tinycnn.errors import WeightsError
from tinycnn.nn import Sequential, Softmax, reference
from tinycnn.nn.classifier import calibration_of, finite, network_input
from tinycnn.nn.model import BATCH

Forward = Callable[[np.ndarray], np.ndarray]
"""From x (N, *input_shape) to the output of the last layer, both with channels last."""

TOLERANCE = 1e-5
"""How far outputs may be from the exact ones, as a share of the largest where that is above 1.

A float32 has seven digits, and a small output may be the difference of large numbers.
"""

SAMPLES = 200
"""The number of random images for a network that does not take digits."""


@dataclass(frozen=True)
class Verification:
    """The result: ``labels_equal`` of ``images`` have the same largest output in ``by``."""

    by: str
    images: int
    labels_equal: int
    largest_difference: float
    largest_output: float

    def __str__(self) -> str:
        return (
            f"{self.by} on {self.images:,} images: {self.labels_equal:,} labels equal, largest "
            f"difference {self.largest_difference:.1e} of outputs up to {self.largest_output:.1f}"
        )


def verify(exact: Forward, theirs: Forward, x: np.ndarray, by: str) -> Verification:
    """Compare two programs on x (N, *input_shape); WeightsError if they do not agree."""
    with np.errstate(all="ignore"):
        y, z = (outputs(forward, x) for forward in (exact, theirs))
        finite(y.astype(np.float32))
    labels = (a.reshape(len(a), -1).argmax(axis=1) for a in (y, z))
    difference, largest = float(abs(y - z).max()), float(abs(y).max())
    result = Verification(by, len(x), int(np.equal(*labels).sum()), difference, largest)
    if y.shape != z.shape or not difference <= TOLERANCE * max(1.0, largest):  # or it is NaN
        raise WeightsError(f"the other program computes something else: {result}")
    return result


def outputs(forward: Forward, x: np.ndarray) -> np.ndarray:
    """Return ``forward`` of x, computed batch by batch."""
    return np.concatenate([forward(x[i : i + BATCH]) for i in range(0, len(x), BATCH)])


def examples(model: Sequential) -> np.ndarray:
    """Return inputs to compare on: the bundled test digits, or noise if they do not fit."""
    try:
        return network_input(model, load_dataset().test_images)
    except WeightsError:
        rng = np.random.default_rng(0)
        return rng.random((SAMPLES, *model.input_shape), dtype=np.float32)


# --------------------------------------------------------------------------------- the programs
#
# Each takes the files that were exported, the network first, and raises ImportError if its program
# is not installed. They run code, so they are given only what this process has just written.


def exact_forward(model: Sequential, softmax: bool = False) -> Forward:
    """Compute ``model`` in float64; ``softmax``: to probabilities at the measured temperature."""
    temperature = calibration_of(model).get("temperature", 1.0)
    exact = model.on(reference)

    def forward(x: np.ndarray) -> np.ndarray:
        y = exact.forward(x.astype(np.float64))
        logits_wanted = not softmax or isinstance(model.layers[-1], Softmax)
        return y if logits_wanted else special.softmax(y / temperature, axis=1)

    return forward


def onnxruntime_forward(network: Path) -> Forward:
    """Run the network of an ONNX file."""
    import onnxruntime

    # Its bytes: onnxruntime opens no file whose name is not UTF-8.
    payload = network.read_bytes()
    session = onnxruntime.InferenceSession(payload, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return _channels_last(lambda x: session.run(None, {name: x})[0])


def pytorch_forward(weights: Path, code: Path) -> Forward:
    """Run the module that the code beside a state_dict builds."""
    import torch

    module = runpy.run_path(str(code))["network"]

    def forward(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(module(torch.from_numpy(x)))

    return _channels_last(forward)


def keras_forward(network: Path, code: Path | None = None) -> Forward:
    """Run the model in a .keras file, or the one that the code beside .weights.h5 builds."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow prints a lot at its start
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import keras

    if code:
        model = runpy.run_path(str(code))["network"]
    else:
        model = keras.models.load_model(network, compile=False)
    return lambda x: np.asarray(model.predict_on_batch(x))


def _channels_last(forward: Forward) -> Forward:
    """``forward`` maps (N,C,H,W) to (N,F,OH,OW) or (N,K); make it take and return channels last."""

    def wrapped(x: np.ndarray) -> np.ndarray:
        return np.moveaxis(forward(np.ascontiguousarray(np.moveaxis(x, -1, 1))), 1, -1)

    return wrapped


PROGRAMS: dict[str, Callable[..., Forward]] = {
    "onnx": onnxruntime_forward,
    "pytorch": pytorch_forward,
    "keras": keras_forward,
}
"""What runs a format, a key of ``FORMATS``."""
