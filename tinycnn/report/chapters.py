"""The part of a report on one run: mistakes, doubts, and how to train it again.

Each function here returns what ``templates/chapter.html`` prints, as dicts.
"""

import hashlib
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinycnn.cli import option
from tinycnn.data.datasets import DEFAULT
from tinycnn.evaluate.evaluation import Evaluation
from tinycnn.ink.results import percent
from tinycnn.notebook import digit_uri
from tinycnn.report.subject import Subject
from tinycnn.train.recipe import OPTIONS
from tinycnn.train.resume import source_of

MOST_MISTAKES = 900
"""On a page, shared by its runs: about a megabyte. The most confident mistakes come first."""

SHOWN = 24  # of the least certain digits
LIKELIEST = 3  # probabilities of a mistake


def chapter_of(subject: Subject, place: str, most: int = MOST_MISTAKES) -> dict[str, Any]:
    """The chapter of a run, with ``most`` mistakes; its anchors begin with ``place``."""
    evaluation = subject.evaluation
    by_certainty = np.argsort(-evaluation.probabilities.max(axis=1), kind="stable")
    right = evaluation.answers == evaluation.labels
    wrong = by_certainty[~right[by_certainty]]
    return {
        "subject": subject,
        "place": place,
        "classes": evaluation.recognizer.classes,
        "mistakes": _mistakes(evaluation, wrong[:most], place),
        "mistakes_left_out": max(len(wrong) - most, 0),
        "least_certain": [_digit(evaluation, n) for n in by_certainty[::-1][:SHOWN]],
        "command": _command(subject),
        "settings": _settings(subject),
    }


def anchor(place: str, truth: int, answer: int) -> str:
    """The name of the first mistake that takes class ``truth`` for ``answer``."""
    return f"{place}-{truth}-as-{answer}"


def _mistakes(evaluation: Evaluation, numbers: Sequence[int], place: str) -> list[dict[str, Any]]:
    """The digits with these numbers; the confusion matrix links to the first of each kind."""
    names = [anchor(place, evaluation.labels[n], evaluation.answers[n]) for n in numbers]
    return [
        {**_digit(evaluation, n), "anchor": None if name in names[:k] else name}
        for k, (n, name) in enumerate(zip(numbers, names, strict=True))
    ]


def _digit(evaluation: Evaluation, n: int) -> dict[str, Any]:
    """The test image with number ``n``, with the likeliest answers and the true one among them."""
    p, truth = evaluation.probabilities[n], int(evaluation.labels[n])
    classes = evaluation.recognizer.classes
    likeliest = [int(k) for k in np.argsort(-p, kind="stable")]
    shown = likeliest[:LIKELIEST]
    if truth not in shown:
        shown[-1] = truth
    return {
        "picture": digit_uri(evaluation.images[n]),
        "number": int(n),
        "truth": classes[truth],
        "answer": classes[likeliest[0]],
        "right": likeliest[0] == truth,
        "confidence": percent(p.max()),
        "chances": [(classes[k], float(p[k]), percent(p[k]), k == truth) for k in shown],
    }


def _command(subject: Subject) -> str | None:
    """The command that trains the same network again, if the weights say enough.

    The user's own data folder is called DIR.
    """
    recipe, source = subject.recipe, source_of(subject.weights)
    name = source.name if source else subject.training.get("dataset")
    if not recipe or not isinstance(name, str):
        return None
    own_folder = source is not None and source.data_dir is not None
    given = {"data_dir": "DIR"} if own_folder else {}
    given |= {} if own_folder and name == DEFAULT else {"dataset": name}
    given |= {key: recipe[key] for key in OPTIONS if recipe.get(key) is not None}
    arguments = [f"{option(key)} {shlex.quote(str(value))}" for key, value in given.items()]
    return " ".join(["python -m tinycnn.train", *arguments])


def _settings(subject: Subject) -> list[tuple[str, dict[str, object]]]:
    """Tables of names and values: the recipe, the data, the weights, the versions."""
    recognizer = subject.evaluation.recognizer
    groups: dict[str, Any] = {
        "Recipe": subject.recipe,
        "Data": {
            "name": subject.dataset.name,
            "training part, SHA-256": subject.dataset.fingerprint,
            "test part, SHA-256": subject.dataset.test_fingerprint,
        },
        "Weights": {
            "file": subject.weights.name,
            "SHA-256": hashlib.sha256(subject.weights.read_bytes()).hexdigest(),
            "temperature": recognizer.temperature,
            "threshold": recognizer.threshold,
        },
        "Versions of the training": (subject.config or {}).get("versions"),
    }
    return [(title, rows) for title, rows in groups.items() if rows and isinstance(rows, dict)]
