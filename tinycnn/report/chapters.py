"""What a report says of one run alone: mistakes, certainty, its inside, how to make it again."""

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.evaluate.evaluation import Evaluation
from tinycnn.ink import network_input, percent
from tinycnn.interpret import Tracer, convolutions, most_exciting
from tinycnn.interpret.filters import end_of_block
from tinycnn.report.pictures import enlarged, gray_picture, sheet, signed_picture
from tinycnn.report.subject import Subject
from tinycnn.train.recipe import OPTIONS, option

MOST_MISTAKES = 900
"""On a page, shared by its runs: about a megabyte. The surest mistakes come first."""

SHOWN = 24  # of the most and the least certain digits
LIKELIEST = 3  # probabilities of a mistake
LOOKED_THROUGH = 500  # images, for what excites a filter
PATCHES = 4  # of them, for each filter
ROW = 8  # filters side by side, in all pictures of them


@dataclass(frozen=True)
class Chance:
    """One class and how likely it was held."""

    name: str
    p: float
    text: str
    true: bool


@dataclass(frozen=True)
class Digit:
    """An image with its number in the set, what it is, what it was taken for, and how surely."""

    picture: str
    number: int
    truth: str
    answer: str
    confidence: str
    chances: tuple[Chance, ...]
    anchor: str | None = None
    """Where the confusion matrix points to, for the first mistake of its kind."""

    @property
    def right(self) -> bool:
        return self.truth == self.answer


@dataclass(frozen=True)
class Filters:
    """One convolution: its filters (of the first only), what excites them, what they make."""

    title: str
    count: int
    weights: str | None
    patches: str
    maps: str
    shape: str


@dataclass(frozen=True)
class Chapter:
    """All that the template says of one run; ``mistakes_left_out`` did not fit on the page."""

    subject: Subject
    place: str
    classes: tuple[str, ...]
    mistakes: list[Digit]
    mistakes_left_out: int
    most_certain: list[Digit]
    least_certain: list[Digit]
    example: str
    filters: list[Filters]
    command: str | None
    settings: list[tuple[str, list[tuple[str, str]]]]


def chapter_of(subject: Subject, place: str, most: int = MOST_MISTAKES) -> Chapter:
    """The chapter of a run, with ``most`` mistakes; ``place`` is a word for anchors, its own."""
    evaluation = subject.evaluation
    by_certainty = np.argsort(-evaluation.probabilities.max(axis=1), kind="stable")
    wrong = by_certainty[(evaluation.answers != evaluation.labels)[by_certainty]]
    example = _example(evaluation)
    return Chapter(
        subject=subject,
        place=place,
        classes=evaluation.recognizer.classes,
        mistakes=_mistakes(evaluation, wrong[:most], place),
        mistakes_left_out=max(len(wrong) - most, 0),
        most_certain=[_digit(evaluation, n) for n in by_certainty[:SHOWN]],
        least_certain=[_digit(evaluation, n) for n in by_certainty[::-1][:SHOWN]],
        example=gray_picture(evaluation.images[example]),
        filters=_all_filters(subject, example),
        command=_command(subject),
        settings=_settings(subject),
    )


def anchor(place: str, truth: int, answer: int) -> str:
    """The name of the first mistake that takes class ``truth`` for ``answer``."""
    return f"{place}-{truth}-as-{answer}"


def _mistakes(evaluation: Evaluation, numbers: Sequence[int], place: str) -> list[Digit]:
    seen: set[str] = set()
    digits = []
    for n in numbers:
        name = anchor(place, int(evaluation.labels[n]), int(evaluation.answers[n]))
        digits.append(_digit(evaluation, n, None if name in seen else name))
        seen.add(name)
    return digits


def _digit(evaluation: Evaluation, n: int, name: str | None = None) -> Digit:
    """The digit with number ``n``: the likeliest answers, and the true one among them."""
    p, truth = evaluation.probabilities[n], int(evaluation.labels[n])
    classes = evaluation.recognizer.classes
    likeliest = [int(k) for k in np.argsort(-p, kind="stable")]
    shown = likeliest[:LIKELIEST]
    if truth not in shown:
        shown[-1] = truth
    return Digit(
        picture=gray_picture(evaluation.images[n]),
        number=int(n),
        truth=classes[truth],
        answer=classes[likeliest[0]],
        confidence=percent(p.max()),
        chances=tuple(Chance(classes[k], float(p[k]), percent(p[k]), k == truth) for k in shown),
        anchor=name,
    )


def _example(evaluation: Evaluation) -> int:
    """The number of the first digit that is read rightly, if there is one."""
    return int((evaluation.answers == evaluation.labels).argmax())


def _all_filters(subject: Subject, example: int) -> list[Filters]:
    model, images = subject.model, subject.evaluation.images
    tracer = Tracer(model)
    x = network_input(model, images[:LOOKED_THROUGH])
    trace = tracer.trace(network_input(model, images[example : example + 1]))
    found = []
    for number, index in enumerate(convolutions(tracer)):
        w = tracer.layers[index].params["w"]  # (F,KH,KW,C)
        # Orange and blue must mean the same in every filter, so they share one largest number.
        weights = (
            signed_picture(sheet([enlarged(each) for each in w[..., 0]], ROW, gap=3))
            if w.shape[3] == 1
            else None
        )
        maps = trace.outputs[end_of_block(tracer, index) - 1]
        found.append(
            Filters(
                title=f"Convolution {number + 1}",
                count=len(w),
                weights=weights,
                patches=signed_picture(sheet(_patches(tracer, index, x), ROW, gap=5)),
                maps=signed_picture(sheet(_brightened(maps), ROW)),
                shape=" x ".join(map(str, maps.shape[:2])),
            )
        )
    return found


def _patches(tracer: Tracer, index: int, x: np.ndarray) -> list[np.ndarray]:
    """For each filter a tile of the patches that excite it most, two in a row."""
    tiles = []
    for favorites in most_exciting(tracer, index, x, PATCHES):
        patches = [enlarged(x[each.image][each.region][..., 0]) for each in favorites]
        tiles.append(sheet(patches, 2))
    return tiles


def _brightened(maps: np.ndarray) -> list[np.ndarray]:
    """The maps (H,W,F) one by one, each with its own largest number as 1: faint ones show too."""
    largest = abs(maps).max(axis=(0, 1), initial=1e-6)
    return [enlarged(each) for each in np.moveaxis(maps / largest, 2, 0)]


def _command(subject: Subject) -> str | None:
    """What to type to train the same network again, if the weights tell."""
    recipe, name = subject.training.get("recipe"), subject.training.get("dataset")
    if not isinstance(recipe, dict) or not isinstance(name, str):
        return None
    words = ["python", "-m", "tinycnn.train", *_data_words(subject, name)]
    for key in OPTIONS:
        if recipe.get(key) is not None:
            words += [option(key), shlex.quote(str(recipe[key]))]
    return " ".join(words)


def _data_words(subject: Subject, name: str) -> list[str]:
    """The options that name the data; a folder of one's own is called DIR."""
    data = (subject.config or {}).get("data")
    data = data if isinstance(data, dict) else {}
    asked = data.get("name", name)
    if data.get("data_dir") is None:
        return ["--dataset", shlex.quote(str(asked))]
    return [*(["--dataset", shlex.quote(str(asked))] if asked == name else []), "--data-dir", "DIR"]


def _settings(subject: Subject) -> list[tuple[str, list[tuple[str, str]]]]:
    """Tables of names and values: the recipe, the data, the versions."""
    config = subject.config or {}
    recipe = subject.training.get("recipe")
    groups = {
        "Recipe": recipe if isinstance(recipe, dict) else {},
        "Data": {
            "name": subject.dataset.name,
            "training part, SHA-256": subject.dataset.fingerprint,
            "test part, SHA-256": subject.dataset.test_fingerprint,
        },
        "Weights": {
            "file": subject.weights.name,
            "SHA-256": hashlib.sha256(subject.weights.read_bytes()).hexdigest(),
            **_calibration(subject),
        },
        "Versions of the training": _object(config.get("versions"), threads=config.get("threads")),
    }
    return [
        (title, [(name, str(value)) for name, value in rows.items() if value is not None])
        for title, rows in groups.items()
        if any(value is not None for value in rows.values())
    ]


def _calibration(subject: Subject) -> dict[str, float]:
    recognizer = subject.evaluation.recognizer
    return {"temperature": recognizer.temperature, "threshold": recognizer.threshold}


def _object(value: Any, **more: Any) -> dict[str, Any]:
    return {**(value if isinstance(value, dict) else {}), **more}
