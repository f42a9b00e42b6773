"""FoldModels learn from the same course in step, and are examined after every round."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn.nn import SGD, Sequential, SoftmaxCrossEntropy
from tinycnn.nn.fit import train_step
from tinycnn.train.batches import stream

DRAWN, KNOWN = 32, 224  # drawings a round, and digits to practice on
BATCH = 32  # of both together
LR, MOMENTUM = 0.002, 0.9
FORGOTTEN = 0.005  # share of the known digits

Params = list[dict[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Course:
    """What there is to learn; arrays hold the input of ``model``."""

    model: Sequential
    """The layers that learn; fold_models take copies."""

    labels: np.ndarray
    """(n,): what each drawing is."""

    hands: np.ndarray
    """(n,): the hand that each drawing was dealt to."""

    drawings: np.ndarray
    """(n,...): as they were drawn; for exams."""

    augmented: np.ndarray
    """(n * copies,...): the same, augmented, ``copies`` of each in a row; for lessons."""

    copies: int

    replay: np.ndarray
    replay_labels: np.ndarray
    """Digits to practice on."""

    known: np.ndarray
    known_labels: np.ndarray
    """Digits that must not be forgotten, for exams."""

    seed: int


class FoldModel:
    """A copy of the layers that learns from all hands but ``hand``; None: from all."""

    def __init__(self, course: Course, hand: int | None) -> None:
        self._course = course
        self.model = copy.deepcopy(course.model)
        self._optimizer = SGD(self.model, LR, MOMENTUM)
        self._loss = SoftmaxCrossEntropy()
        hands, self.exam = course.hands.repeat(course.copies), np.flatnonzero(course.hands == hand)
        self._lessons = np.flatnonzero(hands != hand)
        self._rng = stream(course.seed, 0 if hand is None else hand + 1)

    def learn(self) -> None:
        """One round: augmented drawings and known digits, mixed."""
        course, rng = self._course, self._rng
        drawn = rng.choice(self._lessons, DRAWN)
        known = rng.choice(len(course.replay), KNOWN)
        x = np.concatenate([course.augmented[drawn], course.replay[known]])
        labels = course.labels[drawn // course.copies], course.replay_labels[known]
        order = rng.permutation(DRAWN + KNOWN).reshape(-1, BATCH)
        for batch in order:
            answers = np.concatenate(labels)[batch]
            train_step(self.model, self._loss, self._optimizer, x[batch], answers)

    def params(self) -> Params:
        """A copy of all it knows."""
        return [{key: z.copy() for key, z in layer.params.items()} for layer in self.model]


class CrossValidation:
    """The marks after every round, round 0 being the base; all about drawings not yet seen."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._losses: list[np.ndarray] = []  # (n,) a round
        self._answers: list[np.ndarray] = []  # (n,) a round
        self._params: list[Params] = []
        self._misread: list[int] = []  # of the known digits, by the last fold_model

    def hold(self, fold_models: Sequence[FoldModel]) -> None:
        """Test all ``fold_models`` but the last, which has seen every drawing."""
        *examined, graduate = fold_models
        labels = self._course.labels
        losses, answers = np.zeros(len(labels)), np.zeros(len(labels), int)
        for fold_model in examined:
            if len(fold_model.exam):
                logits = fold_model.model.forward(self._course.drawings[fold_model.exam])
                losses[fold_model.exam] = _surprise(logits, labels[fold_model.exam])
                answers[fold_model.exam] = logits.argmax(axis=1)
        self._losses.append(losses)
        self._answers.append(answers)
        self._params.append(graduate.params())
        read = graduate.model.forward(self._course.known).argmax(axis=1)
        self._misread.append(int(np.count_nonzero(read != self._course.known_labels)))

    def rounds(self) -> int:
        """How many rounds there were."""
        return len(self._losses) - 1

    def best_round(self) -> int:
        """The round after which all drawings together surprised least."""
        return self._best(np.arange(len(self._course.labels)))

    def answers(self) -> tuple[np.ndarray, np.ndarray]:
        """What was answered (n,) before, and after the round that the other hands found best."""
        hands, answers = self._course.hands, np.array(self._answers)
        after = answers[0].copy()
        for hand in np.unique(hands):
            mine = hands == hand
            after[mine] = answers[self._best(np.flatnonzero(~mine)), mine]
        return answers[0], after

    def parameters(self) -> Params:
        """What the last fold_model knew after the best round."""
        return self._params[self.best_round()]

    def _best(self, drawings: np.ndarray) -> int:
        """The round after which these drawings surprised least, if not too much was forgotten.

        Half a percent of the known digits may be, or one standard error of the base's accuracy p
        on them, sqrt(p (1 - p) / n), if that is more: so much could be mere chance.
        """
        n = len(self._course.known)
        errors = np.array(self._misread) / n
        allowed = max(FORGOTTEN, math.sqrt(errors[0] * (1 - errors[0]) / n))
        surprise = np.array(self._losses)[:, drawings].sum(axis=1)
        return int(np.where(errors - errors[0] <= allowed, surprise, np.inf).argmin())


def hold_exams(course: Course, rounds: int, time_is_up: Callable[[], bool]) -> CrossValidation:
    """Teach a fold_model for each hand, and one for all, round by round until ``time_is_up``.

    There is no stopping earlier: what is forgotten in the first rounds, while drawings are new,
    is often learned again in later ones.
    """
    fold_models = [FoldModel(course, hand) for hand in (*np.unique(course.hands).tolist(), None)]
    exam = CrossValidation(course)
    exam.hold(fold_models)
    for _ in range(rounds):
        if time_is_up():
            break
        for fold_model in fold_models:
            fold_model.learn()
        exam.hold(fold_models)
    return exam


def _surprise(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """-log p[n,labels[n]] of each example (N,)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    true = shifted[np.arange(len(labels)), labels]
    surprise: np.ndarray = np.log(np.exp(shifted).sum(axis=1)) - true
    return surprise
