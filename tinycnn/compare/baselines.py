"""The classifiers: those of scikit-learn, and networks made of tinycnn's layers.

Those of scikit-learn see an image as one row of gray levels, 0 to 1, and ignore which pixels are
neighbors: if all images were shuffled in the same way, each of them would be as accurate as before.
Their settings were chosen on training data alone (``docs/compare.md``).
"""

import importlib
import pickle
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from tinycnn.data import Dataset
from tinycnn.errors import RunError
from tinycnn.nn.checks import GRAY
from tinycnn.train.precompile import rehearse
from tinycnn.train.recipe import Recipe
from tinycnn.train.trainer import Trainer


class Trained(NamedTuple):
    """A trained classifier.

    ``seconds`` is the time of its training, without one-time costs such as compiling. ``bytes`` is
    the size of all it needs to answer.
    """

    settings: str
    seconds: float
    bytes: int

    predict: Callable[[np.ndarray], np.ndarray]  # images (N,H,W) uint8 -> labels (N,)
    predict_one: Callable[[np.ndarray], int]
    """An image (H,W) uint8 -> its label, on one thread where possible."""


@dataclass(frozen=True)
class SklearnBaseline:
    """An estimator of scikit-learn, ``module.Class``, and its arguments."""

    title: str
    estimator: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def train(self, dataset: Dataset, seed: int) -> Trained:
        """Fit the estimator; RunError if it cannot learn from these digits."""
        module, name = self.estimator.split(".")
        model = getattr(importlib.import_module(f"sklearn.{module}"), name)(**self.settings)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        from threadpoolctl import ThreadpoolController  # comes with scikit-learn

        libraries = ThreadpoolController()  # those that are loaded by now

        def predict(images: np.ndarray) -> np.ndarray:
            with self._processors(-1):
                return np.asarray(model.predict(as_rows(images)))

        def predict_one(image: np.ndarray) -> int:
            # For a single image, waking other threads takes longer than the work itself.
            with self._processors(1), libraries.limit(limits=1):
                return int(model.predict(as_rows(image[None]))[0])

        started = time.perf_counter()
        with self._processors(-1), warnings.catch_warnings():
            # Softmax regression may stop before it has converged, and some pixels never change.
            warnings.simplefilter("ignore", UserWarning)
            model.fit(as_rows(dataset.train_images), dataset.train_labels)
        seconds = time.perf_counter() - started
        return Trained(str(self), seconds, len(pickle.dumps(model)), predict, predict_one)

    @contextmanager
    def _processors(self, count: int) -> Iterator[None]:
        """Let the estimator use so many, -1 for all; its refusals become ours, a line each."""
        from joblib import parallel_config

        try:
            with parallel_config(backend="threading", n_jobs=count):
                yield
        except ValueError as error:
            reason, *_ = str(error).strip().splitlines()
            raise RunError(f"{self.title} cannot be done: {reason}") from error

    def __str__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.settings.items())
        return f"{self.estimator.split('.')[1]}({arguments})"


def as_rows(images: np.ndarray) -> np.ndarray:
    """Images (N,H,W) uint8 as rows (N,H*W) float32, gray levels 0 to 1 as networks get them."""
    rows: np.ndarray = np.multiply(images.reshape(len(images), -1), GRAY, dtype=np.float32)
    return rows


@dataclass(frozen=True)
class NetworkBaseline:
    """A preset, trained by its recipe; some of its digits are set aside to choose an epoch."""

    title: str
    preset: str

    def train(self, dataset: Dataset, seed: int) -> Trained:
        """Train the network; kernels are compiled before the time is taken."""
        recipe = Recipe.for_data(len(dataset.train_labels), preset=self.preset, seed=seed)
        trainer = Trainer(recipe, dataset)
        rehearse(trainer)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
        best = trainer.best
        settings = f"{recipe.epochs} epochs, augmentation {recipe.augment}"
        size = sum(z.nbytes for z in best.arrays().values())
        return Trained(settings, seconds, size, best.predict, lambda z: int(best.predict(z)[0]))


BASELINES: dict[str, SklearnBaseline | NetworkBaseline] = {
    "centroid": SklearnBaseline("nearest centroid", "neighbors.NearestCentroid"),
    "neighbors": SklearnBaseline(
        "k-nearest neighbors",
        "neighbors.KNeighborsClassifier",
        {"n_neighbors": 3, "weights": "distance"},
    ),
    "softmax": SklearnBaseline("softmax regression", "linear_model.LogisticRegression", {"C": 0.1}),
    "svm": SklearnBaseline("support vector machine", "svm.SVC", {"C": 3, "gamma": 0.02}),
    "forest": SklearnBaseline(
        "random forest",
        "ensemble.RandomForestClassifier",
        {"n_estimators": 100, "max_features": "sqrt"},
    ),
    "boosting": SklearnBaseline(
        "gradient boosting",
        "ensemble.HistGradientBoostingClassifier",
        {
            "max_iter": 80,
            "learning_rate": 0.1,
            "max_bins": 8,
            "max_features": 0.1,
            "early_stopping": False,
        },
    ),
    "dense": NetworkBaseline("dense network", "dense"),
    "lenet": NetworkBaseline("tinycnn, lenet", "lenet"),
    "tiny": NetworkBaseline("tinycnn, tiny", "tiny"),
}
