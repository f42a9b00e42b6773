"""Exported networks as functions of x (N, *input_shape), run by the programs they are meant for.

Each is given what was written, the network itself first, and raises ImportError where its program
is not installed. What runs here has been written a moment ago by us: never a file of a stranger.
"""

import os
import runpy
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn.exchange.verification import Forward


def onnxruntime_forward(network: Path) -> Forward:
    """The network of an ONNX file."""
    import onnxruntime

    # Its bytes: onnxruntime opens no file whose name is not UTF-8.
    payload = network.read_bytes()
    session = onnxruntime.InferenceSession(payload, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return _channels_first(lambda x: session.run(None, {name: x})[0])


def pytorch_forward(weights: Path, program: Path) -> Forward:
    """The module that the program beside a state_dict makes."""
    import torch

    module = _run(program)

    @torch.inference_mode()
    def forward(x: np.ndarray) -> np.ndarray:
        return module(torch.from_numpy(x)).numpy()

    return _channels_first(forward)


def keras_forward(network: Path, program: Path | None = None) -> Forward:
    """The model in a .keras file, or the one that the program beside .weights.h5 makes."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow greets at length
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import keras

    model = _run(program) if program else keras.models.load_model(network, compile=False)
    return model.predict_on_batch


def _run(program: Path) -> Any:
    """What is called ``network`` when ``program`` has run."""
    return runpy.run_path(str(program))["network"]


def _channels_first(forward: Forward) -> Forward:
    """``forward`` takes (N,C,H,W) and returns (N,F,OH,OW) or (N,K); what it is for (N,H,W,C)."""

    def from_last(x: np.ndarray) -> np.ndarray:
        return np.moveaxis(forward(np.ascontiguousarray(np.moveaxis(x, -1, 1))), 1, -1)

    return from_last
