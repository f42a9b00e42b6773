"""The part of a report on one run: mistakes, doubts, filters, and how to train it again.

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
from tinycnn.interpret import Tracer, convolutions, max_activations
from tinycnn.interpret.filters import end_of_block
from tinycnn.nn.classifier import network_input
from tinycnn.notebook import digit_uri
from tinycnn.report.pictures import enlarged, sheet, signed_picture
from tinycnn.report.subject import Subject
from tinycnn.train.recipe import OPTIONS
from tinycnn.train.resume import source_of

MOST_MISTAKES = 900
"""On a page, shared by its runs: about a megabyte. The most confident mistakes come first."""

SHOWN = 24  # of the least certain digits
LIKELIEST = 3  # probabilities of a mistake
LOOKED_THROUGH = 500  # images in which the patches that excite a filter are searched
PATCHES = 4  # of them, for each filter
COLUMNS = 8  # filters side by side, in all pictures of them


def chapter_of(subject: Subject, place: str, most: int = MOST_MISTAKES) -> dict[str, Any]:
    """The chapter of a run, with ``most`` mistakes; its anchors begin with ``place``."""
    evaluation = subject.evaluation
    by_certainty = np.argsort(-evaluation.probabilities.max(axis=1), kind="stable")
    right = evaluation.answers == evaluation.labels
    wrong = by_certainty[~right[by_certainty]]
    example = int(right.argmax())  # the first digit that is read correctly, if any is
    return {
        "subject": subject,
        "place": place,
        "classes": evaluation.recognizer.classes,
        "mistakes": _mistakes(evaluation, wrong[:most], place),
        "mistakes_left_out": max(len(wrong) - most, 0),
        "least_certain": [_digit(evaluation, n) for n in by_certainty[::-1][:SHOWN]],
        "example": digit_uri(evaluation.images[example]),
        "filters": _filters(subject, example),
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


def _filters(subject: Subject, example: int) -> list[dict[str, Any]]:
    """For each convolution the filters, the patches that excite them, and their feature maps."""
    model, images = subject.model, subject.evaluation.images
    tracer = Tracer(model)
    x = network_input(model, images[:LOOKED_THROUGH])
    trace = tracer.trace(network_input(model, images[example : example + 1]))
    found = []
    for number, index in enumerate(convolutions(tracer), 1):
        w = tracer.layers[index].params["w"]  # (F,KH,KW,C)
        weights = None
        if w.shape[3] == 1:
            # One sheet, so that the strongest colors mean the same number in every filter.
            weights = signed_picture(sheet([enlarged(z) for z in w[..., 0]], COLUMNS, gap=3))
        maps = trace.outputs[end_of_block(tracer, index) - 1]  # (H,W,F)
        # Each is scaled to at most 1, so that faint ones show.
        scaled = np.moveaxis(maps / abs(maps).max(axis=(0, 1), initial=1e-6), 2, 0)
        found.append(
            {
                "title": f"Convolution {number}",
                "count": len(w),
                "weights": weights,
                "patches": signed_picture(sheet(_patches(tracer, index, x), COLUMNS, gap=5)),
                "maps": signed_picture(sheet([enlarged(z) for z in scaled], COLUMNS)),
                "shape": " x ".join(map(str, maps.shape[:2])),
            }
        )
    return found


def _patches(tracer: Tracer, index: int, x: np.ndarray) -> list[np.ndarray]:
    """A tile for each filter: the patches that excite it most, two in a row."""
    return [
        sheet([enlarged(x[each.image][each.region][..., 0]) for each in favorites], 2)
        for favorites in max_activations(tracer, index, x, PATCHES)
    ]


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
