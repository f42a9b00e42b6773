"""Chapter 7: updates in place, and a schedule."""

import numpy as np

from checking import Wrong, compare, insist
from tinycnn.nn import optimizers, reference

BETAS = 0.9, 0.999, 1e-8


def sgd_update(answer, rng):
    z, dz, velocity = rng.standard_normal((3, 4, 3))
    right_z, right_velocity = z.copy(), velocity.copy()
    reference.sgd_update(right_z, dz, right_velocity, 0.1, 0.9, 0.0)
    given_z, given_velocity, given_dz = z.copy(), velocity.copy(), dz.copy()
    answer(given_z, given_dz, given_velocity, 0.1, 0.9)
    _in_place(given_z, z)
    insist(np.array_equal(given_dz, dz), "you changed dz; it belongs to the layer")
    compare(
        "velocity",
        given_velocity,
        right_velocity,
        {
            "velocity was not changed in place; the next step needs it": velocity,
            "that climbs uphill: take learning_rate * dz off": 0.9 * velocity + 0.1 * dz,
            "momentum is the share that is kept, and dz counts in full": (
                0.9 * velocity - 0.1 * 0.1 * dz
            ),
        },
    )
    mistakes = {"z moves by the new velocity, not by the old one": z + velocity}
    compare("z", given_z, right_z, mistakes)


def adam_update(answer, rng):
    z, dz, mean = rng.standard_normal((3, 4, 3))
    square, step = rng.random((4, 3)), int(rng.integers(1, 6))
    right = [a.copy() for a in (z, mean, square)]
    _adam(right[0], dz, right[1], right[2], step)
    given = [a.copy() for a in (z, mean, square)]
    answer(given[0], dz.copy(), given[1], given[2], step, 0.01)
    _in_place(given[0], z)
    compare("mean", given[1], right[1], {"mean was not changed in place": mean})
    mistakes = {
        "square was not changed in place": square,
        "square is a running average of dz**2": 0.999 * square + 0.001 * dz,
    }
    compare("square", given[2], right[2], mistakes)
    new_mean, new_square = right[1], right[2]
    s = new_square / (1 - BETAS[1] ** step)
    mistakes = {
        "the corrections are missing: divide by 1 - beta**step": z
        - 0.01 * new_mean / (np.sqrt(new_square) + 1e-8),
        "only square is corrected; mean begins at zero, too": z
        - 0.01 * new_mean / (np.sqrt(s) + 1e-8),
        "divide by the square root of square": z - 0.01 * new_mean / (1 - 0.9**step) / (s + 1e-8),
    }
    compare("z", given[0], right[0], mistakes)


def _adam(z, dz, mean, square, step):
    reference.adam_update(z, dz, mean, square, step, 0.01, *BETAS, 0.0)


def _in_place(given, before):
    if np.array_equal(given, before):
        raise Wrong("z is as it was\nhint: z = z + ... makes another array, z += ... changes z")


def one_cycle(answer, rng):
    for share in (0.0, float(rng.uniform(0, 0.2)), 0.2, float(rng.uniform(0.2, 1)), 1.0):
        half = (1 + np.cos(np.pi * share)) / 2
        mistakes = {
            "in the second part the cosine begins: use (share - 0.2) / 0.8": 0.01 + 0.99 * half,
            "it begins at a tenth, not at zero": share / 0.2,
            "it ends at a hundredth, not at zero": (1 + np.cos(np.pi * (share - 0.2) / 0.8)) / 2,
        }
        name = f"the factor at {share:.3g}"
        compare(name, answer(share), optimizers.one_cycle(share), mistakes)
