"""The operations of ``reference.py`` under the same names, as compiled loops: run this.

Each public function checks its arguments in Python, because compiled loops do not, and then
hands flat arrays to a kernel. The heavy ones rest on the two loops of ``blocks.py``:

    forward and dense gradients   eight windows at a time meet a vector of filters
    gradients of a fused stage    only winners that are alive are visited

Work is cut into pieces whose number depends on the shapes alone, every piece owns what it
writes, and sums over pieces are added in order: the bits do not depend on how many threads run.
"""

import functools
import math

import numpy as np
from numba import prange

from tinycnn.nn import checks
from tinycnn.nn.blocks import ROWS, add_windows, eight_sums, window_slots
from tinycnn.nn.compile import kernel, parallel_kernel
from tinycnn.nn.vectors import (
    LANES,
    add,
    beats,
    equals,
    fill,
    load_first,
    select,
    store_first,
    zeros,
)

# ------------------------------------------------------------------------------- convolution


def conv2d(x, w, b):
    """See ``reference.conv2d``."""
    x, w, b = checks.conv2d(x, w, b)
    N, H, W, C = x.shape
    F, KH, KW, _ = w.shape
    OH, OW = H - KH + 1, W - KW + 1
    y = _empty((N, OH, OW, F), x.dtype)
    offsets = _window_offsets(W, C, OH, OW, 1)
    _conv2d(x.ravel(), N, offsets, W * C, KH, KW * C, _by_tap(w), b, y.ravel())
    return y


@parallel_kernel
def _conv2d(x, N, offsets, row, rows, run, w, b, y):
    F, OUT = b.size, offsets.size
    for n in prange(N):  # n owns y[n]
        base = n * (x.size // N)
        for f in range(0, F, LANES):
            bias = load_first(b, f, F - f)
            for p in range(0, OUT, ROWS):
                sums = eight_sums(x, base, offsets, p, row, rows, 1, run, w, f, F, F - f, bias)
                for q in range(min(ROWS, OUT - p)):
                    store_first(y, (n * OUT + p + q) * F + f, sums[q], F - f)


def conv2d_backward_params(dy, x, kernel_size):
    """See ``reference.conv2d_backward_params``.

    Seen from one image, dw is a valid convolution of x with dy in the place of the kernel.
    """
    dy, x = checks.conv2d_backward_params(dy, x, kernel_size)
    N, H, W, C = x.shape
    _, OH, OW, F = dy.shape
    KH, KW = kernel_size
    offsets = _tap_offsets(W, C, KH, KW)
    parts = _empty((_pieces(N), offsets.size, F), x.dtype)
    _conv2d_backward_params(dy.ravel(), x.ravel(), N, offsets, W * C, OH, C, OW, parts)
    return _sum_by_filter(parts, (F, KH, KW, C)), dy.sum(axis=(0, 1, 2))


@parallel_kernel
def _conv2d_backward_params(dy, x, N, offsets, row, rows, step, run, parts):
    PIECES, T, F = parts.shape
    for piece in prange(PIECES):  # piece owns parts[piece]
        parts[piece] = 0
        for n in range(piece * N // PIECES, (piece + 1) * N // PIECES):
            x_n, dy_n = n * (x.size // N), n * rows * run * F
            _correlate(x, x_n, offsets, row, rows, step, run, dy, dy_n, parts[piece])


@kernel
def _correlate(x, x_n, offsets, row, rows, step, run, dy, dy_n, dw):
    """Add to dw (KH*KW*C, F) what one image at x[x_n] and its gradient at dy[dy_n] give."""
    T, F = dw.shape
    dw = dw.reshape(-1)
    for f in range(0, F, LANES):
        for t in range(0, T, ROWS):
            sums = eight_sums(
                x, x_n, offsets, t, row, rows, step, run, dy, dy_n + f, F, F - f, zeros(x)
            )
            for q in range(min(ROWS, T - t)):
                at = (t + q) * F + f
                store_first(dw, at, add(load_first(dw, at, F - f), sums[q]), F - f)


def conv2d_backward_input(dy, w):
    """See ``reference.conv2d_backward_input``: a convolution of the framed dy."""
    dy, w = checks.conv2d_backward_input(dy, w)
    _, KH, KW, C = w.shape
    framed = np.pad(dy, ((0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1), (0, 0)))
    turned = w[:, ::-1, ::-1, :].transpose(3, 1, 2, 0)  # (C,KH,KW,F): channels are its filters
    return conv2d(framed, turned, np.zeros(C, w.dtype))


# ----------------------------------------------- convolution, ReLU and pooling in one go


def conv2d_relu_maxpool2d(x, w, b, size):
    """See ``reference.conv2d_relu_maxpool2d``; the map before pooling is never stored."""
    x, w, b = checks.conv2d_relu_maxpool2d(x, w, b, size)
    N, H, W, C = x.shape
    F, KH, KW, _ = w.shape
    OH, OW = (H - KH + 1) // size, (W - KW + 1) // size
    y = _empty((N, OH, OW, F), x.dtype)
    winner = np.empty((N, OH, OW, F), np.uint8)
    stage = _fused_images if N < 4 else _fused
    stage(
        x.ravel(), 0, N, N, _window_offsets(W, C, OH, OW, size), size * size,
        W * C, KH, KW * C, _by_tap(w), b, y.ravel(), winner.ravel(),
    )  # fmt: skip
    return y, winner


@parallel_kernel
def _fused(x, first, last, N, offsets, places, row, rows, run, w, b, y, winner):
    for n in prange(first, last):  # n owns y[n] and winner[n]
        _fused_images(x, n, n + 1, N, offsets, places, row, rows, run, w, b, y, winner)


@kernel
def _fused_images(x, first, last, N, offsets, places, row, rows, run, w, b, y, winner):
    """Let the places of each pooling window compete, eight sums at a time.

    ``offsets`` lists all places of the first window, then those of the second, and so on.
    """
    F, OUT = b.size, offsets.size // places
    silenced = fill(x.dtype.type(places))
    scratch = np.empty(ROWS * LANES, x.dtype)
    for n in range(first, last):
        base = n * (x.size // N)
        for f in range(0, F, LANES):
            bias = load_first(b, f, F - f)
            best = where = zeros(x)
            place, at = 0, n * OUT * F + f
            for p in range(0, offsets.size, ROWS):
                sums = eight_sums(x, base, offsets, p, row, rows, 1, run, w, f, F, F - f, bias)
                for q in range(ROWS):
                    store_first(scratch, q * LANES, sums[q], LANES)
                for q in range(min(ROWS, offsets.size - p)):
                    value = load_first(scratch, q * LANES, LANES)
                    if place == 0:
                        best, where = value, zeros(x)
                    else:
                        wins = beats(value, best)
                        best = select(wins, value, best)
                        where = select(wins, fill(x.dtype.type(place)), where)
                    place += 1
                    if place == places:
                        alive = beats(best, zeros(x))
                        store_first(y, at, select(alive, best, zeros(x)), F - f)
                        store_first(winner, at, select(alive, where, silenced), F - f)
                        place, at = 0, at + F


def conv2d_relu_maxpool2d_backward_params(dy, winner, x, kernel_size, size):
    """See ``reference.conv2d_relu_maxpool2d_backward_params``.

    Usually only living winners are visited. Where a kernel row is short (few input channels) a
    vector would be mostly empty; there every output is visited, a vector of filters at a time.
    """
    dy, winner, x = checks.conv2d_relu_maxpool2d_backward_params(dy, winner, x, kernel_size, size)
    N, H, W, C = x.shape
    _, OH, OW, F = dy.shape
    KH, KW = kernel_size
    db = _empty((_pieces(N), F), x.dtype)
    if KW * C < LANES:
        output_size = checks.valid_size((H, W), kernel_size)
        dw = _empty((_pieces(N), KH * KW * C, F), x.dtype)
        _unpooled_backward_params(
            dy, winner, x.ravel(), _tap_offsets(W, C, KH, KW), size, output_size, W * C, C, dw, db
        )
        return _sum_by_filter(dw, (F, KH, KW, C)), _sum(db)
    dw = _empty((_pieces(N), F, KH, KW, C), x.dtype)
    _fused_backward_params(
        dy.reshape(N, OH * OW, F), winner.reshape(N, OH * OW, F), x.ravel(),
        _window_offsets(W, C, OH, OW, size), size * size,
        window_slots(KH, KW * C, KW * C, W * C), KW * C, dw, db,
    )  # fmt: skip
    return _sum(dw), _sum(db)


@parallel_kernel
def _fused_backward_params(dy, winner, x, offsets, places, slots, run, dw, db):
    """For each image and filter, list the living winners; dw[f] collects their windows."""
    N, OUT, F = dy.shape
    PIECES, T = db.shape[0], dw.size // db.size
    dw_flat = dw.reshape(-1)
    for piece in prange(PIECES):  # piece owns dw[piece] and db[piece]
        dw[piece], db[piece] = 0, 0
        windows = np.empty(OUT, np.intp)
        gradients = np.empty(OUT, dy.dtype)
        for n in range(piece * N // PIECES, (piece + 1) * N // PIECES):
            base = n * (x.size // N)
            for f in range(F):
                count = 0
                for p in range(OUT):
                    place = winner[n, p, f]
                    windows[count] = base + offsets[p * places + min(place, places - 1)]
                    gradients[count] = dy[n, p, f]
                    count += place < places  # a silenced winner is overwritten by the next one
                for m in range(count):
                    db[piece, f] += gradients[m]
                at = (piece * F + f) * T
                add_windows(dw_flat, at, x, windows, gradients, 0, count, slots, run)


@parallel_kernel
def _unpooled_backward_params(dy, winner, x, offsets, size, output_size, row, step, dw, db):
    """Bring dy back to the map before pooling, image by image; dw is x convolved with it."""
    N, OH, OW, F = dy.shape
    PIECES = db.shape[0]
    rows, run = output_size
    dy_flat, winner_flat = dy.reshape(-1), winner.reshape(-1)
    for piece in prange(PIECES):  # piece owns dw[piece] and db[piece]
        dw[piece], db[piece] = 0, 0
        unpooled = np.zeros(rows * run * F, dy.dtype)
        for n in range(piece * N // PIECES, (piece + 1) * N // PIECES):
            _unpool_image(dy_flat, winner_flat, n, OH, OW, size, run, unpooled, db[piece])
            x_n = n * (x.size // N)
            _correlate(x, x_n, offsets, row, rows, step, run, unpooled, 0, dw[piece])


@kernel
def _unpool_image(dy, winner, n, OH, OW, size, run, unpooled, db):
    """Write the gradient of image n to where its winners stood, zeros elsewhere; add it to db."""
    F = db.size
    for f in range(0, F, LANES):
        total = load_first(db, f, F - f)
        for i in range(OH):
            for j in range(OW):
                at = ((n * OH + i) * OW + j) * F + f
                gradient = load_first(dy, at, F - f)
                for place in range(size * size):
                    u, v = divmod(place, size)
                    to = ((i * size + u) * run + j * size + v) * F + f
                    won = select(equals(winner, at, place, F - f), gradient, zeros(dy))
                    store_first(unpooled, to, won, F - f)
                    total = add(total, won)
        store_first(db, f, total, F - f)


def conv2d_relu_maxpool2d_backward_input(dy, winner, w, input_size, size):
    """See ``reference.conv2d_relu_maxpool2d_backward_input``; visits only living winners."""
    dy, winner, w = checks.conv2d_relu_maxpool2d_backward_input(dy, winner, w, input_size, size)
    N, OH, OW, F = dy.shape
    H, W = input_size
    _, KH, KW, C = w.shape
    dx = _empty((N, H, W, C), w.dtype)
    _fused_backward_input(
        dy.reshape(N, OH * OW, F), winner.reshape(N, OH * OW, F), w.ravel(),
        _window_offsets(W, C, OH, OW, size), size * size,
        window_slots(KH, KW * C, W * C, KW * C), KW * C, dx.ravel(),
    )  # fmt: skip
    return dx


@parallel_kernel
def _fused_backward_input(dy, winner, w, offsets, places, slots, run, dx):
    """For each place of each window, list the filters that it won; dx collects them there."""
    N, OUT, F = dy.shape
    for n in prange(N):  # n owns dx[n]
        dx[n * (dx.size // N) : (n + 1) * (dx.size // N)] = 0
        filters = np.empty((places + 1) * F, np.intp)
        gradients = np.empty((places + 1) * F, dy.dtype)
        count = np.empty(places + 1, np.intp)
        for p in range(OUT):
            count[:] = 0
            for f in range(F):
                place = winner[n, p, f]  # the silenced are listed too, and left lying
                at = place * F + count[place]
                filters[at] = f * (w.size // F)
                gradients[at] = dy[n, p, f]
                count[place] += 1
            for place in range(places):
                at = n * (dx.size // N) + offsets[p * places + place]
                add_windows(dx, at, w, filters, gradients, place * F, count[place], slots, run)


# ----------------------------------------------------------------------------------- pooling


def maxpool2d(x, size):
    """See ``reference.maxpool2d``."""
    x = checks.maxpool2d(x, size)
    N, H, W, C = x.shape
    y = np.empty((N, H // size, W // size, C), x.dtype)
    winner = np.empty(y.shape, np.uint8)
    _maxpool2d(x, size, y, winner)
    return y, winner


@parallel_kernel
def _maxpool2d(x, size, y, winner):
    N, OH, OW, C = y.shape
    for n in prange(N):  # n owns y[n] and winner[n]
        for i in range(OH):
            for j in range(OW):
                y[n, i, j] = x[n, i * size, j * size]
                winner[n, i, j] = 0
                for place in range(1, size * size):
                    u, v = divmod(place, size)
                    for c in range(C):
                        value, best = x[n, i * size + u, j * size + v, c], y[n, i, j, c]
                        if not value <= best and best == best:  # larger, or the first NaN
                            y[n, i, j, c] = value
                            winner[n, i, j, c] = place


def maxpool2d_backward(dy, winner, input_size, size):
    """See ``reference.maxpool2d_backward``."""
    dy, winner = checks.winners(dy, winner, input_size, size, size * size)
    N, _, _, C = dy.shape
    dx = np.zeros((N, *input_size, C), dy.dtype)
    _maxpool2d_backward(dy, winner, size, dx)
    return dx


@parallel_kernel
def _maxpool2d_backward(dy, winner, size, dx):
    N, OH, OW, C = dy.shape
    for n in prange(N):  # n owns dx[n]
        for i in range(OH):
            for j in range(OW):
                for c in range(C):
                    u, v = divmod(winner[n, i, j, c], size)
                    dx[n, i * size + u, j * size + v, c] = dy[n, i, j, c]


# -------------------------------------------------------------------------------------- ReLU


def relu(x):
    """See ``reference.relu``."""
    (x,) = checks.arrays(x=x)
    y = np.empty_like(x)
    _relu(x.ravel(), x.ravel(), y.ravel())
    return y


def relu_backward(dy, y):
    """See ``reference.relu_backward``."""
    dy, y = checks.arrays(dy=dy, y=y)
    checks.same("the shape of dy", dy.shape, y.shape)
    dx = np.empty_like(dy)
    _relu(dy.ravel(), y.ravel(), dx.ravel())
    return dx


@parallel_kernel
def _relu(values, gate, passed):
    """Pass each value whose gate is open (not <= 0): ReLU gates x by x, and dy by y."""
    for m in prange(values.size):  # m owns passed[m]
        passed[m] = 0 if gate[m] <= 0 else values[m]


# ------------------------------------------------------------------------------------- dense


def dense(x, w, b):
    """See ``reference.dense``."""
    x, w, b = checks.dense(x, w, b)
    return _product(x, w, b)


def dense_backward_params(dy, x):
    """See ``reference.dense_backward_params``."""
    dy, x = checks.arrays(dy=dy, x=x)
    checks.rank("dy", dy, "N K")
    checks.rank("x", x, "N D")
    checks.same("the number of examples of dy", dy.shape[0], x.shape[0])
    return _product(x.T, dy, np.zeros(dy.shape[1], dy.dtype)), dy.sum(axis=0)


def dense_backward_input(dy, w):
    """See ``reference.dense_backward_input``."""
    dy, w = checks.arrays(dy=dy, w=w)
    checks.rank("dy", dy, "N K")
    checks.rank("w", w, "D K")
    checks.same("the number of outputs of dy", dy.shape[1], w.shape[1])
    return _product(dy, np.ascontiguousarray(w.T), np.zeros(w.shape[0], w.dtype))


def _product(x, w, b):
    """Return x @ w + b; x may be a transposed view, its numbers are not moved."""
    R, T = x.shape
    y = _empty((R, w.shape[1]), x.dtype)
    row, step = (stride // x.itemsize for stride in x.strides)
    _matmul(x.ravel(order="K"), np.arange(R) * row, step, T, w.ravel(), b, y.ravel())
    return y


@parallel_kernel
def _matmul(x, offsets, step, T, w, b, y):
    R, K = offsets.size, b.size
    for block in prange((R + ROWS - 1) // ROWS):  # block owns eight rows of y
        r = block * ROWS
        for k in range(0, K, LANES):
            bias = load_first(b, k, K - k)
            sums = eight_sums(x, 0, offsets, r, 0, 1, step, T, w, k, K, K - k, bias)
            for q in range(min(ROWS, R - r)):
                store_first(y, (r + q) * K + k, sums[q], K - k)


# -------------------------------------------------------------------- softmax, cross-entropy


def softmax(logits):
    """See ``reference.softmax``."""
    (logits,) = checks.arrays(logits=logits)
    checks.rank("logits", logits, "N K")
    p = np.empty_like(logits)
    _softmax(logits, p)
    return p


@kernel
def _softmax(logits, p):
    N, K = p.shape
    for n in range(N):
        largest = logits[n].max()
        total = p.dtype.type(0)
        for k in range(K):
            p[n, k] = np.exp(logits[n, k] - largest)
            total += p[n, k]
        for k in range(K):
            p[n, k] /= total


def softmax_backward(dp, p):
    """See ``reference.softmax_backward``."""
    dp, p = checks.arrays(dp=dp, p=p)
    checks.rank("p", p, "N K")
    checks.same("the shape of dp", dp.shape, p.shape)
    dlogits = np.empty_like(p)
    _softmax_backward(dp, p, dlogits)
    return dlogits


@kernel
def _softmax_backward(dp, p, dlogits):
    N, K = p.shape
    for n in range(N):
        mean = p.dtype.type(0)
        for k in range(K):
            mean += dp[n, k] * p[n, k]
        for k in range(K):
            dlogits[n, k] = p[n, k] * (dp[n, k] - mean)


def softmax_cross_entropy(logits, labels):
    """See ``reference.softmax_cross_entropy``."""
    logits, labels = checks.rows_and_labels("logits", logits, labels)
    p = np.empty_like(logits)
    return _softmax_cross_entropy(logits, labels, p), p


@kernel
def _softmax_cross_entropy(logits, labels, p):
    _softmax(logits, p)
    N, K = p.shape
    loss = 0.0
    for n in range(N):
        largest = logits[n].max()
        total = 0.0
        for k in range(K):
            total += np.exp(logits[n, k] - largest)
        loss += np.log(total) - (logits[n, labels[n]] - largest)
    return loss / N


def softmax_cross_entropy_backward(p, labels):
    """See ``reference.softmax_cross_entropy_backward``."""
    p, labels = checks.rows_and_labels("p", p, labels)
    dlogits = np.empty_like(p)
    _softmax_cross_entropy_backward(p, labels, dlogits)
    return dlogits


@kernel
def _softmax_cross_entropy_backward(p, labels, dlogits):
    N, K = p.shape
    for n in range(N):
        for k in range(K):
            dlogits[n, k] = (p[n, k] - (labels[n] == k)) / N


# --------------------------------------------------------------------------------- the update


def sgd_update(z, dz, velocity, learning_rate, momentum, weight_decay):
    """See ``reference.sgd_update``."""
    checks.in_place(z=z, velocity=velocity)
    (dz,) = checks.arrays(dz=dz)
    checks.same("the shape of dz", dz.shape, z.shape)
    numbers = np.array([learning_rate, momentum, weight_decay], z.dtype)
    _sgd_update(z.ravel(), dz.ravel(), velocity.ravel(), numbers)


@kernel
def _sgd_update(z, dz, velocity, numbers):
    learning_rate, momentum, weight_decay = numbers
    for m in range(z.size):
        gradient = dz[m] + weight_decay * z[m]
        velocity[m] = momentum * velocity[m] - learning_rate * gradient
        z[m] += velocity[m]


def adam_update(z, dz, mean, square, step, learning_rate, beta1, beta2, epsilon, weight_decay):
    """See ``reference.adam_update``."""
    checks.in_place(z=z, mean=mean, square=square)
    (dz,) = checks.arrays(dz=dz)
    checks.same("the shape of dz", dz.shape, z.shape)
    corrections = 1 - beta1**step, 1 - beta2**step
    numbers = np.array([learning_rate, beta1, beta2, epsilon, weight_decay, *corrections], z.dtype)
    _adam_update(z.ravel(), dz.ravel(), mean.ravel(), square.ravel(), numbers)


@kernel
def _adam_update(z, dz, mean, square, numbers):
    learning_rate, beta1, beta2, epsilon, weight_decay, correction1, correction2 = numbers
    for m in range(z.size):
        mean[m] += (1 - beta1) * (dz[m] - mean[m])
        square[m] += (1 - beta2) * (dz[m] * dz[m] - square[m])
        step = mean[m] / correction1 / (np.sqrt(square[m] / correction2) + epsilon)
        z[m] -= learning_rate * (step + weight_decay * z[m])


# ------------------------------------------------------------------------------------ helpers


def _empty(shape, dtype):
    """Return an array whose numbers begin at a cache line: vectors then never straddle two."""
    line, size = 64, math.prod(shape) * dtype.itemsize
    memory = np.empty(size + line, np.uint8)
    start = -memory.ctypes.data % line
    return memory[start : start + size].view(dtype).reshape(shape)


def _pieces(N):
    """Return into how many pieces N examples are cut where each needs sums of its own."""
    return (N + 15) // 16


def _sum(parts):
    """Return the sum of the pieces, parts[0] + parts[1] + ..., added in this order."""
    total = _empty(parts.shape[1:], parts.dtype)
    _sum_pieces(parts.reshape(len(parts), -1), total.reshape(-1))
    return total


@parallel_kernel
def _sum_pieces(parts, total):
    PIECES, M = parts.shape
    block = 2048  # numbers, which stay in the nearest cache while all pieces are added
    for start in prange((M + block - 1) // block):  # start owns a block of total
        for m in range(start * block, min(M, start * block + block)):
            total[m] = parts[0, m]
        for piece in range(1, PIECES):
            for m in range(start * block, min(M, start * block + block)):
                total[m] += parts[piece, m]


def _sum_by_filter(parts, shape):
    """Return the sum of the pieces' dw (PIECES, KH*KW*C, F) as (F,KH,KW,C)."""
    return np.ascontiguousarray(_sum(parts).T).reshape(shape)


def _by_tap(w):
    """Return w (F,KH,KW,C) flat with the filters of one tap side by side: (KH,KW,C,F)."""
    return np.ascontiguousarray(w.reshape(w.shape[0], -1).T).ravel()


@functools.lru_cache
def _window_offsets(W, C, OH, OW, size):
    """Return where windows begin in an image: (i, j) by (i, j), place by place."""
    i, j, u, v = np.indices((OH, OW, size, size))
    return (((i * size + u) * W + j * size + v) * C).ravel()


@functools.lru_cache
def _tap_offsets(W, C, KH, KW):
    """Return where the taps (u, v, c) of a kernel laid over an image's corner stand."""
    u, v, c = np.indices((KH, KW, C))
    return ((u * W + v) * C + c).ravel()
