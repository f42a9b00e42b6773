"""Chapter 1: what is in a file of images."""

import numpy as np

from checking import compare, insist
from tinycnn.data.idx import encode_idx


def shape_of(answer, rng):
    shape = (int(rng.integers(257, 300)), *map(int, rng.integers(1, 9, rng.integers(0, 4))))
    header = encode_idx(np.zeros(shape, np.uint8))[: 4 + 4 * len(shape) + 3]
    given = answer(header)
    insist(isinstance(given, tuple | list), f"return a tuple of sizes, not {given!r}")
    sizes = [header[4 + 4 * k : 8 + 4 * k] for k in range(len(shape))]
    backwards = [int.from_bytes(size, "little") for size in sizes]
    mistakes = {
        "you read the least significant byte first; IDX is big-endian": backwards,
        "you took one byte of each size; there are four": [size[3] for size in sizes],
    }
    compare("the shape", given, shape, mistakes)


def mean_image(answer, rng):
    images = rng.integers(0, 256, (9, 4, 5)).astype(np.uint8)
    right, small = images.mean(axis=0), images.sum(axis=0, dtype=np.uint8) / len(images)
    mistakes = {
        "sums of uint8 begin again at 0 after 255; add them up as larger numbers": small,
        "that is the mean of all pixels; keep rows and columns apart": images.mean(),
        "you took the mean over another axis; N, the images, is axis 0": images.mean(axis=-1),
        "the mean has a fraction; you have rounded it": right.astype(int),
        "that is the mean of black and white, 0 to 1; keep 0 to 255": right / 255,
    }
    compare("the mean image", answer(images), right, mistakes)
