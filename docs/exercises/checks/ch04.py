"""Chapter 4: a convolution and its gradients, compared with the library's reference."""

import numpy as np

from checking import compare, copies, parts
from tinycnn.nn import reference


def _image_and_filter(rng):
    """Return an image and a filter, neither of them square, so that no axes can be exchanged."""
    KH, KW = 2, 3
    H, W = KH + int(rng.integers(2, 5)), KW + int(rng.integers(0, 4))
    return rng.standard_normal((H, W)), rng.standard_normal((KH, KW))


def _conv2d(x, w, b=0.0):
    return reference.conv2d(x[None, ..., None], w[None, ..., None], np.array([b]))[0, :, :, 0]


def conv2d(answer, rng):
    (x, w), b = _image_and_filter(rng), 0.5
    right = _conv2d(x, w, b)
    mistakes = {
        "the bias is missing": right - b,
        "the bias is added once for each output, not for each weight": right + b * (w.size - 1),
        "you turned the filter. Mathematicians do; here w[u,v] meets x[i+u,j+v]": _conv2d(
            x, w[::-1, ::-1], b
        ),
        "the filter may not hang over the border: there are H-KH+1 rows, W-KW+1 columns": _conv2d(
            np.pad(x, ((0, w.shape[0] - 1), (0, w.shape[1] - 1))), w, b
        ),
    }
    compare("y", answer(**copies(x=x, w=w), b=b), right, mistakes)


def conv2d_backward_params(answer, rng):
    x, w = _image_and_filter(rng)
    dy = rng.standard_normal(_conv2d(x, w).shape)
    dw, db = parts("dw, db", answer(**copies(dy=dy, x=x), kernel_size=w.shape), 2)
    right = _conv2d(x, dy)
    mistakes = {
        "your dw is turned: w[u,v] met x[i+u,j+v]": right[::-1, ::-1],
        "dy is missing": _conv2d(x, np.ones_like(dy)),
        "that is a mean; each y counts in full": right / dy.size,
        "you kept only the last window: add up, do not assign": dy[-1, -1]
        * x[-w.shape[0] :, -w.shape[1] :],
    }
    compare("dw", dw, right, mistakes)
    compare("db", db, dy.sum(), {"b influences every y: sum dy, not its mean": dy.mean()})


def conv2d_backward_input(answer, rng):
    x, w = _image_and_filter(rng)
    dy = rng.standard_normal(_conv2d(x, w).shape)
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
    compare("dx", answer(**copies(dy=dy, w=w)), right, mistakes)


def _overwritten(dy, w):
    dx = np.zeros((dy.shape[0] + w.shape[0] - 1, dy.shape[1] + w.shape[1] - 1))
    for i, j in np.ndindex(dy.shape):
        dx[i : i + w.shape[0], j : j + w.shape[1]] = dy[i, j] * w
    return dx


def conv2d_of_many(answer, rng):
    N, C, F = 2, 3, 4
    x, w = rng.standard_normal((N, 5, 6, C)), rng.standard_normal((F, 2, 3, C))
    b = rng.standard_normal(F)
    right = reference.conv2d(x, w, b)
    last = reference.conv2d(x[..., -1:], w[..., -1:], b)
    mistakes = {
        "the bias is missing": right - b,
        "the bias is added once for each place of the filter; once for each output is enough": (
            right + b * (w[0, ..., 0].size - 1)
        ),
        "filters are the last axis of y: (N,OH,OW,F)": right.transpose(0, 3, 1, 2),
        "add up over the channels; you kept only the last one": last,
    }
    compare("y", answer(**copies(x=x, w=w, b=b)), right, mistakes)
