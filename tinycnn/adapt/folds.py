"""Cross-validation: fold models learn in step, and are evaluated after every round."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn.nn import SGD, Sequential, SoftmaxCrossEntropy
from tinycnn.nn.fit import train_step
from tinycnn.train.batches import stream

DRAWN, KNOWN = 32, 224  # drawings per round, and bundled digits
BATCH = 32  # of both together
LR, MOMENTUM = 0.002, 0.9
FORGOTTEN = 0.005  # share of the known digits

Params = list[dict[str, np.ndarray]]


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
        labels = data.labels[drawn // data.copies], data.replay_labels[known]
        order = rng.permutation(DRAWN + KNOWN).reshape(-1, BATCH)
        for batch in order:
            targets = np.concatenate(labels)[batch]
            train_step(self.model, self._loss, self._optimizer, x[batch], targets)

    def params(self) -> Params:
        """A copy of its parameters."""
        return [{key: z.copy() for key, z in layer.params.items()} for layer in self.model]


class CrossValidation:
    """The results after every round on drawings that were held out; round 0 is the base."""

    def __init__(self, data: AdaptationData) -> None:
        self._data = data
        self._losses: list[np.ndarray] = []  # (n,) per round
        self._predictions: list[np.ndarray] = []  # (n,) per round
        self._params: list[Params] = []
        self._misread: list[int] = []  # of the known digits, by the final model

    def evaluate(self, fold_models: Sequence[FoldModel], final: FoldModel) -> None:
        """Test ``fold_models`` on the drawings, and ``final``, which saw them all, on digits."""
        labels = self._data.labels
        losses, predictions = np.zeros(len(labels)), np.zeros(len(labels), int)
        for fold_model in fold_models:
            mine = fold_model.held_out
            logits = fold_model.model.forward(self._data.drawings[mine])
            losses[mine] = _cross_entropies(logits, labels[mine])
            predictions[mine] = logits.argmax(axis=1)
        self._losses.append(losses)
        self._predictions.append(predictions)
        self._params.append(final.params())
        read = final.model.forward(self._data.known).argmax(axis=1)
        self._misread.append(int(np.count_nonzero(read != self._data.known_labels)))

    def rounds(self) -> int:
        """How many rounds there were."""
        return len(self._losses) - 1

    def best_round(self) -> int:
        """The round after which the loss over all drawings is lowest."""
        return self._best(np.arange(len(self._data.labels)))

    def predictions(self) -> tuple[np.ndarray, np.ndarray]:
        """The predictions (n,) before, and after the round that is best for the other folds."""
        folds, predictions = self._data.folds, np.array(self._predictions)
        after = predictions[0].copy()
        for fold in np.unique(folds):
            mine = folds == fold
            after[mine] = predictions[self._best(np.flatnonzero(~mine)), mine]
        return predictions[0], after

    def parameters(self) -> Params:
        """The parameters of the final model after the best round."""
        return self._params[self.best_round()]

    def _best(self, drawings: np.ndarray) -> int:
        """The round after which the loss over ``drawings`` is lowest and little is forgotten.

        Half a percent more of the known digits may be misread, or one standard error of the base's
        accuracy p on them, sqrt(p (1 - p) / n), if that is more: it could be chance.
        """
        n = len(self._data.known)
        errors = np.array(self._misread) / n
        allowed = max(FORGOTTEN, math.sqrt(errors[0] * (1 - errors[0]) / n))
        losses = np.array(self._losses)[:, drawings].sum(axis=1)
        return int(np.where(errors - errors[0] <= allowed, losses, np.inf).argmin())


def cross_validate(
    data: AdaptationData, rounds: int, time_is_up: Callable[[], bool]
) -> CrossValidation:
    """Train a model for each fold, and a final one on all, for ``rounds`` or until ``time_is_up``.

    It does not stop early: digits forgotten in the first rounds, while the drawings are new, are
    often learned again in later ones.
    """
    fold_models = [FoldModel(data, fold) for fold in np.unique(data.folds).tolist()]
    final, results = FoldModel(data, None), CrossValidation(data)
    results.evaluate(fold_models, final)
    for _ in range(rounds):
        if time_is_up():
            break
        for fold_model in (*fold_models, final):
            fold_model.learn()
        results.evaluate(fold_models, final)
    return results


def _cross_entropies(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-log p[n,labels[n]] of each example (N,)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    true = shifted[np.arange(len(labels)), labels]
    surprise: np.ndarray = np.log(np.exp(shifted).sum(axis=1)) - true
    return surprise
