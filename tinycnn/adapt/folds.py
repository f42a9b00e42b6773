"""Cross-validation: fold models learn in step, and are evaluated after every round."""

import copy
import math
from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from tinycnn.nn import SGD, Sequential, SoftmaxCrossEntropy
from tinycnn.nn.fit import train_step
from tinycnn.train.batches import stream

DRAWN, KNOWN = 32, 224  # drawings per round, and bundled digits
BATCH = 32  # of both together
LR, MOMENTUM = 0.002, 0.9
FORGOTTEN = 0.005  # share of the known digits


@dataclass(frozen=True, eq=False)
class AdaptationData:
    """The data to learn from and to evaluate on; arrays hold the input of ``model``.

    n is the number of drawings, that is of corrections; the digits are bundled ones.
    """

    model: Sequential  # the layers that learn; each fold model has a copy
    labels: np.ndarray  # (n,): what each drawing is
    folds: np.ndarray  # (n,): the fold of each drawing
    drawings: np.ndarray  # (n,...): unchanged, for validation
    augmented: np.ndarray  # (n * copies,...): ``copies`` of each in a row, for training
    copies: int
    replay: np.ndarray  # digits for training
    replay_labels: np.ndarray
    known: np.ndarray  # digits that must not be forgotten, for validation
    known_labels: np.ndarray
    seed: int


class FoldModel:
    """A copy of the layers that learns from all folds but ``fold``; None: from all."""

    def __init__(self, data: AdaptationData, fold: int | None) -> None:
        self._data = data
        self.model = copy.deepcopy(data.model)
        self._optimizer = SGD(self.model, LR, MOMENTUM)
        self._loss = SoftmaxCrossEntropy()
        self.held_out = np.flatnonzero(data.folds == fold)
        self._training = np.flatnonzero(data.folds.repeat(data.copies) != fold)
        self._rng = stream(data.seed, 0 if fold is None else fold + 1)

    def learn(self) -> None:
        """Train for one round: on augmented drawings and bundled digits, mixed."""
        data, rng = self._data, self._rng
        drawn = rng.choice(self._training, DRAWN)
        known = rng.choice(len(data.replay), KNOWN)
        x = np.concatenate([data.augmented[drawn], data.replay[known]])
        labels = np.concatenate([data.labels[drawn // data.copies], data.replay_labels[known]])
        for batch in rng.permutation(DRAWN + KNOWN).reshape(-1, BATCH):
            train_step(self.model, self._loss, self._optimizer, x[batch], labels[batch])


class Round(NamedTuple):
    """What came of a round, on drawings that were held out and on known digits."""

    losses: np.ndarray  # (n,): of each drawing, by the fold model that has not seen it
    predictions: np.ndarray  # (n,): likewise
    misread: int  # of the known digits, by the final model
    params: list[dict[str, np.ndarray]]  # of the final model


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """The results after every round; round 0 is the base."""

    folds: np.ndarray  # (n,): the fold of each drawing
    known: int  # how many digits must not be forgotten
    rounds: list[Round]

    def predictions(self) -> tuple[np.ndarray, np.ndarray]:
        """The predictions (n,) before, and after the round that is best for the other folds."""
        before = self.rounds[0].predictions
        after = before.copy()
        for fold in np.unique(self.folds):
            mine = self.folds == fold
            after[mine] = self.rounds[self.best_round(~mine)].predictions[mine]
        return before, after

    def best_round(self, drawings: np.ndarray | slice = slice(None)) -> int:
        """The round after which the loss over ``drawings`` is lowest and little is forgotten.

        Half a percent more of the known digits may be misread, or one standard error of the base's
        accuracy p on them, sqrt(p (1 - p) / n), if that is more: it could be chance.
        """
        errors = np.array([each.misread for each in self.rounds]) / self.known
        allowed = max(FORGOTTEN, math.sqrt(errors[0] * (1 - errors[0]) / self.known))
        losses = np.array([each.losses for each in self.rounds])[:, drawings].sum(axis=1)
        return int(np.where(errors - errors[0] <= allowed, losses, np.inf).argmin())


def cross_validate(data: AdaptationData, rounds: int, seconds: float) -> CrossValidation:
    """Train a model for each fold, and a final one on all, for ``rounds`` or ``seconds``.

    It does not stop early: digits forgotten in the first rounds, while the drawings are new, are
    often learned again in later ones.
    """
    end = monotonic() + seconds
    fold_models = [FoldModel(data, fold) for fold in np.unique(data.folds).tolist()]
    final = FoldModel(data, None)
    results = [_evaluate(data, fold_models, final)]
    while len(results) <= rounds and monotonic() <= end:
        for fold_model in (*fold_models, final):
            fold_model.learn()
        results.append(_evaluate(data, fold_models, final))
    return CrossValidation(data.folds, len(data.known), results)


def _evaluate(data: AdaptationData, fold_models: list[FoldModel], final: FoldModel) -> Round:
    """Test ``fold_models`` on the drawings, and ``final``, which saw them all, on digits."""
    losses, predictions = np.zeros(len(data.labels)), np.zeros(len(data.labels), int)
    for fold_model in fold_models:
        mine = fold_model.held_out
        logits = fold_model.model.forward(data.drawings[mine])
        losses[mine] = -log_softmax(logits, axis=1)[np.arange(len(mine)), data.labels[mine]]
        predictions[mine] = logits.argmax(axis=1)
    read = final.model.forward(data.known).argmax(axis=1)
    misread = int(np.count_nonzero(read != data.known_labels))
    params = [{key: z.copy() for key, z in layer.params.items()} for layer in final.model]
    return Round(losses, predictions, misread, params)
