"""Chapter 10: MNIST's middle and MNIST's box."""

import numpy as np

from checking import compare, insist, parts
from tinycnn.data import mnist
from tinycnn.ink import strokes


def offset_to_center(answer, rng):
    image = np.zeros((28, 28), np.uint8)
    top, left = rng.integers(3, 12, 2)
    image[top : top + 12, left : left + 9] = rng.integers(0, 256, (12, 9))
    right = mnist.offset_to_center(image)
    rows, columns = (image.sum(axis=axis) @ np.arange(28) / image.sum() for axis in (1, 0))
    box = 14 - (top + 5.5), 14 - (left + 4)
    inked = mnist.offset_to_center((image > 0).astype(np.uint8))
    mistakes = {
        "that moves the image up and left where it should go down and right": -np.array(right),
        "columns first; return rows, then columns": right[::-1],
        "the middle is index 14, not 13.5": np.round([13.5 - rows, 13.5 - columns]),
        "that is the middle of the box; take the center of mass": np.round(box),
        "that counts inked pixels; a gray one weighs less than a black one": inked,
    }
    compare("(rows, columns)", parts("rows, columns", answer(image), 2), right, mistakes)


def fit(answer, rng):
    lines = [100 * rng.random((int(rng.integers(2, 6)), 2)) * (1, 1.4) + 7 for _ in range(2)]
    given = answer([line.copy() for line in lines])
    insist(len(given) == len(lines), f"there were {len(lines)} lines, and you return {len(given)}")
    right = strokes.fit(lines)
    points = np.concatenate(lines)
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    both, same = "the pen adds half its width on every side", "both axes have the same scale"
    largest = size.max()
    ways = {
        f"{both}: the lines get 20 - 2.5 pixels": (20 / largest, 4),
        "the box begins at 4, and the pen reaches half its width beyond the line": (
            17.5 / largest,
            4,
        ),
        f"{same}, or a 1 becomes a square": (17.5 / size, 5.25),
        f"two things are missing: {both}, and {same}": (20 / size, 4),
        "the box begins at (4, 4)": (17.5 / largest, 0),
    }
    for number, line in enumerate(lines):
        mistakes = {hint: (line - low) * scale + at for hint, (scale, at) in ways.items()}
        compare(f"line {number}", given[number], right[number], mistakes)
