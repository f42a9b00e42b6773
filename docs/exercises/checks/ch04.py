"""Chapter 4: a convolution and its gradients, compared with the library's reference."""

import numpy as np

from checking import compare, parts
from tinycnn.nn import reference


def _numbers(rng):
    """Return image, filter and dy, none of them square, so that no axes can be exchanged."""
    KH, KW = 2, 3
    H, W = KH + int(rng.integers(2, 5)), KW + int(rng.integers(0, 4))
    shapes = (H, W), (KH, KW), (H - KH + 1, W - KW + 1)
    return [rng.standard_normal(shape) for shape in shapes]


def _conv2d(x, w, b=0.0):
    return reference.conv2d(x[None, ..., None], w[None, ..., None], np.array([b]))[0, :, :, 0]


def conv2d(answer, rng):
    (x, w, _), b = _numbers(rng), 0.5
    right, framed = _conv2d(x, w, b), np.pad(x, ((0, w.shape[0] - 1), (0, w.shape[1] - 1)))
    turned = "you turned the filter. Mathematicians do; here w[u,v] meets x[i+u,j+v]"
    border = "the filter may not hang over the border: there are H-KH+1 rows, W-KW+1 columns"
    mistakes = {
        "the bias is missing": right - b,
        "the bias is added once for each output, not for each weight": right + b * (w.size - 1),
        turned: _conv2d(x, w[::-1, ::-1], b),
        border: _conv2d(framed, w, b),
    }
    compare("y", answer(x, w, b), right, mistakes)


def conv2d_backward_params(answer, rng):
    x, w, dy = _numbers(rng)
    dw, db = parts("dw, db", answer(dy, x, w.shape), 2)
    right, last = _conv2d(x, dy), dy[-1, -1] * x[-w.shape[0] :, -w.shape[1] :]
    mistakes = {
        "your dw is turned: w[u,v] met x[i+u,j+v]": right[::-1, ::-1],
        "dy is missing": _conv2d(x, np.ones_like(dy)),
        "that is a mean; each y counts in full": right / dy.size,
        "you kept only the last window: add up, do not assign": last,
    }
    compare("dw", dw, right, mistakes)
    compare("db", db, dy.sum(), {"b influences every y: sum dy, not its mean": dy.mean()})


def conv2d_backward_input(answer, rng):
    _, w, dy = _numbers(rng)
    KH, KW = w.shape
    framed = np.pad(dy, ((KH - 1, KH - 1), (KW - 1, KW - 1)))
    right = _conv2d(framed, w[::-1, ::-1])
    mistakes = {
        "your dx has the filter not turned round; follow the four panels": _conv2d(framed, w),
        "you turned the filter upside down, but not left to right": _conv2d(framed, w[::-1]),
        "you turned the filter left to right, but not upside down": _conv2d(framed, w[:, ::-1]),
        "windows overlap: add up what a pixel gets (+=), do not assign (=)": _overwritten(dy, w),
    }
    if min(dy.shape[0] - KH, dy.shape[1] - KW) >= 0:
        missing = _conv2d(dy, w[::-1, ::-1])
        mistakes["frame dy by KH-1 rows and KW-1 columns of zeros on every side"] = missing
    compare("dx", answer(dy, w), right, mistakes)


def _overwritten(dy, w):
    dx = np.zeros((dy.shape[0] + w.shape[0] - 1, dy.shape[1] + w.shape[1] - 1))
    for i, j in np.ndindex(dy.shape):
        dx[i : i + w.shape[0], j : j + w.shape[1]] = dy[i, j] * w
    return dx


def conv2d_of_many(answer, rng):
    x, w, b = (rng.standard_normal(shape) for shape in ((2, 5, 6, 3), (4, 2, 3, 3), 4))
    right = reference.conv2d(x, w, b)
    many = "the bias is added once for each place of the filter; once for each output is enough"
    last = reference.conv2d(x[..., -1:], w[..., -1:], b)
    mistakes = {
        "the bias is missing": right - b,
        many: right + b * (w[0, ..., 0].size - 1),
        "filters are the last axis of y: (N,OH,OW,F)": right.transpose(0, 3, 1, 2),
        "add up over the channels; you kept only the last one": last,
    }
    compare("y", answer(x, w, b), right, mistakes)
