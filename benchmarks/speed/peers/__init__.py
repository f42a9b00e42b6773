"""The contenders. Each module has the same four names and runs in a process of its own.

    configure(threads)      before anything else
    versions()              {"name": "version"}
    TRAINERS                {"variant": make(network, weights, lr, Training()) -> PeerTrainer}
    PREDICTORS              {"variant": make(network, weights, folder) -> Predictor}

The first variant of each is the one that usually wins. A trainer may be asked to rotate, scale,
slant, shift and warp every image within limits, in the fastest way that its framework has.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from benchmarks.speed.workload import Weights

Predictor = Callable[[np.ndarray], np.ndarray]
"""From images (N,28,28) uint8 to probabilities (N,10) float32, all of it counted."""


class PeerTrainer(Protocol):
    """A network in training; ``step`` scales the images, and everything it does is timed."""

    def batch(self, images: np.ndarray, labels: np.ndarray) -> Any:
        """Return uint8 images and labels as what the framework likes best; not timed."""

    def step(self, batch: Any) -> Any:
        """Train on one batch; return the loss before the step, which ``float`` takes."""

    def epoch(self, images: np.ndarray, labels: np.ndarray, rates: Sequence[float]) -> float:
        """Train on images in a new order, augmented, a batch for each rate; return the loss."""

    def augmented(self, images: np.ndarray) -> np.ndarray:
        """Return the images as ``epoch`` changes them, gray levels 0 to 255."""

    def set_learning_rate(self, lr: float) -> None:
        """Use ``lr`` from the next step on."""

    def weights(self) -> Weights:
        """Return copies of the parameters in tinycnn's layout."""

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the likeliest classes (N,); used to evaluate, never timed."""


MODULES = {
    "tinycnn": "benchmarks.speed.peers.tinycnn_peer",
    "torch": "benchmarks.speed.peers.torch_peer",
    "keras": "benchmarks.speed.peers.keras_peer",
    "onnxruntime": "benchmarks.speed.peers.onnx_peer",
}
"""In the order of the tables."""
