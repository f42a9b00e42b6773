"""Keras on TensorFlow: its own ``train_on_batch`` and a hand-written ``tf.function``."""

import functools
import os
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import tensorflow as tf

from benchmarks.speed.peers import Predictor
from benchmarks.speed.workload import INPUT_SHAPE, MOMENTUM, Network, Weights


def configure(threads: int) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def versions() -> dict[str, str]:
    return {"Keras": keras.__version__, "TensorFlow": tf.__version__}


def _build(network: Network, weights: Weights, *last: keras.Layer) -> keras.Sequential:
    layers = [_layer(kind, sizes) for kind, *sizes in network]
    model = keras.Sequential(
        [
            keras.Input(INPUT_SHAPE[:2], dtype="uint8"),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Reshape(INPUT_SHAPE),
            *layers,
            *last,
        ]
    )
    for index, layer in enumerate(layers):
        if f"{index}.w" in weights:
            w = weights[f"{index}.w"]
            turned = w.transpose(1, 2, 3, 0) if w.ndim == 4 else w
            layer.set_weights([turned, weights[f"{index}.b"]])
    return model


def _layer(kind: str, sizes: list[int]) -> keras.Layer:
    makers = {
        "conv": keras.layers.Conv2D,
        "relu": keras.layers.ReLU,
        "pool": keras.layers.MaxPooling2D,
        "flatten": keras.layers.Flatten,
        "dense": keras.layers.Dense,
    }
    return makers[kind](*sizes)


class KerasTrainer:
    """Keras' training steps; ``step`` is chosen by the variant."""

    def __init__(
        self, network: Network, weights: Weights, lr: float, own_step: bool, xla: bool
    ) -> None:
        self.model = _build(network, weights)
        self.layers = self.model.layers[-len(network) :]
        self.optimizer = keras.optimizers.SGD(lr, momentum=MOMENTUM)
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile(self.optimizer, self.loss, jit_compile=xla)
        if own_step:
            self.optimizer.build(self.model.trainable_variables)
            self.step = tf.function(self._step, jit_compile=xla)
        else:
            self.step = self._train_on_batch
        self._classes = tf.function(lambda x: tf.argmax(self.model(x, training=False), axis=1))

    def _train_on_batch(self, batch: tuple) -> float:
        return self.model.train_on_batch(*batch)

    def _step(self, batch: tuple) -> tf.Tensor:
        images, labels = batch
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self.loss(labels, self.model(images, training=True))
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    def batch(self, images: np.ndarray, labels: np.ndarray) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.constant(images), tf.constant(labels)

    def set_learning_rate(self, lr: float) -> None:
        self.optimizer.learning_rate = lr

    def weights(self) -> Weights:
        found = {}
        for index, layer in enumerate(self.layers):
            if layer.get_weights():
                w, b = layer.get_weights()
                found[f"{index}.w"] = w.transpose(3, 0, 1, 2) if w.ndim == 4 else w
                found[f"{index}.b"] = b
        return found

    def predict(self, images: np.ndarray) -> np.ndarray:
        return self._classes(tf.constant(images)).numpy()


def _graph(network: Network, weights: Weights, folder: Path, xla: bool) -> Predictor:
    model = _build(network, weights, keras.layers.Softmax())
    call = tf.function(lambda x: model(x, training=False), jit_compile=xla)
    return lambda images: call(tf.constant(images)).numpy()


def _predict_on_batch(network: Network, weights: Weights, folder: Path) -> Predictor:
    return _build(network, weights, keras.layers.Softmax()).predict_on_batch


TRAINERS = {
    "tf.function": functools.partial(KerasTrainer, own_step=True, xla=False),
    "train_on_batch": functools.partial(KerasTrainer, own_step=False, xla=False),
    "tf.function, XLA": functools.partial(KerasTrainer, own_step=True, xla=True),
    "train_on_batch, XLA": functools.partial(KerasTrainer, own_step=False, xla=True),
}

PREDICTORS = {
    "tf.function": functools.partial(_graph, xla=False),
    "tf.function, XLA": functools.partial(_graph, xla=True),
    "predict_on_batch": _predict_on_batch,
}
