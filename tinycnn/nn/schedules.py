"""Schedules change the learning rate in the course of a training."""

import math
from collections.abc import Callable

Schedule = Callable[[float], float]  # from the share of training done to a factor for ``lr``


def constant(_share: float) -> float:
    """Always the highest learning rate."""
    return 1.0


def cosine(share: float) -> float:
    """From the highest learning rate to zero along half a cosine."""
    return (1 + math.cos(math.pi * share)) / 2


def one_cycle(share: float) -> float:
    """Rise from a tenth to the highest over a fifth of training, then fall to a hundredth.

    A low start keeps the first, steep gradients harmless; a low end lets the weights settle.
    """
    rise, start, end = 0.2, 0.1, 0.01
    if share < rise:
        return start + (1 - start) * share / rise
    return end + (1 - end) * cosine((share - rise) / (1 - rise))


SCHEDULES: dict[str, Schedule] = {"constant": constant, "cosine": cosine, "one-cycle": one_cycle}
