"""Chapter 6: softmax and cross-entropy, with logits that are not modest."""

import numpy as np

from checking import compare, insist
from tinycnn.nn import reference


def _rows(rng):
    N, K = int(rng.integers(2, 5)), int(rng.integers(5, 8))
    return rng.standard_normal((N, K)), rng.integers(0, K, N)


def softmax(answer, rng):
    logits, _ = _rows(rng)
    e = np.exp(logits)
    mistakes = {
        "each row adds up to 1 by itself: sum over axis 1, and keep the axis": e / e.sum(),
        "you divided by the sum of a column": e / e.sum(axis=0),
    }
    compare("p", answer(logits), reference.softmax(logits), mistakes)
    logits[0, 0] = 1000
    with np.errstate(all="ignore"):
        p = answer(logits)
    hint = "exp(1000) is too large; take each row's maximum off first"
    finite = bool(np.isfinite(p).all())
    insist(finite, f"with a logit of 1000 it is not finite\nhint: {hint}")
    compare("p", p, reference.softmax(logits))


def cross_entropy(answer, rng):
    logits, labels = _rows(rng)
    right, p = reference.softmax_cross_entropy(logits, labels)
    mean_first = -np.log(p[np.arange(len(p)), labels].mean())
    mistakes = {
        "that is the sum over the examples, not their mean": right * len(p),
        "the sign: a logarithm of a probability is below zero": -right,
        "take the logarithm of each p first, the mean after that": mean_first,
    }
    compare("the loss", answer(logits, labels), right, mistakes)
    logits[0] = 0
    logits[0, labels[0] - 1] = 1000  # the true class gets p = exp(-1000), which is 0 in float64
    with np.errstate(all="ignore"):
        loss = answer(logits, labels)
    hint = "log p = logits - log(sum(exp(logits))), the maximum taken off first; no p needed"
    finite = bool(np.isfinite(loss))
    insist(finite, f"where p is rounded to zero, the loss is not finite\nhint: {hint}")
    compare("the loss", loss, reference.softmax_cross_entropy(logits, labels)[0])


def cross_entropy_backward(answer, rng):
    logits, labels = _rows(rng)
    p = reference.softmax(logits)
    right = reference.softmax_cross_entropy_backward(p, labels)
    truth = np.eye(p.shape[1])[labels]
    mistakes = {
        "the loss is a mean over N examples: divide by N": right * len(p),
        "what was said minus what is true, not the other way round": -right,
        "only the true class of each row is lowered by 1, all others stay p": right * truth,
        "the truth is missing": p / len(p),
        "divide by N, the examples, not by K, the classes": right * len(p) / p.shape[1],
    }
    compare("dlogits", answer(p, labels), right, mistakes)
