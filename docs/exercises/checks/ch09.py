"""Chapter 9: a gradient checker is checked."""

from functools import partial

import numpy as np

from checking import Wrong, compare, insist
from tinycnn.nn import reference
from tinycnn.nn.differences import STEP
from tinycnn.nn.differences import numerical_gradient as by_library


def numerical_gradient(answer, rng):
    z = rng.standard_normal((3, 2))
    a = rng.standard_normal(z.shape)

    def f(z):
        return float((a * np.exp(z)).sum() + 1e3 * np.sin(z[0, 0] * z[2, 1]))

    right = by_library(lambda: f(z), z, 1.0)
    kept, given = z.copy(), answer(f, z)
    insist(np.array_equal(z, kept), "z has been changed; put every number back, or nudge a copy")
    above = np.array([(f(z + nudge) - f(z)) / STEP for nudge in _nudges(z)]).reshape(z.shape)
    mistakes = {
        "both ways, so the distance is two steps: divide by 2 * step": 2 * right,
        "nudge both ways; one way is not exact enough": above,
    }
    compare("the gradient", given, right, mistakes)


def _nudges(z):
    return STEP * np.eye(z.size).reshape(z.size, *z.shape)


def suspects(answer, rng):
    cases, wrong = _cases(rng)
    given = answer(cases)
    if given is None or given is Ellipsis:
        raise Wrong(f"your function returns {given!r}, not a set of names")
    given = set(given)
    insist(given <= cases.keys(), f"{given - cases.keys()} are no names of cases")
    if given - wrong:
        raise Wrong(
            f"{min(given - wrong)} is right\n"
            "hint: finite differences are never exact; allow a relative error of 1e-6 or so"
        )
    if wrong - given:
        raise Wrong(
            f"{min(wrong - given)} is wrong, and you let it pass\n"
            "hint: compare every number, relative to the largest"
        )


def _cases(rng):
    """Return right and wrong gradients, A to E, in an order that changes; and which are wrong."""
    dy, w = rng.standard_normal((4, 5)), rng.standard_normal((3, 5))
    right = [
        (_through(reference.dense, dy, w, 0.0), lambda x: dy @ w.T, (4, 3)),
        (_through(reference.softmax, dy), partial(_softmax_backward, dy), (4, 5)),
    ]
    wrong = [
        (_through(np.exp, dy), lambda x: 1.001 * dy * np.exp(x), (4, 5)),
        (_through(np.sin, dy), partial(_one_number_wrong, dy), (4, 5)),
        (_through(reference.softmax, dy), partial(_taken_for_a_sigmoid, dy), (4, 5)),
    ]
    chosen = right + wrong[: int(rng.integers(1, 4))]
    names = dict(zip("ABCDE", rng.permutation(len(chosen)).tolist(), strict=False))
    cases = {name: chosen[k] for name, k in names.items()}
    drawn = {name: (f, df, rng.standard_normal(shape)) for name, (f, df, shape) in cases.items()}
    return drawn, {name for name, k in names.items() if k >= len(right)}


def _through(operation, dy, *more):
    return lambda x: float((dy * operation(x, *more)).sum())


def _softmax_backward(dy, x):
    return reference.softmax_backward(dy, reference.softmax(x))


def _taken_for_a_sigmoid(dy, x):
    p = reference.softmax(x)
    return dy * p * (1 - p)


def _one_number_wrong(dy, x):
    dx = dy * np.cos(x)
    dx[2, 3] *= -1
    return dx
