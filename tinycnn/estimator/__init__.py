"""A classifier for scikit-learn's pipelines, searches and cross-validation: ``DigitClassifier``.

It trains as ``python -m tinycnn.train`` does: the same images in the same order with the same seed
give the same weights.
"""

import contextlib
import copy
import math
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tinycnn.console import log_console
from tinycnn.data import Dataset
from tinycnn.errors import RunError
from tinycnn.estimator import samples
from tinycnn.nn import Sequential, SoftmaxCrossEntropy, build, get_threads, set_threads
from tinycnn.nn.checks import GRAY
from tinycnn.nn.fit import train_step
from tinycnn.train.batches import Batches
from tinycnn.train.callbacks import Callback
from tinycnn.train.progress import Progress
from tinycnn.train.recipe import OPTIONS, Recipe
from tinycnn.train.trainer import Trainer, new_optimizer

try:
    from joblib import effective_n_jobs
    from sklearn.base import ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.class_weight import compute_sample_weight
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

    from tinycnn.estimator.parameters import Parameters
except ImportError as missing:
    raise ImportError(
        "DigitClassifier needs scikit-learn 1.6 or newer: pip install 'tinycnn[compare]'"
    ) from missing

SMALLEST = 16  # pixels: the height and width that ``lenet`` takes at least
UNLIKE = 10  # values this many times larger or smaller than in ``fit`` are of another scale
WHITE = 255  # the largest gray level; augmentation takes images between 0 and it


class DigitClassifier(ClassifierMixin, Parameters):
    """A convolutional network as a scikit-learn classifier.

    X is (n, features), or images (n, H, W), (n, H, W, 1) or (n, 1, H, W), or a column of images, as
    in a DataFrame. y holds labels of any kind, two classes or more.

    >>> from tinycnn import DigitClassifier
    >>> classifier = DigitClassifier(epochs=3, random_state=0).fit(images, digits)
    >>> classifier.predict(new_images)

    ``fit`` sets ``classes_``, ``n_features_in_``, ``image_shape_``, ``range_`` and ``rms_`` (of the
    values in X), ``scale_``, ``recipe_`` (all settings, resolved), ``history_`` (a record per
    epoch), ``n_iter_`` (epochs), and ``model_``, the ``Sequential`` of the epoch with the best
    accuracy on the validation samples.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "DigitClassifier":
        """Train on X with labels y (n,), in which a weight w counts as w equal samples."""
        before = getattr(self, "model_", None) if self.warm_start else None
        X, shape = samples.as_rows(X)
        X, y = validate_data(self, X, y, ensure_min_samples=2)
        X, y, self.classes_ = self._repeated(X, y, sample_weight)
        self._set_up(X, shape)
        labels = np.searchsorted(self.classes_, y)
        with _value_errors():
            trainer = Trainer(self.recipe_, self._dataset(X, labels), None, self._network(before))
        callback = Progress(log_console()) if self.verbose else Callback()
        with _threads(self.n_jobs):
            trainer.train(lambda: self._is_enough(trainer), lambda: callback.epoch(trainer))
        self.model_, self.history_ = trainer.best, trainer.state.history
        self.model_.any_floats = True  # _warn_of_another_scale checks the values
        self.n_iter_ = len(self.history_)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> "DigitClassifier":
        """Take one pass over X at the rate ``lr``; the first must name all ``classes``."""
        first, (X, shape) = not hasattr(self, "model_"), samples.as_rows(X)
        X, y = validate_data(self, X, y, reset=first)
        X, y, present = self._repeated(X, y, sample_weight)
        if first:
            self.classes_ = present if classes is None else np.unique(classes)
            self._set_up(X, shape)
            self.model_, self.n_iter_, self.history_ = self._network(None), 0, []
            self.model_.any_floats = True
        for unknown in np.setdiff1d(y, self.classes_).tolist():
            raise ValueError(f"y holds {unknown!r}, which is not among the classes of the start")
        if first or not hasattr(self, "_optimizer"):
            self._optimizer = new_optimizer(self.recipe_, self.model_)
        images, labels = self._gray_levels(X) * GRAY, np.searchsorted(self.classes_, y)
        size, loss = min(self.recipe_.batch_size, len(X)), SoftmaxCrossEntropy()
        with _threads(self.n_jobs):
            seed = self.recipe_.seed + self.n_iter_
            for batch in Batches(images, labels, size, seed).of_epoch(1):
                train_step(self.model_, loss, self._optimizer, *batch)
        self.n_iter_ += 1
        return self

    def _is_enough(self, trainer: Trainer) -> bool:
        reached = [record.validation_accuracy for record in trainer.state.history]
        since = len(reached) - 1 - reached.index(max(reached)) if reached else 0
        return self.early_stopping and since >= self.n_iter_no_change

    def _repeated(self, X: np.ndarray, y: np.ndarray, weights: Any) -> tuple[np.ndarray, ...]:
        """Return X and y with every sample as often as its weight says, and y's classes."""
        check_classification_targets(y)
        if weights is None and self.class_weight is None:
            return X, y, np.unique(y)
        weights = _check_sample_weight(weights, X, dtype=np.float64)
        if self.class_weight is not None:
            weights = weights * compute_sample_weight(self.class_weight, y)
        copies = samples.copies(weights, self._seed())
        return X.repeat(copies, axis=0), y.repeat(copies), np.unique(y[weights > 0])

    def _set_up(self, X: np.ndarray, shape: tuple[int, int] | None) -> None:
        """Set what the samples of the first fit say: image, scale and recipe."""
        if len(self.classes_) < 2:
            raise ValueError("y holds one class only; a classifier needs two or more")
        self.image_shape_ = self._image_shape(shape)
        self.range_ = float(X.min()), float(X.max())
        self.rms_ = float(np.linalg.norm(X) / math.sqrt(X.size))
        self.scale_ = self._scale()
        with _value_errors():
            self.recipe_ = self._recipe(X)

    def _network(self, before: Sequential | None) -> Sequential:
        """Return a copy of the network ``before`` if there is one, or a new one."""
        shape, classes = (*self.image_shape_, 1), len(self.classes_)
        if before is not None:
            model = copy.deepcopy(before)
        elif self.layers:
            model = Sequential(copy.deepcopy(list(self.layers)), shape, self.recipe_.seed)
        else:
            model = build(self.recipe_.preset, shape, classes, self.recipe_.seed)
        if (model.input_shape, model.output_shape) != (shape, (classes,)):
            made = f"{model.input_shape} into {model.output_shape}"
            raise ValueError(f"the network turns {made}, but here are {shape}, {classes} classes")
        return model

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class (n,) of each sample."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return probabilities (n, classes), float32, in the order of ``classes_``."""
        check_is_fitted(self)
        X = validate_data(self, samples.as_rows(X)[0], reset=False)
        self._warn_of_another_scale(X)
        with _threads(self.n_jobs):
            return self.model_.predict_proba(self._gray_levels(X) * GRAY)

    def _warn_of_another_scale(self, X: np.ndarray) -> None:
        """Warn of images with a much larger or smaller root mean square, or of another sign."""
        size, (low, high) = np.linalg.norm(X) / math.sqrt(X.size), self.range_
        alike = self.rms_ / UNLIKE < size < self.rms_ * UNLIKE and (X.min() < 0) == (low < 0)
        if size and not alike and min(self.image_shape_) >= SMALLEST // 2:
            text = f"X holds values from {X.min():.3g} to {X.max():.3g}, but it was fitted on"
            text += f" {low:.3g} to {high:.3g}: give it on the same scale"
            warnings.warn(text, stacklevel=3)

    def _image_shape(self, shape: tuple[int, int] | None) -> tuple[int, int]:
        """Return the parameter ``image_shape``, or the shape of images in X, or one that fits."""
        features = self.n_features_in_
        side = math.isqrt(features)
        wanted = self.image_shape or shape or ((side,) * 2 if side**2 == features else None)
        height, width = map(int, wanted or (1, features))
        if height * width != features or (shape and shape != (height, width)):
            text = f"image_shape {height} x {width} does not fit X"
            raise ValueError(f"{text}, which has {features} features")
        return height, width

    def _scale(self) -> float:
        if self.scale == "max":
            least, most = self.range_
            largest = min(max(-least, most), 2 * self.rms_) if least < 0 else most
            return largest or 1.0  # all blank: any scale will do
        if isinstance(self.scale, str) or not 0 < self.scale < math.inf:
            raise ValueError(f'scale must be a number above 0 or "max", not {self.scale!r}')
        return float(self.scale)

    def _recipe(self, X: np.ndarray) -> Recipe:
        """Return all settings for X (n, features); raise RunError for bad ones."""
        is_image = min(self.image_shape_) >= SMALLEST
        chosen = {name: _plain(getattr(self, name, None)) for name in OPTIONS}
        given = {name: value for name, value in chosen.items() if value is not None}
        given.setdefault("preset", "lenet" if is_image else "dense")
        least, most = self.range_
        if not (is_image and least >= 0 and most <= self.scale_):
            given.setdefault("augment", "none")
        if is_image and least < 0:
            text = "X holds negative values, so its images are not augmented and are read worse"
            warnings.warn(f"{text}: leave out StandardScaler", stacklevel=3)
        recipe = Recipe.for_data(len(X), seed=self._seed(), **given)
        held_out = min(max(1, round(recipe.validation * len(X))), len(X) - 1)
        return replace(recipe, validation=held_out / len(X))

    def _seed(self) -> int:
        state = _plain(self.random_state)
        return state if isinstance(state, int) else check_random_state(state).randint(2**31)

    def _dataset(self, X: np.ndarray, labels: np.ndarray) -> Dataset:
        """Return X and labels as a data set without test images."""
        augment, seed = self.recipe_.augment, self.recipe_.seed
        levels = self._gray_levels(X)
        if augment == "none":
            images = levels * GRAY
        elif levels.min() < 0 or levels.max() > WHITE:
            raise ValueError(
                f"augment={augment!r} is for values from 0 to scale, {self.scale_:g}; "
                'for others say augment="none"'
            )
        else:
            images = np.rint(levels).astype(np.uint8)
        labels = labels.astype(np.uint8 if len(self.classes_) <= WHITE + 1 else np.uint16)
        if self.shuffle:
            order = samples.by_content(images, labels)
            order = order[samples.stratified(labels[order], np.random.default_rng(seed))]
            images, labels = images[order], labels[order]
        return Dataset("X", images, labels, images[:0], labels[:0], (*map(str, self.classes_),))

    def _gray_levels(self, X: np.ndarray) -> np.ndarray:
        """Return X as images (n, H, W) float32, in which ``WHITE`` is full ink."""
        levels: np.ndarray = np.multiply(X, WHITE / self.scale_, dtype=np.float32)
        return levels.reshape(len(X), *self.image_shape_)


def _plain(value: Any) -> Any:
    """Return a number of NumPy, as searches draw them, as a number of Python."""
    return value.item() if isinstance(value, np.generic) else value


@contextlib.contextmanager
def _value_errors() -> Iterator[None]:
    """scikit-learn expects a ValueError for a bad parameter."""
    try:
        yield
    except RunError as error:
        raise ValueError(str(error)) from error


@contextlib.contextmanager
def _threads(n_jobs: int | None) -> Iterator[None]:
    before = get_threads()
    try:
        if n_jobs is not None:
            set_threads(None)
            set_threads(min(get_threads(), effective_n_jobs(n_jobs)))
        yield
    finally:
        set_threads(before)
