"""What a trained network is worth on a data set, and whether it has seen the answers before."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.data import CATALOGUE, Dataset, split_validation
from tinycnn.errors import DataError, RunError
from tinycnn.ink import Recogniser
from tinycnn.nn import Sequential
from tinycnn.runs.lineage import share_known
from tinycnn.runs.measure import Score, calibration_error, per_class, score, wilson_interval
from tinycnn.runs.recipe import Recipe

SPLITS = ("test", "validation", "train")


@dataclass(frozen=True)
class Evaluation:
    """The outcome; ``classes`` are (name, n, errors), ``trained_on`` a share or None: unknown."""

    dataset: str
    split: str
    score: Score
    calibration_error: float
    classes: tuple[tuple[str, int, int], ...]
    trained_on: float | None
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The outcome, ready for JSON."""
        n, errors = self.score.n, self.score.errors
        return {
            "dataset": self.dataset,
            "split": self.split,
            "accuracy": self.score.accuracy,
            "errors": errors,
            "n": n,
            "interval95": wilson_interval(n - errors, n),
            "loss": self.score.loss,
            "calibration_error": self.calibration_error,
            "per_class": {
                name: {"n": n, "errors": errors, "accuracy": 1 - errors / n if n else None}
                for name, n, errors in self.classes
            },
            "trained_on": self.trained_on,
            "warnings": self.warnings,
        }


def evaluate(model: Sequential, dataset: Dataset, split: str = "test") -> Evaluation:
    """Measure ``model`` on one part of ``dataset``; DataError if they do not fit together.

    ``train`` and ``validation`` are what they were when these weights were trained.
    """
    _check_fit(model, dataset)
    images, labels = _part(model, dataset, split)
    probabilities = Recogniser.of(model)(images).probabilities
    share = _share_trained_on(model, images)
    counts = per_class(probabilities, labels)
    return Evaluation(
        dataset=dataset.name,
        split=split,
        score=score(probabilities, labels),
        calibration_error=calibration_error(probabilities, labels),
        classes=tuple((name, *counts[k]) for k, name in enumerate(dataset.class_names)),
        trained_on=share,
        warnings=tuple(_warnings(model, dataset, split, share)),
    )


def training_set(model: Sequential) -> str | None:
    """The name of the set that ``model`` was trained on, if it is one of the catalogue."""
    name = _training(model).get("dataset")
    return name if isinstance(name, str) and name in CATALOGUE else None


def _check_fit(model: Sequential, dataset: Dataset) -> None:
    height, width = dataset.image_size
    if math.prod(model.input_shape) != height * width:
        wanted = " x ".join(map(str, model.input_shape[:2]))
        raise DataError(
            f"the images of {dataset.name} are {height} x {width} pixels, "
            f"but these weights were made for {wanted}"
        )
    known, present = model.output_shape[0], len(dataset.class_names)
    if present > known:
        raise DataError(f"{dataset.name} has {present} classes, but these weights know {known}")


def _part(model: Sequential, dataset: Dataset, split: str) -> tuple[np.ndarray, np.ndarray]:
    if split == "test":
        return dataset.test_images, dataset.test_labels
    try:
        recipe = Recipe(**_training(model)["recipe"])
    except (TypeError, LookupError, RunError) as error:
        raise DataError(
            f"these weights do not say what their {split} part was; use --split test"
        ) from error
    count = len(dataset.train_images[: recipe.limit])
    training, validation = split_validation(count, recipe.validation)
    block = validation if split == "validation" else training
    chosen = slice(block.start, block.stop)
    return dataset.train_images[chosen], dataset.train_labels[chosen]


def _share_trained_on(model: Sequential, images: np.ndarray) -> float | None:
    try:
        return share_known(images, _training(model)["sample"])
    except (TypeError, ValueError, LookupError):  # not one of our trainings
        return None


def _warnings(model: Sequential, dataset: Dataset, split: str, share: float | None):
    training = _training(model)
    if share:
        yield (
            f"about {100 * share:.0f} % of these images were trained on, "
            "so the accuracy does not tell how well new ones are read"
        )
    same_set = training.get("fingerprint") == dataset.fingerprint
    if split == "validation" and same_set:
        yield "the best epoch was chosen by these images, so the accuracy flatters a little"
    if split != "test" and not same_set:
        yield f"these weights were trained on another set, so {split} here means its {split} part"
    names = model.description.get("classes")
    if isinstance(names, list) and names[: len(dataset.class_names)] != list(dataset.class_names):
        yield f"the classes of {dataset.name} are not the ones that these weights learned"


def _training(model: Sequential) -> dict[str, Any]:
    """What the weights file says of its training; a stranger's file may say anything."""
    training = model.description.get("training")
    return training if isinstance(training, dict) else {}
