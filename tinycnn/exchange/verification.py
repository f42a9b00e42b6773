"""Does the other program compute the same as the network here? Both are run on real digits.

The other program is compared with the network's exact outputs, computed in float64 by the
expressions of ``reference.py``: the compiled kernels round too, and two roundings add up.
"""

from collections.abc import Callable

import numpy as np
import safetensors.numpy
from scipy import special

from tinycnn.data import load_dataset
from tinycnn.errors import WeightsError
from tinycnn.exchange.pytorch import modules_of
from tinycnn.nn import Sequential, Softmax, reference
from tinycnn.nn.classifier import calibration_of, finite, network_input
from tinycnn.nn.model import BATCH

Forward = Callable[[np.ndarray], np.ndarray]
"""From x (N, *input_shape) to the output of the last layer, both with channels last."""

TOLERANCE = 1e-5
"""How far outputs may be from the exact ones, as a share of the largest where that is above 1."""


def verify(model: Sequential, theirs: Forward, softmax: bool = False) -> str:
    """Compare another program with ``model`` and say how equal they are.

    ``softmax``: it gives probabilities. Raises WeightsError if they do not agree.
    """
    x = examples(model)
    with np.errstate(all="ignore"):
        y, z = batched(model.on(reference).forward, x.astype(np.float64)), batched(theirs, x)
        if softmax and not isinstance(model.layers[-1], Softmax):
            y = special.softmax(y / calibration_of(model).get("temperature", 1.0), axis=1)
        finite(y.astype(np.float32))
    equal = np.equal(*(a.reshape(len(a), -1).argmax(axis=1) for a in (y, z))).sum()
    difference, largest = float(abs(y - z).max()), float(abs(y).max())
    result = (
        f"on {len(x):,} images: {equal:,} labels equal, "
        f"largest difference {difference:.1e} of outputs up to {largest:.1f}"
    )
    if y.shape != z.shape or not difference <= TOLERANCE * max(1.0, largest):  # or it is NaN
        raise WeightsError(f"the other program computes something else {result}")
    return result


def batched(forward: Forward, x: np.ndarray) -> np.ndarray:
    """Return ``forward`` of x, computed batch by batch."""
    return np.concatenate([forward(x[i : i + BATCH]) for i in range(0, len(x), BATCH)])


def examples(model: Sequential) -> np.ndarray:
    """Return inputs to compare on: the bundled test digits, or some noise if they do not fit."""
    try:
        return network_input(model, load_dataset().test_images)
    except WeightsError:
        return np.random.default_rng(0).random((200, *model.input_shape), dtype=np.float32)


def onnxruntime_forward(payload: bytes, model: Sequential) -> Forward:
    """Run the network of an ONNX file, given its bytes."""
    import onnxruntime

    session = onnxruntime.InferenceSession(payload, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return _channels_last(lambda x: session.run(None, {name: x})[0])


def pytorch_forward(payload: bytes, model: Sequential) -> Forward:
    """Run the module of ``model`` with a state_dict, given its file's bytes."""
    import torch

    network = torch.nn.Sequential(*(z.made_by(torch.nn) for z in modules_of(model)))
    state = safetensors.numpy.load(payload)
    network.load_state_dict({name: torch.from_numpy(z) for name, z in state.items()})
    network.eval().requires_grad_(False)
    return _channels_last(lambda x: network(torch.from_numpy(x)).numpy())


def _channels_last(forward: Forward) -> Forward:
    """``forward`` maps (N,C,H,W) to (N,F,OH,OW) or (N,K); make it take and return channels last."""
    return lambda x: np.moveaxis(forward(np.ascontiguousarray(np.moveaxis(x, -1, 1))), 1, -1)


PROGRAMS: dict[str, Callable[[bytes, Sequential], Forward]] = {
    "onnx": onnxruntime_forward,
    "pytorch": pytorch_forward,
}
"""What runs the file of a network, given its bytes; ImportError if it is not installed."""
