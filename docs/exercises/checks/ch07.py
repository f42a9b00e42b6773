"""Chapter 7: updates in place, and a schedule."""

import numpy as np

from checking import compare, insist
from tinycnn.nn import reference, schedules


def sgd_update(answer, rng):
    z, dz, velocity = rng.standard_normal((3, 4, 3))
    given, right = ([a.copy() for a in (z, dz, velocity)] for _ in range(2))
    reference.sgd_update(*right, 0.1, 0.9, 0.0)
    answer.__wrapped__(*given, 0.1, 0.9)
    _in_place(given[0], z)
    insist(np.array_equal(given[1], dz), "you changed dz; it belongs to the layer")
    twice = 0.9 * velocity - 0.1 * 0.1 * dz
    mistakes = {
        "velocity was not changed in place; the next step needs it": velocity,
        "that climbs uphill: take learning_rate * dz off": 0.9 * velocity + 0.1 * dz,
        "momentum is the share that is kept, and dz counts in full": twice,
    }
    compare("velocity", given[2], right[2], mistakes)
    mistakes = {"z moves by the new velocity, not by the old one": z + velocity}
    compare("z", given[0], right[0], mistakes)


def adam_update(answer, rng):
    z, dz, mean = rng.standard_normal((3, 4, 3))
    square, step = rng.random((4, 3)), int(rng.integers(1, 6))
    given, right = ([a.copy() for a in (z, dz, mean, square)] for _ in range(2))
    reference.adam_update(*right, step, 0.01, 0.9, 0.999, 1e-8, 0.0)
    answer.__wrapped__(*given, step, 0.01)
    _in_place(given[0], z)
    compare("mean", given[2], right[2], {"mean was not changed in place": mean})
    mistakes = {
        "square was not changed in place": square,
        "square is a running average of dz**2": 0.999 * square + 0.001 * dz,
    }
    compare("square", given[3], right[3], mistakes)
    m, s = right[2], right[3] / (1 - 0.999**step)
    uncorrected = z - 0.01 * m / (np.sqrt(right[3]) + 1e-8)
    only_square = z - 0.01 * m / (np.sqrt(s) + 1e-8)
    mistakes = {
        "the corrections are missing: divide by 1 - beta**step": uncorrected,
        "only square is corrected; mean begins at zero, too": only_square,
        "divide by the square root of square": z - 0.01 * m / (1 - 0.9**step) / (s + 1e-8),
    }
    compare("z", given[0], right[0], mistakes)


def _in_place(given, before):
    hint = "z = z + ... makes another array, z += ... changes z"
    insist(not np.array_equal(given, before), f"z is as it was\nhint: {hint}")


def one_cycle(answer, rng):
    for share in (0.0, float(rng.uniform(0, 0.2)), 0.2, float(rng.uniform(0.2, 1)), 1.0):
        half = (1 + np.cos(np.pi * share)) / 2
        mistakes = {
            "in the second part the cosine begins: use (share - 0.2) / 0.8": 0.01 + 0.99 * half,
            "it begins at a tenth, not at zero": share / 0.2,
            "it ends at a hundredth, not at zero": (1 + np.cos(np.pi * (share - 0.2) / 0.8)) / 2,
        }
        name = f"the factor at {share:.3g}"
        compare(name, answer(share), schedules.one_cycle(share), mistakes)
