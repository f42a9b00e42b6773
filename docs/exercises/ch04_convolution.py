"""Exercises of chapter 4. Check them with: python docs/exercises/check.py 4"""

import numpy as np


def conv2d(x: np.ndarray, w: np.ndarray, b: float) -> np.ndarray:
    """Lay one filter over one image, everywhere where it fits.

        y[i,j] = b + sum_{u,v} x[i+u,j+v] * w[u,v]

    x (H,W), w (KH,KW), b a number  ->  y (OH,OW) with OH = H-KH+1, OW = W-KW+1
    """
    raise NotImplementedError


def conv2d_backward_params(dy: np.ndarray, x: np.ndarray, kernel_size: tuple) -> tuple:
    """Return dw and db of the ``conv2d`` above.

    dy (OH,OW), x (H,W), kernel_size (KH,KW)  ->  dw (KH,KW), db a number
    """
    raise NotImplementedError


def conv2d_backward_input(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return dx of the ``conv2d`` above.

    dy (OH,OW), w (KH,KW)  ->  dx (H,W) with H = OH+KH-1, W = OW+KW-1
    """
    raise NotImplementedError


def conv2d_of_many(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Do the same for N images of C channels with F filters.

        y[n,i,j,f] = b[f] + sum_{u,v,c} x[n,i+u,j+v,c] * w[f,u,v,c]

    x (N,H,W,C), w (F,KH,KW,C), b (F,)  ->  y (N,OH,OW,F)
    """
    raise NotImplementedError
