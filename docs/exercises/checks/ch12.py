"""Chapter 12: sparse sums, and sums whose bits do not depend on who is first."""

import numpy as np

from checking import compare, insist
from tinycnn.nn import reference


def dw_of_the_living(answer, rng):
    KH, KW, OH, OW = 2, 3, 3, 4
    x, dy = rng.standard_normal((2 * OH + KH - 1, 2 * OW + KW - 1)), rng.standard_normal((OH, OW))
    winner = rng.integers(0, 5, dy.shape).astype(np.uint8)
    right = _dw(dy, winner, x, (KH, KW))
    given = answer(np.where(winner == 4, np.nan, dy), winner, x, (KH, KW))
    looked = bool(np.isnan(given).any())
    insist(not looked, "dw is NaN: you have looked at a dy where no winner is alive, a NaN")
    exchanged = np.where(winner == 4, 4, winner // 2 + 2 * (winner % 2))
    first = np.where(winner == 4, 4, 0)
    places = "rows and columns of the places are exchanged: winner // 2 is the row"
    mistakes = {
        places: _dw(dy, exchanged, x, (KH, KW)),
        "the winner's place in its pooling window is missing": _dw(dy, first, x, (KH, KW)),
        "dy is missing": _dw(np.ones_like(dy), winner, x, (KH, KW)),
    }
    compare("dw", given, right, mistakes)


def _dw(dy, winner, x, kernel_size):
    dw, _ = reference.conv2d_relu_maxpool2d_backward_params(
        dy[None, ..., None], winner[None, ..., None], x[None, ..., None], kernel_size, 2
    )
    return dw[0, :, :, 0]


def sum_in_pieces(answer, rng):
    values = (rng.standard_normal(1000) * 10.0 ** rng.integers(-3, 8, 1000)).astype(np.float32)
    pieces, right = int(rng.integers(6, 20)), np.float32(0)
    for p in range(pieces):
        right += values[p * 1000 // pieces : (p + 1) * 1000 // pieces].sum()
    given = answer(values, pieces, list(range(pieces)))
    compare("the sum", given, right, close=1e-3)
    hint = "sum each piece with .sum(), and add these in order, in float32"
    to_the_bit = f"the sum is {given!r}, but {right!r} is right, to the last bit\nhint: {hint}"
    insist(given == right, to_the_bit)
    for _ in range(10):
        again = answer(values, pieces, rng.permutation(pieces).tolist())
        insist(again == given, "another order, other bits: add up when all the pieces are there")
