"""Exercises of chapter 12. Check them with: python docs/exercises/check.py 12"""

import numpy as np


def dw_of_the_living(dy, winner, x, kernel_size: tuple) -> np.ndarray:
    """Return dw of convolution, ReLU and 2 x 2 pooling, visiting living winners only.

    The winner of (i,j) was at row 2*i + winner // 2 and column 2*j + winner % 2 of the
    convolution's output; a 4 means that no winner is alive there. Each living one adds its dy times
    the window of x that it saw. Where none is alive, dy must not even be looked at.

    dy and winner (OH,OW), x (H,W), kernel_size (KH,KW)  ->  dw (KH,KW)
    """
    raise NotImplementedError


def sum_in_pieces(values: np.ndarray, pieces: int, order: list) -> np.float32:
    """Add up float32 numbers in ``pieces`` pieces, as threads would that finish in any order.

    Piece p holds values[p * N // pieces : (p + 1) * N // pieces], and is summed by itself, with
    ``.sum()``. ``order`` says in which order the pieces are done. The result must have the same
    bits for every order: keep each piece's sum, and add the sums up when all are there, from the
    first piece to the last.

    values (N,) float32  ->  a float32
    """
    raise NotImplementedError
