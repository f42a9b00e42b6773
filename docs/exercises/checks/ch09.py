"""Chapter 9: a gradient checker is checked."""

import numpy as np

from checking import compare, insist
from tinycnn.nn import reference
from tinycnn.nn.differences import STEP
from tinycnn.nn.differences import numerical_gradient as by_library


def numerical_gradient(answer, rng):
    z, a = rng.standard_normal((2, 3, 2))

    def f(z):
        return float((a * np.exp(z)).sum() + 1e3 * np.sin(z[0, 0] * z[2, 1]))

    right = by_library(lambda: f(z), z, 1.0)
    kept, given = z.copy(), answer.__wrapped__(f, z)
    insist(np.array_equal(z, kept), "z has been changed; put every number back, or nudge a copy")
    nudges = STEP * np.eye(z.size).reshape(z.size, *z.shape)
    above = np.array([(f(z + nudge) - f(z)) / STEP for nudge in nudges]).reshape(z.shape)
    mistakes = {
        "both ways, so the distance is two steps: divide by 2 * step": 2 * right,
        "nudge both ways; one way is not exact enough": above,
    }
    compare("the gradient", given, right, mistakes)


def suspects(answer, rng):
    cases, wrong = _cases(rng)
    given = set(answer(cases))
    insist(given <= cases.keys(), f"{given - cases.keys()} are no names of cases")
    hint = "finite differences are never exact; allow a relative error of 1e-6 or so"
    insist(given <= wrong, f"{min(given - wrong, default='')} is right\nhint: {hint}")
    hint = "compare every number, relative to the largest"
    missed = min(wrong - given, default="")
    insist(given >= wrong, f"{missed} is wrong, and you let it pass\nhint: {hint}")


def _cases(rng):
    """Return right and wrong gradients, A to E, in an order that changes; and which are wrong."""
    dy, w = rng.standard_normal((4, 5)), rng.standard_normal((3, 5))
    softmax, turn = reference.softmax, np.ones((4, 5))
    turn[2, 3] = -1
    right = [
        (lambda x: reference.dense(x, w, 0.0), lambda x: dy @ w.T, (4, 3)),
        (softmax, lambda x: reference.softmax_backward(dy, softmax(x)), (4, 5)),
    ]
    wrong = [
        (np.exp, lambda x: 1.001 * dy * np.exp(x), (4, 5)),
        (np.sin, lambda x: turn * dy * np.cos(x), (4, 5)),
        (softmax, lambda x: dy * softmax(x) * (1 - softmax(x)), (4, 5)),  # as if a sigmoid
    ]
    chosen = right + wrong[: int(rng.integers(1, 4))]
    names = dict(zip("ABCDE", rng.permutation(len(chosen)).tolist(), strict=False))
    cases = {}
    for name, k in names.items():
        operation, df, shape = chosen[k]
        cases[name] = (_summed(operation, dy), df, rng.standard_normal(shape))
    return cases, {name for name, k in names.items() if k >= len(right)}


def _summed(operation, dy):
    return lambda x: float((dy * operation(x)).sum())
