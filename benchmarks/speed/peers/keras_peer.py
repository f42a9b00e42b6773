"""Keras on TensorFlow: its own ``train_on_batch`` and a hand-written ``tf.function``."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import tensorflow as tf

from benchmarks.speed.peers import Predictor
from benchmarks.speed.workload import INPUT_SHAPE, MOMENTUM, PLAIN, Network, Training, Weights


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
            state = layer.get_weights()[2:]  # a norm's averages
            layer.set_weights([turned, weights[f"{index}.b"], *state])
    return model


def _layer(kind: str, sizes: list[int]) -> keras.Layer:
    if kind == "norm":
        return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
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
        self,
        network: Network,
        weights: Weights,
        lr: float,
        training: Training = PLAIN,
        own_step: bool = True,
        xla: bool = False,
    ) -> None:
        keras.utils.set_random_seed(training.seed)
        self.distorted = tf.function(partial(_distorted, limits=training.limits))
        self.model = _build(network, weights)
        self.layers = self.model.layers[-len(network) :]
        # Keras decays weights at once; elsewhere decay goes through the momentum, and adds up.
        decay = training.decay / (1 - MOMENTUM) or None
        self.optimizer = keras.optimizers.SGD(lr, momentum=MOMENTUM, weight_decay=decay)
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

    def augmented(self, images: np.ndarray) -> np.ndarray:
        return self.distorted(tf.constant(images)).numpy().astype(float)

    def epoch(self, images: np.ndarray, labels: np.ndarray, rates: Sequence[float]) -> float:
        """Shuffle, distort and batch beside the training, as tf.data offers it."""
        data = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images))
        data, losses = data.batch(len(images) // len(rates), drop_remainder=True), []
        data = data.map(lambda x, y: (self.distorted(x), y), num_parallel_calls=tf.data.AUTOTUNE)
        for rate, part in zip(rates, data.prefetch(2), strict=False):
            self.set_learning_rate(rate)
            losses.append(float(self.step(part)))
        return float(np.mean(losses))

    def set_learning_rate(self, lr: float) -> None:
        self.optimizer.learning_rate = lr

    def weights(self) -> Weights:
        found = {}
        for index, layer in enumerate(self.layers):
            if layer.get_weights():
                w, b, *_ = layer.get_weights()
                found[f"{index}.w"] = w.transpose(3, 0, 1, 2) if w.ndim == 4 else w
                found[f"{index}.b"] = b
        return found

    def predict(self, images: np.ndarray) -> np.ndarray:
        return self._classes(tf.constant(images)).numpy()


def _maps(N: int, limits: Mapping[str, float]) -> tuple[tf.Tensor, tf.Tensor]:
    """Draw affine maps (N,2,3) of (y, x, 1), in pixels from the center, and which images move."""

    def within(most: float, *shape: int) -> tf.Tensor:
        return tf.random.uniform((N, *shape), -most, most)

    angle, slant = (within(np.radians(limits[z])) for z in ("rotation", "slant"))
    scale = (1 + within(limits["scale"], 1)) * (1 + within(limits["stretch"], 2))
    cos, sin = tf.cos(angle), tf.sin(angle)
    turn = tf.reshape(tf.stack([cos, -sin, sin, cos], 1), (N, 2, 2))
    lean = tf.stack([tf.ones_like(slant), 0 * slant, tf.tan(slant), tf.ones_like(slant)], 1)
    affine = turn @ tf.reshape(lean, (N, 2, 2)) * scale[:, None]
    moved = tf.cast(tf.random.uniform((N, 1, 1)) >= 0.2, tf.float32)  # as many as tinycnn moves
    affine = tf.concat([affine, within(limits["shift"], 2, 1)], 2)
    return tf.eye(2, 3, [N]) + moved * (affine - tf.eye(2, 3, [N])), moved


def _distorted(images: tf.Tensor, limits: Mapping[str, float] | None) -> tf.Tensor:
    """Distort images by one grid of places, which are gathered and interpolated."""
    if not limits:
        return images
    N, size = images.shape[0], images.shape[1]
    affine, moved = _maps(N, limits)
    # tinycnn's splines halve the moves of their nodes, which are 7 pixels apart.
    nodes = tf.random.normal((N, 5, 5, 2)) * limits["elastic"] / 2 * moved[..., None]
    field = tf.reshape(tf.image.resize(nodes, (size, size), "bicubic"), (N, -1, 2))
    middle, axis = (size - 1) / 2, tf.range(size, dtype=tf.float32) - (size - 1) / 2
    rows, columns = tf.meshgrid(axis, axis, indexing="ij")
    grid = tf.reshape(tf.stack([rows, columns, tf.ones_like(rows)], 2), (-1, 3))
    places = tf.einsum("pk,nak->npa", grid, affine) + field + middle + 1  # a border of 1 is added
    places = tf.clip_by_value(places, 0.0, float(size))
    corner = tf.floor(places)
    part, corner = places - corner, tf.cast(corner, tf.int32)
    pixels = tf.reshape(tf.pad(images, ((0, 0), (1, 1), (1, 1))), (N, -1))
    total = 0.0
    for u, v in ((0, 0), (0, 1), (1, 0), (1, 1)):
        index = (corner[..., 0] + u) * (size + 2) + corner[..., 1] + v
        weight = abs(1 - u - part[..., 0]) * abs(1 - v - part[..., 1])
        total += weight * tf.cast(tf.gather(pixels, index, batch_dims=1), tf.float32)
    return tf.reshape(total, (N, size, size))


def _graph(network: Network, weights: Weights, folder: Path, xla: bool) -> Predictor:
    model = _build(network, weights, keras.layers.Softmax())
    call = tf.function(lambda x: model(x, training=False), jit_compile=xla)
    return lambda images: call(tf.constant(images)).numpy()


def _predict_on_batch(network: Network, weights: Weights, folder: Path) -> Predictor:
    return _build(network, weights, keras.layers.Softmax()).predict_on_batch


TRAINERS = {
    "tf.function": partial(KerasTrainer, own_step=True, xla=False),
    "train_on_batch": partial(KerasTrainer, own_step=False, xla=False),
    "tf.function, XLA": partial(KerasTrainer, own_step=True, xla=True),
    "train_on_batch, XLA": partial(KerasTrainer, own_step=False, xla=True),
}

PREDICTORS = {
    "tf.function": partial(_graph, xla=False),
    "tf.function, XLA": partial(_graph, xla=True),
    "predict_on_batch": _predict_on_batch,
}
