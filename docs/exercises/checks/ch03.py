"""Chapter 3: the backward pass through three layers."""

import numpy as np

from checking import compare, parts
from tinycnn.nn import reference


def relu_backward(answer, rng):
    x, dy = rng.standard_normal((2, 4, 5))
    y = reference.relu(x)
    mistakes = {
        "dy is missing: where y is alive, dx is dy": np.where(y > 0, 1.0, 0.0),
        "a gradient may be below zero; what counts is whether y is alive": reference.relu(dy),
        "what is silenced has no gradient": dy,
        "where y is alive, dx is dy, however large y is": dy * y,
        "the other way round: it is the living that pass dy on": np.where(y > 0, 0, dy),
    }
    compare("dx", answer(dy, y), reference.relu_backward(dy, y), mistakes)


def network_backward(answer, rng):
    N, D, M, K = 5, 3, 6, 2
    x, w1, w2 = (rng.standard_normal(shape) for shape in ((N, D), (D, M), (M, K)))
    dy, h = rng.standard_normal((N, K)), reference.relu(reference.dense(x, w1, np.zeros(M)))
    names = ("dw1", "db1", "dw2", "db2", "dx")
    given = dict(zip(names, parts(", ".join(names), answer(dy, x, w1, h, w2), 5), strict=True))
    dh = reference.dense_backward_input(dy, w2)
    right = dict(zip(("dw2", "db2"), reference.dense_backward_params(dy, h), strict=True))
    right |= _first_layer(reference.relu_backward(dh, h), x, w1)
    leaking = _first_layer(dh, x, w1)
    for name in ("dw2", "db2", "dw1", "db1", "dx"):
        mistakes = {}
        if name in leaking:
            mistakes["your gradient passes through the silenced: the ReLU is missing"] = leaking[
                name
            ]
        if name in ("db1", "db2"):
            mistakes["db is the sum of dy over the examples"] = right[name] / N
        compare(name, given[name], right[name], mistakes)


def _first_layer(dz, x, w1):
    dw1, db1 = reference.dense_backward_params(dz, x)
    return {"dw1": dw1, "db1": db1, "dx": reference.dense_backward_input(dz, w1)}
