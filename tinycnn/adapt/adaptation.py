"""Adapting: the last layer of a network learns from corrections, and is tested on unseen digits.

Corrections are few, and a network that only saw those would forget the rest. So every round of
learning shows it some augmented corrections among many bundled digits, which it knows; and a round
after which too many of those are misread is no good, however well it reads the corrections.

Whether that helped is measured by cross-validation. Five models learn in step, each from four
fifths of the corrections, and are tested on the rest. The number of rounds is chosen for each
model by the results of the others. A final model learns from all corrections, for the number of
rounds that is best for the five, and becomes the adapted network.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn.adapt.corrections import Correction
from tinycnn.adapt.folds import AdaptationData, CrossValidation, cross_validate
from tinycnn.augment.policies import MILD, augmented
from tinycnn.data import Dataset
from tinycnn.errors import RunError
from tinycnn.evaluate.evaluation import share_trained_on
from tinycnn.ink import Recognizer
from tinycnn.interpret import Tracer
from tinycnn.metrics import PairedComparison
from tinycnn.nn import Sequential
from tinycnn.nn.classifier import network_input
from tinycnn.train.calibration import calibrate

FOLDS = 5
ROUNDS = 40  # of learning, at most
POOL = 512  # augmented corrections, about
KNOWN = 3000  # bundled digits: two thirds for training, a third for validation

FEW = 20  # with fewer answers there is no verdict
CHANCE = 0.05  # a change that is more likely than this by chance alone does not count


class Change(PairedComparison):
    """The same images, read before (first) and after (second) learning."""

    @property
    def right_before(self) -> int:
        return self.n - self.neither - self.only_second

    @property
    def right_after(self) -> int:
        return self.n - self.neither - self.only_first

    @property
    def verdict(self) -> str:
        """One of "too few to tell", "no clear change", "better" and "worse"."""
        if self.n < FEW:
            return "too few to tell"
        if self.p_value > CHANCE:
            return "no clear change"
        return "better" if self.only_second > self.only_first else "worse"


@dataclass(frozen=True, eq=False)
class Adaptation:
    """An adapted network and its results.

    ``drawings`` compares answers to corrections, each by a fold model that had not seen it, and
    ``digits`` those to the test part of the bundled digits, none of which was shown in adapting.
    """

    model: Sequential  # a copy; the network that it came from is as it was
    drawings: Change
    digits: Change
    digits_known: float | None  # share of ``digits`` that the base was trained on, if it says so
    rounds: int  # the best number of rounds; 0: the base is best, and ``model`` equals it
    in_time: bool  # whether all rounds were run before time was up


def adapt(
    model: Sequential,
    corrections: Sequence[Correction],
    digits: Dataset,
    seed: int = 0,
    seconds: float = 2.0,
) -> Adaptation:
    """Let a copy of ``model`` learn from ``corrections``, for at most ``seconds``.

    Corrections of classes that it does not have are left out. Equal arguments give equal bytes,
    unless time was up. Raises RunError for fewer than five corrections, and if ``model`` has no
    class of ``digits``.
    """
    reader = Recognizer.of(model)
    drawn = [correction for correction in corrections if correction.label in reader.classes]
    if len(drawn) < FOLDS:
        raise RunError(f"{FOLDS} corrected digits are the least to learn from, not {len(drawn)}")
    data = _adaptation_data(model, drawn, digits, seed)
    results = cross_validate(data, ROUNDS, seconds)
    images, labels = _readable(digits, "test", reader.classes)
    trained_on = share_trained_on(model, images)
    adapted = _final_model(model, results, images, labels, trained_on)
    was, now = (r(images).probabilities.argmax(axis=1) for r in (reader, Recognizer.of(adapted)))
    return Adaptation(
        model=adapted,
        drawings=Change.of(*results.predictions(), data.labels),
        digits=Change.of(was, now, labels),
        digits_known=trained_on,
        rounds=results.best_round(),
        in_time=len(results.rounds) == ROUNDS + 1,
    )


def _adaptation_data(
    model: Sequential, corrections: Sequence[Correction], digits: Dataset, seed: int
) -> AdaptationData:
    """The data of all fold models, as the layer that learns gets them."""
    tracer, classes = Tracer(model), Recognizer.of(model).classes
    start, rng = tracer.last_weights(), np.random.default_rng(seed)

    def to_start(images: np.ndarray) -> np.ndarray:
        return tracer.run(network_input(model, images), 0, start)

    drawn = np.stack([correction.image() for correction in corrections])
    copies = max(1, POOL // len(drawn))
    replay, labels = _readable(digits, "train", classes)
    some = rng.permutation(len(replay))[:KNOWN]
    validation, training = np.split(some, [len(some) // 3])
    return AdaptationData(
        model=tracer.model.part(start, len(tracer.layers)),
        labels=np.array([classes.index(correction.label) for correction in corrections]),
        folds=rng.permutation(np.arange(len(drawn)) % FOLDS),
        drawings=to_start(drawn),
        augmented=to_start(augmented(np.repeat(drawn, copies, axis=0)[None], MILD, [rng])[0]),
        copies=copies,
        replay=to_start(augmented(replay[training][None], MILD, [rng])[0]),
        replay_labels=labels[training],
        known=to_start(replay[validation]),
        known_labels=labels[validation],
        seed=seed,
    )


def _final_model(
    model: Sequential,
    results: CrossValidation,
    images: np.ndarray,
    labels: np.ndarray,
    trained_on: float | None,
) -> Sequential:
    """A copy of ``model`` with the parameters of the final model after the best round.

    If it was calibrated, it is so again, on images (N,H,W) that it was not adapted on. If its base
    was trained on them, they give a temperature that is far too low, so none is kept.
    """
    adapted, best = copy.deepcopy(model), results.best_round()
    start = Tracer(model).last_weights()
    for layer, params in zip(adapted.layers[start:], results.rounds[best].params, strict=False):
        for key, z in params.items():
            layer.params[key][...] = z
    story = {**model.description, "adapted": {"corrections": len(results.folds), "rounds": best}}
    adapted.description = story
    if best and "calibration" in story:
        calibration = calibrate(adapted, images, labels, Recognizer.of(adapted).classes)
        if trained_on != 0:
            del calibration["temperature"]
        adapted.description = {**story, "calibration": calibration}
    return adapted


def _readable(digits: Dataset, part: str, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The images of a part whose classes the network has, and their class indices."""
    images, labels = digits.part(part)
    mine = digits.labels_in(classes, labels)
    if not (mine >= 0).any():
        raise RunError(
            f"the network reads no class of {digits.name}: it would forget what it knows"
        )
    return images[mine >= 0], mine[mine >= 0]
