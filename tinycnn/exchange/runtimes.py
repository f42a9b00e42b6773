"""Exported networks as functions of x (N, *input_shape), run by the programs they are meant for."""

from pathlib import Path

import numpy as np

from tinycnn.exchange.verification import Forward


def onnxruntime_forward(path: Path) -> Forward:
    """The network of an ONNX file that was exported here."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def forward(x: np.ndarray) -> np.ndarray:
        (y,) = session.run(None, {name: to_first(x)})
        return to_last(y)

    return forward


def to_first(x: np.ndarray) -> np.ndarray:
    """(N,H,W,C) -> (N,C,H,W); (N,D) stays."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def to_last(y: np.ndarray) -> np.ndarray:
    """(N,C,H,W) -> (N,H,W,C); (N,D) stays."""
    return np.moveaxis(y, 1, -1)
