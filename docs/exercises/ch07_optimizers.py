"""Exercises of chapter 7. Check them with: python docs/exercises/check.py 7

The two updates change z and their memory in place, with += and the like or z[...] = ..., and
return nothing.
"""

import numpy as np  # noqa: F401 - for your answers


def sgd_update(z, dz, velocity, learning_rate: float, momentum: float) -> None:
    """Move z downhill with momentum; z and velocity are changed in place.

    velocity = momentum * velocity - learning_rate * dz
    z        = z + velocity
    """
    raise NotImplementedError


def adam_update(z, dz, mean, square, step: int, learning_rate: float) -> None:
    """Move z downhill by steps that do not grow with dz; z, mean and square change in place.

    beta1, beta2 and epsilon are 0.9, 0.999 and 1e-8; step counts from 1.
    """
    raise NotImplementedError


def one_cycle(share: float) -> float:
    """Return the factor of the highest learning rate when ``share``, 0 to 1, of training is done.

    In a straight line from 0.1 to 1 during the first fifth, then along half a cosine to 0.01.
    """
    raise NotImplementedError
