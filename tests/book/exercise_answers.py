"""Answers to the exercises of the book. You learn more if you try them first."""

import contextlib
import math
import os

import numpy as np

from tinycnn.kernels.jit import kernel


class Chapter1:
    def shape_of(header):
        rank = header[3]
        sizes = [header[4 + 4 * k : 8 + 4 * k] for k in range(rank)]
        return tuple(int.from_bytes(size, "big") for size in sizes)

    def mean_image(images):
        return images.sum(axis=0, dtype=float) / len(images)


class Chapter2:
    def neuron(x, w, b):
        return x @ w + b

    def neuron_backward(dy, x, w):
        return dy @ x, dy.sum(), dy[:, None] * w


class Chapter3:
    def relu_backward(dy, y):
        return dy * (y > 0)

    def network_backward(dy, x, w1, h, w2):
        dz = (dy @ w2.T) * (h > 0)
        return x.T @ dz, dz.sum(axis=0), h.T @ dy, dy.sum(axis=0), dz @ w1.T


class Chapter4:
    def conv2d(x, w, b):
        (H, W), (KH, KW) = x.shape, w.shape
        y = np.full((H - KH + 1, W - KW + 1), float(b))
        for u, v in np.ndindex(KH, KW):
            y += w[u, v] * x[u : u + H - KH + 1, v : v + W - KW + 1]
        return y

    def conv2d_backward_params(dy, x, kernel_size):
        dw = np.zeros(kernel_size)
        for u, v in np.ndindex(*kernel_size):
            dw[u, v] = (dy * x[u : u + dy.shape[0], v : v + dy.shape[1]]).sum()
        return dw, dy.sum()

    def conv2d_backward_input(dy, w):
        dx = np.zeros((dy.shape[0] + w.shape[0] - 1, dy.shape[1] + w.shape[1] - 1))
        for i, j in np.ndindex(dy.shape):
            dx[i : i + w.shape[0], j : j + w.shape[1]] += dy[i, j] * w
        return dx

    def conv2d_of_many(x, w, b):
        N, H, W, C = x.shape
        F, KH, KW, _ = w.shape
        y = np.zeros((N, H - KH + 1, W - KW + 1, F)) + b
        for n, f, c in np.ndindex(N, F, C):
            y[n, :, :, f] += Chapter4.conv2d(x[n, :, :, c], w[f, :, :, c], 0.0)
        return y


class Chapter5:
    def maxpool2d(x):
        places = np.stack([x[u::2, v::2] for u, v in np.ndindex(2, 2)])
        return places.max(axis=0), places.argmax(axis=0)

    def maxpool2d_backward(dy, winner):
        dx = np.zeros((2 * dy.shape[0], 2 * dy.shape[1]))
        for place in range(4):
            dx[place // 2 :: 2, place % 2 :: 2] = dy * (winner == place)
        return dx

    def living(y, winner):
        return np.where(y <= 0, 4, winner)


class Chapter6:
    def softmax(logits):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def cross_entropy(logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_sums = np.log(np.exp(shifted).sum(axis=1))
        return (log_sums - shifted[np.arange(len(labels)), labels]).mean()

    def cross_entropy_backward(p, labels):
        return (p - np.eye(p.shape[1])[labels]) / len(p)


class Chapter7:
    def sgd_update(z, dz, velocity, learning_rate, momentum):
        velocity[...] = momentum * velocity - learning_rate * dz
        z += velocity

    def adam_update(z, dz, mean, square, step, learning_rate):
        mean[...] = 0.9 * mean + 0.1 * dz
        square[...] = 0.999 * square + 0.001 * dz**2
        m, s = mean / (1 - 0.9**step), square / (1 - 0.999**step)
        z -= learning_rate * m / (np.sqrt(s) + 1e-8)

    def one_cycle(share):
        if share < 0.2:
            return 0.1 + 0.9 * share / 0.2
        return 0.01 + 0.99 * (1 + math.cos(math.pi * (share - 0.2) / 0.8)) / 2


class Chapter8:
    def dropout(x, draw, rate):
        return x * (draw >= rate) / (1 - rate)

    def move_average(average, weights, decay):
        average += (1 - decay) * (weights - average)

    def batchnorm_backward(dy, x, w, epsilon):
        deviation = np.sqrt(x.var(axis=0) + epsilon)
        z, dz = (x - x.mean(axis=0)) / deviation, dy * w
        dx = (dz - dz.mean(axis=0) - z * (dz * z).mean(axis=0)) / deviation
        return dx, (dy * z).sum(axis=0), dy.sum(axis=0)


class Chapter9:
    def numerical_gradient(f, z):
        dz = np.zeros_like(z)
        for m in np.ndindex(z.shape):
            nudge = np.zeros_like(z)
            nudge[m] = 1e-5
            dz[m] = (f(z + nudge) - f(z - nudge)) / 2e-5
        return dz

    def suspects(cases):
        wrong = set()
        for name, (f, df, z) in cases.items():
            by_hand, found = df(z), Chapter9.numerical_gradient(f, z)
            if np.abs(by_hand - found).max() > 1e-6 * np.abs(found).max():
                wrong.add(name)
        return wrong


class Chapter10:
    def offset_to_center(image):
        ink = image.astype(float)
        masses = [ink.sum(axis=axis) @ np.arange(28) / ink.sum() for axis in (1, 0)]
        return tuple(math.ceil(13.5 - mass) for mass in masses)

    def fit(lines):
        points = np.concatenate(lines)
        low, size = points.min(axis=0), np.ptp(points, axis=0)
        return [(line - low) * (20 - 2.5) / size.max() + 4 + 1.25 for line in lines]


class Chapter11:
    def save(path, payload):
        beside = path.with_name(".beside")
        try:
            with open(beside, "wb") as file:
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
            raise

    def order_of_epoch(seed, epoch, count):
        return np.random.default_rng([seed, epoch]).permutation(count)


class Chapter12:
    def dw_of_the_living(dy, winner, x, kernel_size):
        KH, KW = kernel_size
        dw = np.zeros(kernel_size)
        for (i, j), place in np.ndenumerate(winner):
            if place < 4:
                row, column = 2 * i + place // 2, 2 * j + place % 2
                dw += dy[i, j] * x[row : row + KH, column : column + KW]
        return dw

    def sum_in_pieces(values, pieces, order):
        sums, N = np.zeros(pieces, np.float32), len(values)
        for p in order:
            sums[p] = values[p * N // pieces : (p + 1) * N // pieces].sum()
        total = np.float32(0)
        for p in range(pieces):
            total += sums[p]
        return total


class Chapter13:
    def sgd_update(z, dz, velocity, learning_rate, momentum, weight_decay):
        step = learning_rate * (dz + weight_decay * z)
        velocity[...] = momentum * velocity - step
        z += momentum * velocity - step

    def conv2d(x, w, b):
        N, H, W, _ = x.shape
        F, KH, KW, _ = w.shape
        y = np.empty((N, H - KH + 1, W - KW + 1, F), x.dtype)
        _conv2d(x, np.ascontiguousarray(w.transpose(1, 2, 3, 0)), b, y)
        return y


@kernel
def _conv2d(x, w, b, y):
    N, OH, OW, F = y.shape
    KH, KW, C, _ = w.shape
    for n in range(N):
        for i in range(OH):
            for j in range(OW):
                for f in range(F):
                    y[n, i, j, f] = b[f]
                for u in range(KH):
                    for v in range(KW):
                        for c in range(C):
                            value = x[n, i + u, j + v, c]
                            for f in range(F):
                                y[n, i, j, f] += value * w[u, v, c, f]


CHAPTERS = {number: globals()[f"Chapter{number}"] for number in range(1, 14)}
