"""A convolution made fast in five steps, each a kernel that runs: python docs/kernels.py

    1 loops      the formula, written out and compiled
    2 blocks     filters side by side, and a row of windows that shares their weights
    3 fused      convolution, ReLU and pooling in one pass
    4 sparse     the gradient, from living winners only
    5 winograd   fewer multiplications

Every step is compared with ``tinycnn.nn.reference`` before it is timed, on one thread. Chapter 12
of the book explains them; ``tinycnn/kernels`` takes the same ideas further.
"""

import sys
import time
from functools import partial
from pathlib import Path

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # tinycnn, if it is not installed

from tinycnn.nn import reference

IMAGES, H, W, C, F, K = 8, 12, 12, 32, 64, 5  # the second convolution of lenet

compiled = numba.njit(error_model="numpy", boundscheck=False)


@compiled
def loops(x, w, b, y):
    """1. x (H,W,C), w (F,KH,KW,C), b (F,), y (OH,OW,F): every sum waits for itself."""
    OH, OW, F = y.shape
    _, KH, KW, C = w.shape
    for i in range(OH):
        for j in range(OW):
            for f in range(F):
                total = b[f]
                for u in range(KH):
                    for v in range(KW):
                        for c in range(C):
                            total += x[i + u, j + v, c] * w[f, u, v, c]
                y[i, j, f] = total


@compiled
def blocks(x, w, b, y):
    """2. w is (KH,KW,C,F): the sums of all filters do not wait for each other."""
    OH, OW, F = y.shape
    KH, KW, C, _ = w.shape
    for i in range(OH):
        y[i] = b
        for u in range(KH):
            for v in range(KW):
                for c in range(C):
                    for j in range(0, OW, 4):  # four windows share each weight that is loaded
                        x0, x1 = x[i + u, j + v, c], x[i + u, j + v + 1, c]
                        x2, x3 = x[i + u, j + v + 2, c], x[i + u, j + v + 3, c]
                        for f in range(F):
                            weight = w[u, v, c, f]
                            y[i, j, f] += x0 * weight
                            y[i, j + 1, f] += x1 * weight
                            y[i, j + 2, f] += x2 * weight
                            y[i, j + 3, f] += x3 * weight


@compiled
def fused(x, w, b, y, winner):
    """3. y and winner are (OH/2,OW/2,F): two rows are computed, compete, and are forgotten."""
    PH, PW, F = y.shape
    two_rows = np.empty((2, 2 * PW, F), y.dtype)
    for i in range(PH):
        blocks(x[2 * i : 2 * i + w.shape[0] + 1], w, b, two_rows)
        for j in range(PW):
            for f in range(F):
                best, where = np.float32(0), 4  # 4: the ReLU lets none of them pass
                for place in range(4):
                    value = two_rows[place // 2, 2 * j + place % 2, f]
                    if value > best:
                        best, where = value, place
                y[i, j, f], winner[i, j, f] = best, where


@compiled
def sparse(dy, winner, x, dw):
    """4. dw (F,KH,KW,C) gets a window of x for each winner that is alive, times its dy."""
    PH, PW, F = dy.shape
    _, KH, KW, C = dw.shape
    for i in range(PH):
        for j in range(PW):
            for f in range(F):
                place = winner[i, j, f]
                if place < 4:
                    top, left = 2 * i + place // 2, 2 * j + place % 2
                    for u in range(KH):
                        for v in range(KW):
                            for c in range(C):
                                dw[f, u, v, c] += dy[i, j, f] * x[top + u, left + v, c]


POINTS = 0, 1, -1, 2, -2


def powers(n):
    """Evaluate a polynomial of n coefficients at five points and at infinity: (6,n)."""
    return np.array([[p**m for m in range(n)] for p in POINTS] + [[0] * (n - 1) + [1]], float)


A, G, B = powers(2), powers(5), np.linalg.inv(powers(6))


def winograd_weights(w):
    """Return w (F,KH,5,C) as six filters of one column, (6,KH,1,C,F)."""
    return np.einsum("pv,fuvc->pucf", G, w)[:, :, None].astype(w.dtype, order="C")


def winograd(x, six_filters, b, y):
    """5. x (N,H,W,C), y (N,OH,OW,F): two neighbors cost 6 products a filter row, not 10."""
    N, OH, OW, F = y.shape
    tiles = np.lib.stride_tricks.sliding_window_view(x, 6, axis=2)[:, :, ::2]  # (N,H,OW/2,C,6)
    transformed = np.tensordot(B.T.astype(x.dtype), tiles, (1, 4))  # (6,N,H,OW/2,C)
    products = np.empty((6, N, OH, OW // 2, F), x.dtype)
    for p, n in np.ndindex(6, N):
        blocks(transformed[p, n], six_filters[p], np.zeros_like(b), products[p, n])
    pairs = np.tensordot(A.T.astype(x.dtype), products, (1, 0))  # (2,N,OH,OW/2,F)
    y[:, :, ::2], y[:, :, 1::2] = pairs + b


def arrays():
    """Return x, w, b, and winners and a dy for the backward pass, of random numbers."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((IMAGES, H, W, C)).astype(np.float32)
    w = (rng.standard_normal((F, K, K, C)) / 28).astype(np.float32)
    b = rng.standard_normal(F).astype(np.float32) - 1
    y, winner = reference.conv2d_relu_maxpool2d(x, w, b, 2)
    return x, w, b, winner, rng.standard_normal(y.shape).astype(np.float32)


def steps():
    """Return each step, a function of no arguments, and what it is to give."""
    x, w, b, winner, dy = arrays()
    side_by_side = np.ascontiguousarray(w.transpose(1, 2, 3, 0))
    six_filters = winograd_weights(w)
    y = np.empty((IMAGES, H - K + 1, W - K + 1, F), np.float32)
    pooled, places, dw = np.empty_like(dy), np.empty_like(winner), np.empty_like(w)

    def each_image(kernel, weights):
        for n in range(IMAGES):
            kernel(x[n], weights, b, y[n])
        return y

    def all_fused():
        for n in range(IMAGES):
            fused(x[n], side_by_side, b, pooled[n], places[n])
        return pooled

    def all_sparse():
        dw[...] = 0
        for n in range(IMAGES):
            sparse(dy[n], winner[n], x[n], dw)
        return dw

    def all_winograd():
        winograd(x, six_filters, b, y)
        return y

    right = reference.conv2d(x, w, b)
    gradient, _ = reference.conv2d_relu_maxpool2d_backward_params(dy, winner, x, (K, K), 2)
    return {
        "1 loops": (partial(each_image, loops, w), right),
        "2 blocks": (partial(each_image, blocks, side_by_side), right),
        "3 fused": (all_fused, reference.conv2d_relu_maxpool2d(x, w, b, 2)[0]),
        "4 sparse": (all_sparse, gradient),
        "5 winograd": (all_winograd, right),
    }


def fastest(work, rounds=7):
    """Return the microseconds per image of the fastest of some rounds, after one to warm up."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        work()
        times.append(1e6 * (time.perf_counter() - start) / IMAGES)
    return min(times[1:])


def measure():
    """Check every step, then time it."""
    times = {}
    for name, (work, right) in steps().items():
        error = abs(work() - right).max() / abs(right).max()
        if error > 1e-5:
            raise SystemExit(f"step {name} is wrong by {error:.0e} of the largest number")
        times[name] = fastest(work)
    return times


if __name__ == "__main__":
    for name, microseconds in measure().items():
        print(f"{name:12} right, {microseconds:8.1f} µs per image")
