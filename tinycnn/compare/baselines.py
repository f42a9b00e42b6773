"""The classics, by scikit-learn: all of them see an image as one row of gray levels, 0 to 1.

They know nothing of neighbors: with the pixels shuffled, the same for all images, each of them
would do as well as before. Their settings were chosen by training data alone (``docs/compare.md``).
"""

import importlib
import os
import pickle
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinycnn.compare.task import Task, Trained
from tinycnn.errors import EnvironmentFault, RunError
from tinycnn.nn.model import GRAY


@dataclass(frozen=True)
class SklearnBaseline:
    """An estimator of scikit-learn, ``module.Class``, and the arguments that it is made with."""

    title: str
    estimator: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def train(self, task: Task) -> Trained:
        """Fit the estimator; RunError or EnvironmentFault if it cannot be done."""
        images, labels = task.training
        model = self.make(task.seed)
        libraries = _libraries()

        def predict(images: np.ndarray) -> np.ndarray:
            with self._in_words(), all_processors():
                return model.predict(as_rows(images))

        def predict_one(image: np.ndarray) -> int:
            with self._in_words(), libraries.limit(limits=1):  # to wake others would not pay
                return model.predict(as_rows(image[None]))[0]

        started = time.perf_counter()
        with self._in_words(), all_processors(), warnings.catch_warnings():
            # Softmax regression may stop before it has converged, and some pixels never change.
            warnings.simplefilter("ignore", UserWarning)
            model.fit(as_rows(images), labels)
        seconds = time.perf_counter() - started
        return Trained(str(self), seconds, len(pickle.dumps(model)), predict, predict_one)

    def make(self, seed: int) -> Any:
        """A new estimator, whose random draws follow from ``seed`` if it makes any."""
        module, name = self.estimator.split(".")
        require_sklearn()
        model = getattr(importlib.import_module(f"sklearn.{module}"), name)(**self.settings)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        return model

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """Say in a sentence why a library gave up."""
        try:
            yield
        except ValueError as error:
            raise RunError(f"{self.title} cannot be done: {_first_line(error)}") from error
        except Exception as error:
            raise EnvironmentFault(f"{self.title} failed: {_first_line(error)}") from error

    def __str__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.settings.items())
        return f"{self.estimator.split('.')[1]}({arguments})"


def as_rows(images: np.ndarray) -> np.ndarray:
    """Images (N,H,W) uint8 as rows (N,H*W) float32, gray levels 0 to 1: what networks get too."""
    return np.multiply(images.reshape(len(images), -1), GRAY, dtype=np.float32)


def require_sklearn() -> None:
    """Raise EnvironmentFault, which says how to get it, unless scikit-learn can be imported."""
    try:
        import sklearn  # noqa: F401 - the only question is whether it is there
    except ImportError as error:
        raise EnvironmentFault(
            "the classics need scikit-learn (pip install 'tinycnn[compare]'); "
            "--only dense,lenet,tiny,best does without"
        ) from error


@contextmanager
def all_processors() -> Iterator[None]:
    """Let estimators that can do so work on all processors."""
    from joblib import parallel_config

    with parallel_config(backend="threading", n_jobs=os.cpu_count()):
        yield


def _libraries() -> Any:
    """What tells the libraries that are loaded by now how many threads to use."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


CLASSICS: dict[str, SklearnBaseline] = {
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
}
