"""A classifier for scikit-learn's pipelines, searches and cross-validation: ``DigitClassifier``.

Trainer and recipes are those of ``python -m tinycnn.train``: the same images, in the same order and
with the same seed, end in the same weights. Rows and labels of any kind come in, and answers in
the same terms go out.
"""

import contextlib
import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.console import Console

from tinycnn.data import Dataset
from tinycnn.errors import RunError
from tinycnn.nn import get_threads, set_threads
from tinycnn.nn.model import GRAY
from tinycnn.train.progress import Lines, Watch
from tinycnn.train.recipe import Recipe, resolve
from tinycnn.train.trainer import Trainer

try:
    from joblib import effective_n_jobs
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as missing:
    raise ImportError(
        "DigitClassifier needs scikit-learn 1.6 or newer: pip install 'tinycnn[compare]'"
    ) from missing

SMALLEST = 16
"""Pixels a side that ``lenet`` needs."""

UNLIKE = 10
"""Images this many times as large as those that were learned, or as small, are of another scale."""

WHITE = 255
"""The largest gray level; between it and 0 images are bent."""

CHOSEN = (
    *("epochs", "batch_size", "lr", "optimizer", "schedule", "momentum"),
    *("weight_decay", "average", "augment"),
)
"""Parameters that go into the recipe as they are; None: what suits the data and the network."""


@dataclass(kw_only=True, eq=False, repr=False)  # an __init__ that does nothing but assign
class DigitClassifier(ClassifierMixin, BaseEstimator):
    """A convolutional network as a scikit-learn classifier.

    X is (n, features), or images (n, H, W) or (n, H, W, 1); both may be mixed freely, for images
    are written in rows first. y holds labels of any kind, two classes or more.

    >>> from tinycnn import DigitClassifier
    >>> classifier = DigitClassifier(epochs=3, random_state=0).fit(images, digits)
    >>> classifier.predict(new_images)

    What ``fit`` finds: ``classes_``, ``n_features_in_``, ``image_shape_``, ``range_`` (least and
    largest value in X) and ``rms_`` (root of their mean square), ``scale_``, ``recipe_`` (all
    settings, resolved), ``history_`` (a record an epoch), ``n_iter_`` (epochs), and ``model_``,
    the ``Sequential`` of the epoch that was best on the images kept for validation.
    """

    image_shape: tuple[int, int] | None = None
    """(H, W) of a row; None: square if the number of features is, otherwise 1 x features."""

    scale: float | str = "max"
    """The value in X that means full ink, 255 or 1 as a rule; "max": the largest, sign left out,
    that ``fit`` sees, but where some are negative not more than twice ``rms_``: the largest of
    standardized values is an outlier. X is divided by it, in ``fit`` and in ``predict``, which
    warns of an X that cannot be of the same scale."""

    preset: str | None = None
    """The network; None: "lenet" for images of 16 x 16 and more, "dense" for smaller ones."""

    epochs: int | None = None
    """Times through all samples."""

    batch_size: int | None = None
    """Samples a step."""

    lr: float | None = None
    """The highest learning rate."""

    optimizer: str | None = None
    """"sgd" or "adam"."""

    schedule: str | None = None
    """"one-cycle", "cosine" or "constant"."""

    momentum: float | None = None
    """Of sgd."""

    weight_decay: float | None = None
    """What the weights lose in a step, times the learning rate."""

    average: float | None = None
    """What the running average of the weights keeps of itself in a step; 0: there is none."""

    augment: str | None = None
    """How images are bent for training: "none", "light", "mild", "strong", "drawings"; they are
    rounded to 256 gray levels for it. None: as the preset's recipe says for images of 16 x 16
    and more between 0 and ``scale``, otherwise "none"."""

    validation: float = 0.1
    """The share of samples that is kept apart to choose the best epoch by; at least one is."""

    shuffle: bool = True
    """Whether those are drawn, about as many of each class as there are; False: the last ones, in
    the order given, as ``python -m tinycnn.train`` does (writers follow each other in MNIST)."""

    random_state: Any = None
    """An int is the seed of the recipe; otherwise one is drawn, as scikit-learn does."""

    n_jobs: int | None = None
    """Threads while fitting and predicting, -1 for all; None: as ``tinycnn.set_threads`` said,
    all otherwise, and within a worker of joblib what that leaves each. Weights do not depend on
    it."""

    verbose: bool = False
    """Whether a line an epoch goes to stderr."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any) -> "DigitClassifier":
        """Train a new network on X with labels y (n,); ValueError for what cannot be learned."""
        shape = _shape_of_images(X)
        X, y = validate_data(self, _in_rows(X), y, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y holds one class only, and there is nothing to tell it from")
        self.image_shape_ = self._image_shape(shape)
        self.range_ = float(X.min()), float(X.max())
        self.rms_ = float(np.linalg.norm(X) / math.sqrt(X.size))
        self.scale_ = self._scale()
        with _said_of_parameters(ValueError):
            self.recipe_ = self._recipe(X)
            trainer = Trainer(self.recipe_, self._dataset(X, labels))
        watch = Lines(Console(stderr=True)) if self.verbose else Watch()
        with _said_of_parameters(RunError), _threads(self.n_jobs):
            trainer.train(lambda: False, lambda: watch.epoch(trainer))
        self.model_, self.history_ = trainer.best, trainer.state.history
        self.model_.any_floats = True  # what they may be is looked at here
        self.n_iter_ = self.recipe_.epochs
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class (n,) of each sample."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities (n, classes), float32, in the order of ``classes_``."""
        check_is_fitted(self)
        X = validate_data(self, _in_rows(X), reset=False)
        self._warn_of_another_scale(X)
        with _threads(self.n_jobs):
            return self.model_.predict_proba(self._gray_levels(X) * GRAY)

    def _warn_of_another_scale(self, X: np.ndarray) -> None:
        """Warn of images much larger or smaller than those of fit, or negative where they were not.

        A single pixel has little say in that. Rows of a few features may be anything.
        """
        size, (low, high) = np.linalg.norm(X) / math.sqrt(X.size), self.range_
        alike = self.rms_ / UNLIKE < size < self.rms_ * UNLIKE and (X.min() < 0) == (low < 0)
        if size and not alike and min(self.image_shape_) >= SMALLEST // 2:
            words = f"{X.min():.3g} to {X.max():.3g}, but it was fitted on {low:.3g} to {high:.3g}"
            warnings.warn(f"X holds values from {words}: give it on the same scale", stacklevel=3)

    def _image_shape(self, shape: tuple[int, int] | None) -> tuple[int, int]:
        """The shape that was asked for, or that of X if it holds images, or one that fits."""
        features = self.n_features_in_
        side = math.isqrt(features)
        wanted = self.image_shape or shape or ((side,) * 2 if side**2 == features else None)
        height, width = map(int, wanted or (1, features))
        if height * width != features or (shape and shape != (height, width)):
            raise ValueError(
                f"image_shape {height} x {width} does not fit X, which has {features} features"
            )
        return height, width

    def _scale(self) -> float:
        if self.scale == "max":
            least, most = self.range_
            largest = min(max(-least, most), 2 * self.rms_) if least < 0 else most
            return largest or 1.0  # all blank: any will do
        if isinstance(self.scale, str) or not 0 < self.scale < math.inf:
            raise ValueError(f'scale must be a number above 0 or "max", not {self.scale!r}')
        return float(self.scale)

    def _recipe(self, X: np.ndarray) -> Recipe:
        """All settings for X (n, features); RunError for those that make no sense."""
        is_image = min(self.image_shape_) >= SMALLEST
        given = {name: _plain(getattr(self, name)) for name in CHOSEN}
        given = {name: value for name, value in given.items() if value is not None}
        least, most = self.range_
        if not (is_image and least >= 0 and most <= self.scale_):
            given.setdefault("augment", "none")
        if is_image and least < 0:
            words = "they are not bent for training and are read worse: leave out StandardScaler"
            warnings.warn(f"X holds images with negative values; {words}", stacklevel=3)
        preset = self.preset or ("lenet" if is_image else "dense")
        seed, validation = self._seed(), _plain(self.validation)
        recipe = resolve(len(X), preset=preset, seed=seed, validation=validation, **given)
        kept = min(max(1, round(recipe.validation * len(X))), len(X) - 1)
        return replace(recipe, validation=kept / len(X))

    def _seed(self) -> int:
        state = _plain(self.random_state)
        return state if isinstance(state, int) else check_random_state(state).randint(2**31)

    def _dataset(self, X: np.ndarray, labels: np.ndarray) -> Dataset:
        """X and labels as a trainer takes them: without anything to test on."""
        augment, seed = self.recipe_.augment, self.recipe_.seed
        levels = self._gray_levels(X)
        if augment == "none":
            images = levels * GRAY
        elif levels.min() < 0 or levels.max() > WHITE:
            raise ValueError(
                f"augment={augment!r} is for values from 0 to scale, {self.scale_:g}; "
                'others go with augment="none"'
            )
        else:
            images = np.rint(levels).astype(np.uint8)
        labels = labels.astype(np.uint8 if len(self.classes_) <= WHITE + 1 else np.uint16)
        if self.shuffle:
            order = _spread(labels, np.random.default_rng(seed))
            images, labels = images[order], labels[order]
        return Dataset("X", images, labels, images[:0], labels[:0], (*map(str, self.classes_),))

    def _gray_levels(self, X: np.ndarray) -> np.ndarray:
        """X in images (n, H, W) float32 in which ``WHITE`` is full ink."""
        levels = np.multiply(X, WHITE / self.scale_, dtype=np.float32)
        return levels.reshape(len(X), *self.image_shape_)


def _shape_of_images(X: Any) -> tuple[int, int] | None:
    """(H, W) if X is an array of images, None if it holds rows."""
    _, *shape = getattr(X, "shape", None) or (0,)
    if len(shape) == 3 and shape[2] != 1:
        raise ValueError(f"images have {shape[2]} channels; X is (n, H, W) or (n, H, W, 1)")
    return (shape[0], shape[1]) if len(shape) in (2, 3) else None


def _in_rows(X: Any) -> Any:
    return X if _shape_of_images(X) is None else np.asarray(X).reshape(len(X), -1)


def _plain(value: Any) -> Any:
    """A number as Python has it; searches draw NumPy's."""
    return value.item() if isinstance(value, np.generic) else value


def _spread(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random order in which the last block holds about as much of each class as the whole.

    The r-th of the N samples of a class, counted from 0, is put at r / N of the way, so that the
    first of each class is as far from the last block as can be.
    """
    order = rng.permutation(len(labels))
    place = np.empty(len(labels))
    for k in range(labels.max() + 1):
        of_class = labels[order] == k
        place[of_class] = np.arange(of_class.sum()) / of_class.sum()
    return order[np.argsort(place, kind="stable")]


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


@contextlib.contextmanager
def _said_of_parameters(kind: type[Exception]) -> Iterator[None]:
    """Turn a RunError, which speaks of options, into one of ``kind`` that speaks of parameters."""
    try:
        yield
    except RunError as error:
        words = re.sub(r"--([a-z-]+)", lambda m: m[1].replace("-", "_"), str(error))
        raise kind(words) from error
