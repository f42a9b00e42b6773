"""onnxruntime, which predicts only: the file that tinycnn exports, with its best settings."""

import functools
from pathlib import Path

import numpy as np
import onnxruntime as ort

from benchmarks.speed.peers import Predictor
from benchmarks.speed.workload import Network, Weights, onnx_path

_threads = 1


def configure(threads: int) -> None:
    global _threads
    _threads = threads


def versions() -> dict[str, str]:
    return {"onnxruntime": ort.__version__}


def _session(network: Network, weights: Weights, folder: Path, spin: bool) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = _threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    path = onnx_path(folder, network)
    if not path.exists():
        raise ModuleNotFoundError(name="onnx")  # which writes the file
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _plain(network: Network, weights: Weights, folder: Path, spin: bool) -> Predictor:
    session = _session(network, weights, folder, spin)
    return lambda images: session.run(None, {"pixels": images})[0]


def _bound(network: Network, weights: Weights, folder: Path, spin: bool) -> Predictor:
    """Pass addresses instead of arrays, which saves copies."""
    session = _session(network, weights, folder, spin)
    binding = session.io_binding()

    def predict(images: np.ndarray) -> np.ndarray:
        p = np.empty((len(images), 10), np.float32)
        binding.bind_cpu_input("pixels", images)
        binding.bind_output("probabilities", "cpu", 0, np.float32, p.shape, p.ctypes.data)
        session.run_with_iobinding(binding)
        return p

    return predict


TRAINERS: dict = {}

PREDICTORS = {
    "spinning, bound": functools.partial(_bound, spin=True),
    "spinning": functools.partial(_plain, spin=True),
    "sleeping, bound": functools.partial(_bound, spin=False),
    "sleeping": functools.partial(_plain, spin=False),
}
