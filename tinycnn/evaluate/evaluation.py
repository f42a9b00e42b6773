"""What a trained network is worth on a data set, and whether it has seen the answers before."""

import dataclasses
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.data import CATALOGUE, Dataset, split_validation
from tinycnn.data.provenance import share_known
from tinycnn.errors import DataError, RunError
from tinycnn.ink import Recognizer
from tinycnn.metrics import (
    Score,
    calibration_error,
    confusion_matrix,
    coverage,
    mcnemar,
    score,
    wilson_interval,
)
from tinycnn.nn import Sequential
from tinycnn.train.recipe import Recipe

Part = tuple[np.ndarray, np.ndarray]
"""Images (N,H,W) uint8 and their labels (N,)."""

SHARES = (1.0, 0.99, 0.95, 0.9, 0.8, 0.7, 0.5)
"""Of the answers that are given: the coverage at which accuracy is told."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The answers of a network to images (N,H,W), and all that follows from them.

    ``logits`` (N,K) are as they left the network; ``probabilities`` (N,K) come after the
    temperature of its weights. ``trained_on`` is a share of the images, or None: unknown.
    """

    dataset: str
    split: str
    class_names: tuple[str, ...]
    images: np.ndarray
    labels: np.ndarray
    logits: np.ndarray
    recognizer: Recognizer
    trained_on: float | None
    warnings: tuple[str, ...]

    @functools.cached_property
    def probabilities(self) -> np.ndarray:
        return self.recognizer.judge(self.logits).probabilities

    @functools.cached_property
    def uncalibrated(self) -> np.ndarray:
        """The probabilities (N,K) that a temperature of 1 would give."""
        return (
            dataclasses.replace(self.recognizer, temperature=1.0).judge(self.logits).probabilities
        )

    @property
    def answers(self) -> np.ndarray:
        """(N,): the likeliest class of each image."""
        return self.probabilities.argmax(axis=1)

    @functools.cached_property
    def score(self) -> Score:
        return score(self.probabilities, self.labels)

    @functools.cached_property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy."""
        return wilson_interval(self.score.n - self.score.errors, self.score.n)

    @functools.cached_property
    def confusion(self) -> np.ndarray:
        """(K,K): see ``confusion_matrix``."""
        return confusion_matrix(self.probabilities, self.labels)

    @functools.cached_property
    def classes(self) -> list["ClassScore"]:
        """One for each class of the data set."""
        return [
            ClassScore(name, *map(int, (self.confusion[k].sum(), z, self.confusion[:, k].sum())))
            for k, (name, z) in enumerate(
                zip(self.class_names, self.confusion.diagonal(), strict=False)
            )
        ]

    def as_dict(self) -> dict[str, Any]:
        """The outcome, ready for JSON."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "accuracy": self.score.accuracy,
            "errors": self.score.errors,
            "n": self.score.n,
            "interval95": self.interval,
            "loss": self.score.loss,
            "loss_uncalibrated": score(self.uncalibrated, self.labels).loss,
            "calibration_error": calibration_error(self.probabilities, self.labels),
            "calibration_error_uncalibrated": calibration_error(self.uncalibrated, self.labels),
            "temperature": self.recognizer.temperature,
            "per_class": {each.name: each.as_dict() for each in self.classes},
            "confusion": self.confusion.tolist(),
            "coverage": [
                {**dataclasses.asdict(each), "accuracy": each.accuracy}
                for each in coverage(self.probabilities, self.labels, SHARES)
            ],
            "trained_on": self.trained_on,
            "warnings": self.warnings,
        }


@dataclass(frozen=True)
class ClassScore:
    """``n`` images of a class, ``right`` of them found, among ``answered`` taken for it."""

    name: str
    n: int
    right: int
    answered: int

    @property
    def errors(self) -> int:
        return self.n - self.right

    @property
    def recall(self) -> float | None:
        """The share of its images that is found; None without any."""
        return self.right / self.n if self.n else None

    @property
    def precision(self) -> float | None:
        """The share of right ones among the answers that name it; None without any."""
        return self.right / self.answered if self.answered else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the recall."""
        return wilson_interval(self.right, self.n) if self.n else None

    def as_dict(self) -> dict[str, Any]:
        """The numbers, ready for JSON; the accuracy within a class is its recall."""
        return {
            "n": self.n,
            "errors": self.errors,
            "accuracy": self.recall,
            "interval95": self.interval,
            "recall": self.recall,
            "precision": self.precision,
        }


@dataclass(frozen=True)
class Duel:
    """Two networks on the same ``n`` images: how many only the first, only the second reads."""

    n: int
    only_first: int
    only_second: int
    neither: int

    @classmethod
    def of(cls, first: Evaluation, second: Evaluation) -> "Duel":
        """The duel of two evaluations of the same images; DataError if they are others."""
        if not np.array_equal(first.images, second.images):
            raise DataError("two networks can only be compared on the same images")
        right = [each.answers == each.labels for each in (first, second)]
        outcomes = right[0] & ~right[1], right[1] & ~right[0], ~right[0] & ~right[1]
        return cls(len(first.labels), *(int(np.count_nonzero(z)) for z in outcomes))

    @property
    def p_value(self) -> float:
        """How often chance alone would part them at least as far (McNemar's test)."""
        return mcnemar(self.only_first, self.only_second)

    def as_dict(self) -> dict[str, Any]:
        """The outcome, ready for JSON."""
        return {**dataclasses.asdict(self), "p_value": self.p_value}


def evaluate(
    model: Sequential, dataset: Dataset, split: str = "test", part: Part | None = None
) -> Evaluation:
    """Measure ``model`` on one part of ``dataset``; DataError if they do not fit together.

    ``train`` and ``validation`` are what they were when these weights were trained, unless
    ``part`` says which images are meant.
    """
    recognizer = Recognizer.of(model)  # refuses what does not turn a gray image into classes
    _check_fit(model, dataset)
    images, labels = part or part_of(model, dataset, split)
    share = share_trained_on(model, images)
    return Evaluation(
        dataset=dataset.name,
        split=split,
        class_names=dataset.class_names,
        images=images,
        labels=labels,
        logits=recognizer.logits(images),
        recognizer=recognizer,
        trained_on=share,
        warnings=tuple(_warnings(model, dataset, split, share)),
    )


def training_set(model: Sequential) -> str | None:
    """The name of the set that ``model`` was trained on, if it is one of the catalogue."""
    name = training_of(model).get("dataset")
    return name if isinstance(name, str) and name in CATALOGUE else None


def training_of(model: Sequential) -> dict[str, Any]:
    """What the weights file says of its training; a stranger's file may say anything."""
    training = model.description.get("training")
    return training if isinstance(training, dict) else {}


def part_of(model: Sequential, dataset: Dataset, split: str) -> Part:
    """The images and labels of ``split``; DataError if these weights do not say which they were."""
    if split == "test":
        return dataset.test_images, dataset.test_labels
    try:
        recipe = Recipe(**training_of(model)["recipe"])
    except (TypeError, LookupError, RunError) as error:
        raise DataError(
            f"these weights do not say what their {split} part was; use --split test"
        ) from error
    count = len(dataset.train_images[: recipe.limit])
    training, validation = split_validation(count, recipe.validation)
    block = validation if split == "validation" else training
    chosen = slice(block.start, block.stop)
    return dataset.train_images[chosen], dataset.train_labels[chosen]


def _check_fit(model: Sequential, dataset: Dataset) -> None:
    height, width = dataset.image_size
    if model.input_shape not in ((height, width, 1), (height * width,)):
        wanted = " x ".join(map(str, model.input_shape[:2]))
        raise DataError(
            f"the images of {dataset.name} are {height} x {width} pixels, "
            f"but these weights were made for {wanted}"
        )
    known, present = model.output_shape[0], len(dataset.class_names)
    if present > known:
        raise DataError(f"{dataset.name} has {present} classes, but these weights know {known}")


def share_trained_on(model: Sequential, images: np.ndarray) -> float | None:
    """About which share of images (N,H,W) ``model`` was trained on; None: it does not say."""
    try:
        return share_known(images, training_of(model)["sample"])
    except (TypeError, ValueError, LookupError):  # not one of our trainings
        return None


def _warnings(model: Sequential, dataset: Dataset, split: str, share: float | None):
    training = training_of(model)
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
