"""onnxruntime, which predicts only: the model of ``onnx_model.py`` with its best settings."""

import functools
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort

from benchmarks.peers import Predictor
from benchmarks.recipe import NETWORKS, Network, Weights, save_weights

_threads = 1


def configure(threads: int) -> None:
    global _threads
    _threads = threads


def versions() -> dict[str, str]:
    return {"onnxruntime": ort.__version__}


def _model_file(network: Network, weights: Weights, folder: Path) -> Path:
    """Return the .onnx file, written by another process: running a model needs no ``onnx``."""
    name = next(name for name, layers in NETWORKS.items() if layers == network)
    path = folder / f"{name}.onnx"
    if not path.exists():
        save_weights(folder / f"{name}-for-onnx.npz", weights)
        command = [sys.executable, "-m", "benchmarks.peers.onnx_model", name, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return path


def _session(network: Network, weights: Weights, folder: Path, spin: bool) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = _threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    path = _model_file(network, weights, folder)
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _plain(network: Network, weights: Weights, folder: Path, spin: bool) -> Predictor:
    session = _session(network, weights, folder, spin)
    return lambda images: session.run(None, {"images": images})[0]


def _bound(network: Network, weights: Weights, folder: Path, spin: bool) -> Predictor:
    """Hand over addresses instead of arrays, which saves copies."""
    session = _session(network, weights, folder, spin)
    binding = session.io_binding()

    def predict(images: np.ndarray) -> np.ndarray:
        p = np.empty((len(images), 10), np.float32)
        binding.bind_cpu_input("images", images)
        binding.bind_output("p", "cpu", 0, np.float32, p.shape, p.ctypes.data)
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
