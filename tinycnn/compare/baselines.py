"""Classifiers of scikit-learn, which all see an image as one row of gray levels, 0 to 1.

They ignore which pixels are neighbors: if all images were shuffled in the same way, each of them
would be as accurate as before. Their settings were chosen on training data alone
(``docs/compare.md``).
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
from tinycnn.nn.checks import GRAY


@dataclass(frozen=True)
class SklearnBaseline:
    """An estimator of scikit-learn, ``module.Class``, and its arguments."""

    title: str
    estimator: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def train(self, task: Task) -> Trained:
        """Fit the estimator; RunError or EnvironmentFault if that fails."""
        images, labels = task.training
        model = self.make(task.seed)
        from threadpoolctl import ThreadpoolController  # comes with scikit-learn

        libraries = ThreadpoolController()  # those that are loaded by now

        def predict(images: np.ndarray) -> np.ndarray:
            with self._failing_in_a_sentence(), all_processors():
                return np.asarray(model.predict(as_rows(images)))

        def predict_one(image: np.ndarray) -> int:
            # For a single image, waking other threads takes longer than the work itself.
            with self._failing_in_a_sentence(), libraries.limit(limits=1):
                return int(model.predict(as_rows(image[None]))[0])

        started = time.perf_counter()
        with self._failing_in_a_sentence(), all_processors(), warnings.catch_warnings():
            # Softmax regression may stop before it has converged, and some pixels never change.
            warnings.simplefilter("ignore", UserWarning)
            model.fit(as_rows(images), labels)
        seconds = time.perf_counter() - started
        return Trained(str(self), seconds, len(pickle.dumps(model)), predict, predict_one)

    def make(self, seed: int) -> Any:
        """A new estimator; ``seed`` decides its random draws, if it makes any."""
        module, name = self.estimator.split(".")
        require_sklearn()
        model = getattr(importlib.import_module(f"sklearn.{module}"), name)(**self.settings)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        return model

    @contextmanager
    def _failing_in_a_sentence(self) -> Iterator[None]:
        """Turn the exceptions of a library into ours, with the first line of the message."""
        try:
            yield
        except Exception as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            if isinstance(error, ValueError):
                raise RunError(f"{self.title} cannot be done: {reason}") from error
            raise EnvironmentFault(f"{self.title} failed: {reason}") from error

    def __str__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.settings.items())
        return f"{self.estimator.split('.')[1]}({arguments})"


def as_rows(images: np.ndarray) -> np.ndarray:
    """Images (N,H,W) uint8 as rows (N,H*W) float32, gray levels 0 to 1 as networks get them."""
    rows: np.ndarray = np.multiply(images.reshape(len(images), -1), GRAY, dtype=np.float32)
    return rows


def require_sklearn() -> None:
    """Raise EnvironmentFault, which says how to install it, unless scikit-learn can be imported."""
    try:
        importlib.import_module("sklearn")
    except ImportError as error:
        raise EnvironmentFault(
            "this needs scikit-learn (pip install 'tinycnn[compare]'); "
            "--only dense,lenet,tiny,best does not"
        ) from error


@contextmanager
def all_processors() -> Iterator[None]:
    """Let estimators use all processors if they can."""
    from joblib import parallel_config

    with parallel_config(backend="threading", n_jobs=os.cpu_count()):
        yield


SKLEARN_BASELINES: dict[str, SklearnBaseline] = {
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
