"""Chapter 5: winners, ties included."""

import numpy as np

from checking import compare, parts
from tinycnn.nn import reference


def maxpool2d(answer, rng):
    x = rng.integers(-3, 3, (6, 8)).astype(float)  # few values: many ties
    right_y, right_winner = (z[0, :, :, 0] for z in reference.maxpool2d(x[None, :, :, None], 2))
    y, winner = parts("y, winner", answer(x), 2)
    windows = x.reshape(3, 2, 4, 2).transpose(0, 2, 1, 3).reshape(3, 4, 4)
    mistakes = {
        "a reshape alone makes four of a row: give rows and columns axes of their own, "
        "x.reshape(H // 2, 2, W // 2, 2)": x.reshape(3, 4, 4).max(axis=-1),
        "that is the mean of each window": windows.mean(axis=-1),
        "the largest number may be below zero; do not begin with 0": right_y.clip(min=0),
        "you took the smallest": windows.min(axis=-1),
    }
    compare("y", y, right_y, mistakes)
    columns_first = windows.reshape(3, 4, 2, 2).swapaxes(2, 3).reshape(3, 4, 4)
    last = 3 - windows[..., ::-1].argmax(axis=-1)
    mistakes = {
        "of equal numbers the first one wins; yours is the last": last,
        "places are counted in reading order, 0 1 over 2 3": columns_first.argmax(axis=-1),
    }
    compare("winner", winner, right_winner, mistakes)


def maxpool2d_backward(answer, rng):
    dy = rng.standard_normal((3, 4))
    winner = rng.integers(0, 4, dy.shape).astype(np.uint8)
    everywhere = dy.repeat(2, axis=0).repeat(2, axis=1)
    exchanged = _unpool(dy, winner // 2 + 2 * (winner % 2))
    mistakes = {
        "all four places got the gradient; only the winner influenced y": everywhere,
        "that is the gradient of a mean; the winner gets all": everywhere / 4,
        "rows and columns of the places are exchanged: 0 1 over 2 3": exchanged,
    }
    compare("dx", answer(dy, winner), _unpool(dy, winner), mistakes)


def _unpool(dy, winner):
    size = 2 * dy.shape[0], 2 * dy.shape[1]
    dx = reference.maxpool2d_backward(dy[None, ..., None], winner[None, ..., None], size, 2)
    return dx[0, :, :, 0]


def living(answer, rng):
    y = rng.integers(-2, 3, (4, 5)).astype(float)  # zeros, too
    winner = rng.integers(0, 4, y.shape).astype(np.uint8)
    mistakes = {
        "a winner of exactly 0 does not pass: its gradient is 0": np.where(y < 0, 4, winner),
        "the other way round": np.where(y > 0, 4, winner),
    }
    compare("winner", answer(y, winner), np.where(y > 0, winner, 4), mistakes)
