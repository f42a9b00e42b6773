"""Chapter 2: a neuron is a dense layer with one output."""

from checking import compare, parts
from tinycnn.nn import reference


def _numbers(rng):
    N, D = (int(size) for size in rng.integers(2, 6, 2))
    N += N == D
    return rng.standard_normal((N, D)), rng.standard_normal(D), float(rng.standard_normal())


def neuron(answer, rng):
    x, w, b = _numbers(rng)
    y = reference.dense(x, w[:, None], b)[:, 0]
    mistakes = {
        "the bias is missing": y - b,
        "the bias is added once for each example, not once for each input": (x * w + b).sum(axis=1),
        "you added up over the examples; each has a y of its own": b + (x * w).sum(),
    }
    compare("y", answer(x, w, b), y, mistakes)


def neuron_backward(answer, rng):
    x, w, _ = _numbers(rng)
    dy = rng.standard_normal(len(x))
    right_dw, right_db = (z[..., 0] for z in reference.dense_backward_params(dy[:, None], x))
    right_dx = reference.dense_backward_input(dy[:, None], w[:, None])
    dw, db, dx = parts("dw, db, dx", answer(dy, x, w), 3)
    mean = "that is the mean over the examples; the loss has taken it, if there is one"
    mistakes = {
        "the weights serve all examples: sum over n": x * dy[:, None],
        "dy is missing: y may matter more or less to the loss": x.sum(axis=0),
        mean: right_dw / len(x),
    }
    compare("dw", dw, right_dw, mistakes)
    mistakes = {
        "the bias serves all examples: sum dy over n": dy,
        "the bias is added to every y, so it takes part N times, each by its dy": len(x),
        "that is the mean of dy; it is the sum": dy.mean(),
    }
    compare("db", db, right_db, mistakes)
    mistakes = {
        "dx is what dw is with x and w exchanged: each dy times w": x * dy[:, None],
        "each example has its own dx; do not sum over n": right_dx.sum(axis=0),
        "dy is missing": w + 0 * x,
    }
    compare("dx", dx, right_dx, mistakes)
