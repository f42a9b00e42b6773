"""Adapting: a network learns from corrections for two seconds, and is tested on unseen digits.

Corrections are few, and a network that only saw those would forget the rest. So every round of
learning shows it some augmented corrections among many bundled digits, which it knows; and a round
after which too many of those are misread is no good, however well it reads the corrections.

Whether that helped is measured by cross-validation. The corrections are split into five folds.
Five models learn in step, each from four folds, and are tested on the fifth: so every correction
is read by a model that has not seen it. The number of rounds is chosen for each model by the
results of the others. A final model learns from all folds, for the number of rounds that is best
for the five, and becomes the adapted network.
"""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn.adapt.comparison import Change
from tinycnn.adapt.corrections import Correction
from tinycnn.adapt.folds import AdaptationData, CrossValidation, cross_validate
from tinycnn.augment.policies import MILD, augment
from tinycnn.data import Dataset
from tinycnn.errors import RunError
from tinycnn.evaluate.evaluation import share_trained_on
from tinycnn.files import PathLike, refuse_to_overwrite
from tinycnn.ink import Recognizer
from tinycnn.interpret import Tracer
from tinycnn.nn import Sequential
from tinycnn.nn.classifier import network_input
from tinycnn.train.calibration import calibrate

FOLDS = 5
POOL = 512  # augmented corrections, about
KNOWN = 3000  # bundled digits: two thirds for training, a third for validation
LAYERS = {"last": 40, "all": 12}
"""What may learn -> how many rounds at most: the last layer that has weights, or all."""

Clock = Callable[[], float]


@dataclass(frozen=True, eq=False)
class Adaptation:
    """An adapted network and its results.

    ``model`` is a copy; the network that it came from is as it was. ``drawings`` compares answers
    to corrections, each by a fold model that had not seen it, and ``digits`` those to the test part
    of the bundled digits, none of which was shown in adapting. The base was trained on about the
    share ``digits_known`` of these (None: its file does not say).
    """

    model: Sequential
    drawings: Change
    digits: Change
    digits_known: float | None
    rounds: int  # the best number of rounds; 0: the base is best, and ``model`` equals it
    in_time: bool  # whether all rounds were run before time was up
    left_out: int  # corrections of classes that this network does not have
    seconds: float  # the duration of learning


def adapt(
    model: Sequential,
    corrections: Sequence[Correction],
    digits: Dataset,
    layers: str = "last",
    seed: int = 0,
    seconds: float = 2.0,
    clock: Clock = time.monotonic,
) -> Adaptation:
    """Let a copy of ``model`` learn from ``corrections``, for at most ``seconds``.

    ``layers`` is "last" or "all". Equal arguments give equal bytes, unless time was up. Raises
    RunError for fewer than five corrections, and if ``model`` has no class of ``digits``.
    """
    reader = Recognizer.of(model)
    known = _to_learn(corrections, reader.classes)
    data = _adaptation_data(model, known, digits, layers, seed)
    started = clock()
    results = cross_validate(data, LAYERS[layers], lambda: clock() - started > seconds)
    learned = clock() - started
    adapted = _final_model(model, data, results, known, layers, seed)
    images, labels = _readable(digits, digits.test_images, digits.test_labels, reader.classes)
    known_share = share_trained_on(model, images)
    _recalibrate(adapted, images, labels, known_share)
    was, now = (r(images).probabilities.argmax(axis=1) for r in (reader, Recognizer.of(adapted)))
    return Adaptation(
        model=adapted,
        drawings=Change.of(*results.predictions(), data.labels),
        digits=Change.of(was, now, labels),
        digits_known=known_share,
        rounds=results.best_round(),
        in_time=results.rounds() == LAYERS[layers],
        left_out=len(corrections) - len(known),
        seconds=learned,
    )


def save_adapted(adaptation: Adaptation, path: PathLike, base: PathLike) -> None:
    """Write the adapted weights to ``path``, all or nothing; TinyCNNError if ``base`` is there."""
    refuse_to_overwrite([path], [base])
    adaptation.model.save(Path(path))


def _to_learn(corrections: Sequence[Correction], classes: Sequence[str]) -> list[Correction]:
    known = [correction for correction in corrections if correction.label in classes]
    if len(known) < FOLDS:
        raise RunError(
            f"{FOLDS} corrected digits are the least to learn from, and there are {len(known)}; "
            "correct some more"
        )
    return known


def _adaptation_data(
    model: Sequential, known: Sequence[Correction], digits: Dataset, layers: str, seed: int
) -> AdaptationData:
    """The data of all fold models, as the first layer that learns gets them."""
    if layers not in LAYERS:
        raise RunError(f"layers that can be adapted are {' or '.join(LAYERS)}, not {layers}")
    tracer = Tracer(model)
    start = tracer.last_weights() if layers == "last" else 0
    classes = Recognizer.of(model).classes
    rng = np.random.default_rng(seed)

    def to_start(images: np.ndarray) -> np.ndarray:
        return tracer.run(network_input(model, images), 0, start)

    drawn = np.stack([correction.image() for correction in known])
    copies = max(1, POOL // len(drawn))
    replay, labels = _readable(digits, digits.train_images, digits.train_labels, classes)
    validation, training = _split(len(replay), rng)
    return AdaptationData(
        model=tracer.model.part(start, len(tracer.layers)),
        labels=np.array([classes.index(correction.label) for correction in known]),
        folds=rng.permutation(np.arange(len(known)) % FOLDS),
        drawings=to_start(drawn),
        augmented=to_start(augment(np.repeat(drawn, copies, axis=0), MILD, rng)),
        copies=copies,
        replay=to_start(augment(replay[training], MILD, rng)),
        replay_labels=labels[training],
        known=to_start(replay[validation]),
        known_labels=labels[validation],
        seed=seed,
    )


def _split(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The indices of digits, of ``count``, for validation and for training."""
    some = rng.permutation(count)[:KNOWN]
    return some[: len(some) // 3], some[len(some) // 3 :]


def _final_model(
    model: Sequential,
    data: AdaptationData,
    results: CrossValidation,
    known: Sequence[Correction],
    layers: str,
    seed: int,
) -> Sequential:
    """A copy of ``model`` with the parameters of the final model after the best round."""
    adapted = copy.deepcopy(model)
    start = len(Tracer(model).layers) - len(data.model.layers)
    for offset, params in enumerate(results.parameters()):
        for key, z in params.items():
            adapted.layers[start + offset].params[key][...] = z
    story: dict[str, Any] = {
        "corrections": len(known),
        "layers": layers,
        "rounds": results.best_round(),
        "seed": seed,
    }
    adapted.description = {**model.description, "adapted": story}
    return adapted


def _recalibrate(
    adapted: Sequential, images: np.ndarray, labels: np.ndarray, known_share: float | None
) -> None:
    """Calibrate a network again once it has changed, if it was calibrated before.

    It was not adapted on these images (N,H,W). But if its base was trained on them, they give a
    temperature that is far too low, so none is kept.
    """
    if not adapted.description["adapted"]["rounds"] or "calibration" not in adapted.description:
        return
    calibration = calibrate(adapted, images, labels, Recognizer.of(adapted).classes)
    if known_share != 0:
        del calibration["temperature"]
    adapted.description = {**adapted.description, "calibration": calibration}


def _readable(
    digits: Dataset, images: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The images whose classes the network has, and their class indices."""
    mine = digits.labels_in(classes, labels)
    if not (mine >= 0).any():
        raise RunError(
            f"the network reads {', '.join(classes)[:60]}, and none of these is in {digits.name}: "
            "there is nothing to practice on, so it would forget what it knows"
        )
    return images[mine >= 0], mine[mine >= 0]
