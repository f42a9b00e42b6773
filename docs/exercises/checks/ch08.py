"""Chapter 8: dropout, averaged weights, and the gradient of batch normalization."""

import numpy as np

from checking import compare, insist, parts
from tinycnn.nn import reference


def dropout(answer, rng):
    x, draw, rate = rng.standard_normal((4, 6)), rng.random((4, 6)), 0.3
    mistakes = {
        "scale up what is left: the mean over all draws must be x": np.where(draw < rate, 0, x),
        "the other way round: a draw below the rate is dropped": np.where(draw < rate, x, 0) / 0.7,
        "divide by the share that is left, 1 - rate": np.where(draw < rate, 0, x) / rate,
    }
    compare("y", answer(x, draw, rate), reference.dropout(x, draw, rate), mistakes)


def move_average(answer, rng):
    average, weights = rng.standard_normal((2, 3, 4))
    given, kept = average.copy(), weights.copy()
    done = answer.__wrapped__(given, kept, 0.9)
    insist(done is None, "return nothing: change average in place")
    insist(np.array_equal(weights, kept), "you changed the weights; only the average moves")
    mistakes = {
        "average is as it was; average[...] = ... or += changes it in place": average,
        "the average keeps the share decay of itself": 0.1 * average + 0.9 * weights,
    }
    compare("average", given, 0.9 * average + 0.1 * weights, mistakes)


def batchnorm_backward(answer, rng):
    x, dy, epsilon = 2 * rng.standard_normal((7, 3)) + 1, rng.standard_normal((7, 3)), 1e-5
    w = rng.standard_normal(3)
    _, mean, variance = reference.batchnorm(x, w, 0 * w, epsilon)
    right = reference.batchnorm_backward(dy, x, w, mean, variance, epsilon)
    dx, dw, db = parts("dx, dw, db", answer(dy, x, w, epsilon), 3)
    compare("db", db, right[2], {"db is the sum of dy, not its mean": dy.mean(axis=0)})
    deviation = np.sqrt(variance + epsilon)
    z, dz = (x - mean) / deviation, dy * w
    compare("dw", dw, right[1], {"w meets z, not x": (dy * x).sum(axis=0)})
    no_variance = dz - dz.mean(axis=0)
    no_mean = dz - z * (dz * z).mean(axis=0)
    sums = dz - dz.sum(axis=0) - z * (dz * z).sum(axis=0)
    mistakes = {
        "that takes mean and variance for constants: they depend on x": dz,
        "the variance depends on x, too: take off z times the mean of dz * z": no_variance,
        "the mean depends on x, too: take the mean of dz off": no_mean,
        "means over the M rows, not sums": sums,
    }
    compare("dx", dx, right[0], {hint: value / deviation for hint, value in mistakes.items()})
