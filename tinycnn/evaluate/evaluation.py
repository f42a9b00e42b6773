"""Evaluates a trained network on a data set, and tells whether it was trained on these images."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn import metrics, notebook
from tinycnn.data import CATALOGUE, Dataset, load_dataset, split_validation
from tinycnn.data.datasets import DEFAULT
from tinycnn.data.provenance import sample_in, share_known
from tinycnn.errors import DataError, RunError
from tinycnn.files import PathLike
from tinycnn.ink import Recognizer
from tinycnn.metrics import PairedComparison, Score
from tinycnn.nn import Sequential
from tinycnn.train.recipe import Recipe
from tinycnn.train.resume import source_of

MISTAKES = 20  # that a notebook shows

Part = tuple[np.ndarray, np.ndarray]
"""Images (N,H,W) uint8 and their labels (N,)."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A network's answers to images (N,H,W), and all the figures that follow from them.

    ``logits`` (N,K) are the network's outputs. ``trained_on`` is the share of the images that the
    network was trained on, or None if its weights do not say.
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
        """(N,K), at the temperature that is saved with the weights."""
        return self.recognizer.judge(self.logits).probabilities

    @property
    def answers(self) -> np.ndarray:
        """(N,): the most probable class of each image."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @functools.cached_property
    def score(self) -> Score:
        return Score.of(self.answers, self.labels)

    @functools.cached_property
    def loss(self) -> float:
        """The mean cross-entropy in nats."""
        return metrics.cross_entropy(self.probabilities, self.labels)

    @functools.cached_property
    def calibration_error(self) -> float:
        return metrics.calibration_error(self.probabilities, self.labels)

    @functools.cached_property
    def confusion(self) -> np.ndarray:
        return metrics.confusion_matrix(self.probabilities, self.labels)

    @functools.cached_property
    def per_class(self) -> dict[str, dict[str, Any]]:
        """From the name of a class to its figures, ready for JSON; None where there is nothing.

        Recall is the fraction of the class's images that is recognized, also its "accuracy";
        precision is the fraction of correct answers among those that name the class.
        """
        found = {}
        for k, name in enumerate(self.class_names):
            right, answers = int(self.confusion[k, k]), int(self.confusion[:, k].sum())
            score = Score(n := int(self.confusion[k].sum()), n - right)
            figures = score.as_dict() if n else dict.fromkeys(("accuracy", "interval95"))
            precision = right / answers if answers else None
            counts = {"n": n, "errors": n - right}
            found[name] = figures | counts | {"recall": figures["accuracy"], "precision": precision}
        return found

    def compare(self, other: "Evaluation") -> PairedComparison:
        """Compare the answers with those of ``other``; DataError unless the images are equal."""
        if not np.array_equal(self.images, other.images):
            raise DataError("two networks can only be compared on the same images")
        return PairedComparison.of(self.answers, other.answers, self.labels)

    def _repr_html_(self) -> str:
        """Show the score, the confusions and the surest mistakes in a notebook."""
        names, p = self.recognizer.classes, self.probabilities
        rows = [(names[k], *(n or "" for n in row)) for k, row in enumerate(self.confusion)]
        wrong = np.flatnonzero(self.answers != self.labels)
        worst = wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")][:MISTAKES]
        said = [f"{names[self.labels[n]]}, not {names[p[n].argmax()]}" for n in worst]
        score = escape(f"{self.dataset}, {self.split} part: {self.score.sentence()}")
        confusions = notebook.table(("truth \\ answer", *names), *rows)
        return f"<p>{score}</p>{confusions}" + notebook.gallery(self.images[worst], said)

    def as_dict(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "split": self.split,
            **self.score.as_dict(),
            "loss": self.loss,
            "calibration_error": self.calibration_error,
            "temperature": self.recognizer.temperature,
            "per_class": self.per_class,
            "confusion": self.confusion.tolist(),
            "trained_on": self.trained_on,
            "warnings": self.warnings,
        }


def evaluate(
    model: Sequential, dataset: Dataset, split: str = "test", part: Part | None = None
) -> Evaluation:
    """Evaluate ``model`` on one part of ``dataset``; DataError if they do not fit together.

    The parts ``train`` and ``validation`` are split as for the training of these weights, unless
    ``part`` gives the images and labels.
    """
    recognizer = Recognizer.of(model)  # WeightsError unless it turns a gray image into classes
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


def data_of(
    model: Sequential, weights: Path, name: str | None = None, data_dir: PathLike | None = None
) -> Dataset:
    """The data set ``name``, or that of the run with the file ``weights``, or the one they name.

    Raises DataError if there is none.
    """
    if not (name or data_dir) and (source := source_of(weights)):
        return source.load()
    trained_on = training_of(model).get("dataset")
    if name is None and isinstance(trained_on, str) and trained_on in CATALOGUE:
        name = trained_on
    if name is None and data_dir is None:
        raise DataError(
            "these weights do not name the data they were trained on; say `data_dir` or `dataset`"
        )
    return load_dataset(name or DEFAULT, data_dir)


def training_of(model: Sequential) -> dict[str, Any]:
    """The metadata on training in the weights file; empty if there are none."""
    training = model.description.get("training")
    return training if isinstance(training, dict) else {}


def part_of(model: Sequential, dataset: Dataset, split: str) -> Part:
    """The images and labels of ``split``; DataError if the weights do not say how to split."""
    if split == "test":
        return dataset.part("test")
    try:
        recipe = Recipe(**training_of(model)["recipe"])
    except (TypeError, LookupError, RunError) as error:
        raise DataError(
            f"these weights do not say what their {split} part was; use `split` test"
        ) from error
    count = len(dataset.train_images[: recipe.limit])
    training, validation = split_validation(count, recipe.validation)
    block = validation if split == "validation" else training
    chosen = slice(block.start, block.stop)
    return dataset.train_images[chosen], dataset.train_labels[chosen]


def _check_fit(model: Sequential, dataset: Dataset) -> None:
    """Raise DataError if the images have another size or there are more classes."""
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
    """The share of images (N,H,W) that ``model`` was trained on, estimated from hashes.

    None if its weights do not say.
    """
    sample = sample_in(model.description)  # "" if it was not trained by tinycnn
    return share_known(images, sample) if sample else None


def _warnings(
    model: Sequential, dataset: Dataset, split: str, share: float | None
) -> Iterator[str]:
    """Reasons why the accuracy may be too good, or may mean something else."""
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
