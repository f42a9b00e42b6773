"""Exercises of chapter 5. Check them with: python docs/exercises/check.py 5"""

import numpy as np


def maxpool2d(x: np.ndarray) -> tuple:
    """Keep the largest number of every 2 x 2 window, and say where in the window it was.

    x (H,W), H and W even  ->  y (H/2,W/2), winner (H/2,W/2) with places 0 1 over 2 3

    Of equal numbers the first one wins.
    """
    raise NotImplementedError


def maxpool2d_backward(dy: np.ndarray, winner: np.ndarray) -> np.ndarray:
    """Return dx of the ``maxpool2d`` above.

    dy and winner (OH,OW)  ->  dx (2*OH,2*OW)
    """
    raise NotImplementedError


def living(y: np.ndarray, winner: np.ndarray) -> np.ndarray:
    """Return ``winner`` with a 4, "none", wherever a ReLU silences the winner.

    y and winner (OH,OW), y before the ReLU  ->  (OH,OW)
    """
    raise NotImplementedError
