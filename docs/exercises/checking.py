"""How an answer is judged: on random input, beside what is right, and beside what is often wrong.

A check calls the reader's function several times and compares. Where an answer is not right but
is just what a well-known mistake gives, the mistake is named: that is the hint.

The function gets copies of arrays, and has to return something; ``answer.__wrapped__`` is the one
to call where it is to change what it gets.
"""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

TRIALS = 4
"""Random inputs for each check."""

RIGHT, WRONG, BLANK = "right", "wrong", "not written yet"

CLOSE = 1e-6
"""Largest difference to what is right, relative to the largest number in it."""


class Wrong(Exception):
    """An answer is wrong; the message says where, and gives a hint if there is one."""


@dataclass(frozen=True)
class Verdict:
    """What is to be said about one exercise."""

    name: str
    word: str
    detail: str = ""

    def __str__(self) -> str:
        lines = self.detail.splitlines()
        return "\n".join([f"{self.word:<16} {self.name}", *(f"{'':<16} {line}" for line in lines)])


def judge(answers: ModuleType, checks: Mapping[str, Callable]) -> list[Verdict]:
    """Try the function of each name in ``checks``: called with it and a random generator."""
    return [_judge(name, getattr(answers, name, None), check) for name, check in checks.items()]


def _judge(name: str, answer: Any, check: Callable) -> Verdict:
    if answer is None:
        return Verdict(name, WRONG, f"there is no function {name} any more")
    try:
        for trial in range(TRIALS):
            praise = check(_careful(answer), np.random.default_rng([trial, len(name)]))
    except NotImplementedError:
        return Verdict(name, BLANK)
    except Wrong as error:
        return Verdict(name, WRONG, str(error))
    except Exception as error:
        return Verdict(name, WRONG, f"{type(error).__name__}: {error}{_place(error)}")
    return Verdict(name, RIGHT, praise or "")


def _careful(answer: Callable) -> Callable:
    @wraps(answer)
    def call(*arguments: Any) -> Any:
        given = answer(*(z.copy() if isinstance(z, np.ndarray) else z for z in arguments))
        insist(given is not None and given is not Ellipsis, f"your function returns {given!r}")
        return given

    return call


def _place(error: Exception) -> str:
    """Return the line of the reader's file that the error came from."""
    calls = traceback.extract_tb(error.__traceback__)
    frames = [call for call in calls if Path(call.filename).match("exercises/ch*.py")]
    return f"\nin line {frames[-1].lineno}: {frames[-1].line}" if frames else ""


def compare(
    name: str, given: Any, right: Any, mistakes: Mapping[str, Any] = {}, close: float = CLOSE
) -> None:
    """Raise Wrong unless ``given`` is ``right``; ``mistakes`` are hints and what they explain."""
    given, right = np.asarray(given), np.asarray(right)
    if _same(given, right, close):
        return
    hints = [hint for hint, value in mistakes.items() if _same(given, np.asarray(value), close)]
    raise Wrong("\n".join([_difference(name, given, right), *(f"hint: {h}" for h in hints[:1])]))


def insist(holds: bool, sentence: str) -> None:
    """Raise Wrong with ``sentence`` unless it holds."""
    if not holds:
        raise Wrong(sentence)


def parts(name: str, given: Any, count: int) -> tuple:
    """Return the ``count`` results of a function that is to return several."""
    insist(isinstance(given, tuple) and len(given) == count, f"return {name}, in this order")
    return given


def _same(given: np.ndarray, right: np.ndarray, close: float) -> bool:
    if given.shape != right.shape or given.dtype.kind not in "biuf":
        return False
    difference = np.abs(given.astype(np.float64) - right)
    return bool((difference <= close * max(np.abs(right).max(initial=0), 1e-300)).all())


def _difference(name: str, given: np.ndarray, right: np.ndarray) -> str:
    if given.dtype.kind not in "biuf":
        return f"{name} holds {given.dtype}, expected numbers"
    if given.shape != right.shape:
        return f"{name} has shape {given.shape}, expected {right.shape}"
    apart = np.abs(given.astype(np.float64) - right)
    at = np.unravel_index(np.nan_to_num(apart, nan=np.inf).argmax(), right.shape)
    where = name + (f"[{','.join(map(str, at))}]" if at else "")
    return f"{where} is {given[at]:.6g}, but {right[at]:.6g} is right"
