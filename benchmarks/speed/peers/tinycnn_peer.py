"""tinycnn as its users have it: the public names of ``tinycnn.nn``, and the loop of ``train``."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

import tinycnn
from benchmarks.speed.peers import Predictor
from benchmarks.speed.workload import INPUT_SHAPE, MOMENTUM, PLAIN, Network, Training, Weights
from tinycnn import nn
from tinycnn.augment.policies import Augmentation, identity
from tinycnn.nn.fit import train_step
from tinycnn.train.batches import Batches

LAYERS = {
    "conv": nn.Conv2D,
    "relu": nn.ReLU,
    "pool": nn.MaxPool2D,
    "norm": nn.BatchNorm,
    "flatten": nn.Flatten,
    "dense": nn.Dense,
}


def network_of(layers: Sequence[nn.Layer]) -> Network:
    """Return layers as every contender gets them; Dropout is left out: its draws would differ."""
    kinds = {kind: name for name, kind in LAYERS.items()}
    kept = [layer for layer in layers if not isinstance(layer, nn.Dropout)]
    return [(kinds[type(layer)], *layer.config().values()) for layer in kept]


def configure(threads: int) -> None:
    nn.set_threads(threads)


def versions() -> dict[str, str]:
    return {"tinycnn": tinycnn.__version__}


def build(network: Network, fused: bool = True, seed: int = 0) -> nn.Sequential:
    """Return the network with tinycnn's own first weights, and small biases.

    Biases of exactly 0 would put whole windows of background on the kink of ReLU, where every
    number between two is a gradient, and the contenders would rightly differ.
    """
    layers = [LAYERS[kind](*sizes) for kind, *sizes in network]
    model = nn.Sequential(layers, INPUT_SHAPE, seed=seed, fused=fused)
    rng = np.random.default_rng([seed, 1])
    for layer in model:
        if "b" in layer.params:
            layer.params["b"][...] = 0.01 * rng.standard_normal(layer.params["b"].shape)
    return model


def get_weights(model: nn.Sequential) -> Weights:
    return {
        f"{index}.{key}": z.copy()
        for index, layer in enumerate(model)
        for key, z in layer.params.items()
    }


def build_with(network: Network, weights: Weights, fused: bool = True) -> nn.Sequential:
    model = build(network, fused)
    for index, layer in enumerate(model):
        for key, z in layer.params.items():
            z[...] = weights[f"{index}.{key}"]
    return model


class TinyTrainer:
    """The training step that the README shows."""

    def __init__(
        self,
        network: Network,
        weights: Weights,
        lr: float,
        training: Training = PLAIN,
        fused: bool = True,
    ) -> None:
        self.augment = Augmentation(**training.limits) if training.limits else identity
        self.rng = np.random.default_rng(training.seed)
        self.model = build_with(network, weights, fused)
        self.loss = nn.SoftmaxCrossEntropy()
        self.optimizer = nn.SGD(self.model, lr, MOMENTUM, training.decay)

    def batch(self, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return images, labels

    def step(self, batch: tuple[np.ndarray, np.ndarray]) -> float:
        images, labels = batch
        logits = self.model.forward(self.model.prepare(images), training=True)
        loss = self.loss.forward(logits, labels)
        self.model.backward(self.loss.backward())
        self.optimizer.step()
        return loss

    def set_learning_rate(self, lr: float) -> None:
        self.optimizer.lr = lr

    def augmented(self, images: np.ndarray) -> np.ndarray:
        return self.augment(images, images, self.rng)[0]

    def epoch(self, images: np.ndarray, labels: np.ndarray, rates: Sequence[float]) -> float:
        """Train as ``python -m tinycnn.train`` does: its batches, its step."""
        size, losses = len(images) // len(rates), []
        batches = Batches(images, labels, size, int(self.rng.integers(2**32)))
        batches.augment = self.augment
        for rate, part in zip(rates, batches.of_epoch(1), strict=False):
            self.set_learning_rate(rate)
            losses.append(train_step(self.model, self.loss, self.optimizer, *part))
        return float(np.mean(losses))

    def weights(self) -> Weights:
        return get_weights(self.model)

    def predict(self, images: np.ndarray) -> np.ndarray:
        return self.model.predict(images)


def _predictor(network: Network, weights: Weights, folder: Path, fused: bool) -> Predictor:
    return build_with(network, weights, fused).predict_proba


TRAINERS = {
    "fused": TinyTrainer,
    "layer by layer": partial(TinyTrainer, fused=False),
}

PREDICTORS = {
    "predict": partial(_predictor, fused=True),
    "layer by layer": partial(_predictor, fused=False),
}
