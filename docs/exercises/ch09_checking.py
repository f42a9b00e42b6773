"""Exercises of chapter 9. Check them with: python docs/exercises/check.py 9"""

from collections.abc import Callable

import numpy as np


def numerical_gradient(f: Callable, z: np.ndarray) -> np.ndarray:
    """Return the gradient of f(z), a number, with respect to every number of z.

    Nudge both ways, by 1e-5. Leave z as it was.

    z of any shape, float64  ->  the same shape
    """
    raise NotImplementedError


def suspects(cases: dict) -> set:
    """Return the names of the gradients that are wrong.

    ``cases`` maps each name to three things: a function f(z), which gives a number; its gradient
    df(z), right or wrong; and an array z to try them at.
    """
    raise NotImplementedError
