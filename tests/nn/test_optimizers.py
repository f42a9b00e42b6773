"""Optimizers take the steps that their papers say, number by number, and schedules their course."""

import math

import numpy as np
import pytest

from tinycnn import kernels
from tinycnn.nn import SGD, Adam, Dense, ReLU, one_cycle, reference

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = {
    "plain SGD": (SGD, {"lr": 0.1, "momentum": 0.0}),
    "SGD with momentum": (SGD, {"lr": 0.1}),
    "SGD with weight decay": (SGD, {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.1}),
    "Adam": (Adam, {"lr": 0.01}),
    "Adam with weight decay": (Adam, {"lr": 0.02, "weight_decay": 0.1}),
}
every_optimizer = pytest.mark.parametrize(("kind", "settings"), SETTINGS.values(), ids=SETTINGS)


@pytest.fixture
def layers():
    """Two layers with parameters, and one without between them."""
    return built(seed=0)


def built(seed):
    first, last = Dense(3), Dense(2)
    first.build((4,), np.random.default_rng(seed))
    last.build((3,), np.random.default_rng(seed + 1))
    return [first, ReLU(), last]


def gradients(layers, step):
    """Give every parameter a gradient that is another one in each step."""
    rng = np.random.default_rng(step)
    for layer in layers:
        layer.grads = {
            key: rng.standard_normal(z.shape, dtype=np.float32) for key, z in layer.params.items()
        }


@pytest.mark.parametrize("ops", [kernels, reference])
@pytest.mark.parametrize("kind", [SGD, Adam])
def test_what_gets_no_gradient_any_more_fades_to_zero_and_not_into_denormal_numbers(
    kind, ops, layers
):
    optimizer = kind(layers, lr=0.1)
    optimizer.ops = ops
    for layer in layers:
        layer.grads = {key: np.zeros_like(z) for key, z in layer.params.items()}
    for start, is_kept in ((1e-29, True), (1e-33, False)):  # normal numbers both, beside 1e-38
        for state in optimizer.state.values():
            state[...] = start
        optimizer.step()
        assert {bool(state.any()) for state in optimizer.state.values()} == {is_kept}


def sgd_path(z, slopes, lr, momentum=0.9, weight_decay=0.0):
    """Heavy-ball steps (Polyak 1964): z moves by -lr times a sum of fading gradients."""
    past = []
    for slope in slopes:
        past.append(slope + weight_decay * z)
        fading = sum(g * momentum ** (len(past) - 1 - t) for t, g in enumerate(past))
        z = z - lr * fading
    return z


def adam_path(z, slopes, lr, betas=(0.9, 0.999), epsilon=1e-8, weight_decay=0.0):
    """Steps by weighted means of all gradients so far; the weights of a mean sum to one."""
    for t in range(1, len(slopes) + 1):
        means = []
        for beta, power in zip(betas, (1, 2), strict=True):
            weights = [beta ** (t - i) for i in range(1, t + 1)]
            total = sum(w * g**power for w, g in zip(weights, slopes, strict=False))
            means.append(total / sum(weights))
        z = z - lr * (means[0] / (np.sqrt(means[1]) + epsilon) + weight_decay * z)
    return z


@every_optimizer
def test_steps_are_those_of_the_formula(kind, settings, layers):
    optimizer, path = kind(layers, **settings), sgd_path if kind is SGD else adam_path
    params = [z for layer in layers for z in layer.params.values()]
    starts, slopes = [z.astype(float) for z in params], []
    for step in range(4):
        gradients(layers, step)
        slopes.append([dz.astype(float) for layer in layers for dz in layer.grads.values()])
        optimizer.step()
    for z, start, *seen in zip(params, starts, *slopes, strict=True):
        np.testing.assert_allclose(z, path(start, seen, **settings), rtol=1e-4, atol=1e-6)


@every_optimizer
def test_the_state_is_all_that_is_needed_to_go_on(kind, settings):
    straight, resumed = built(0), built(0)
    take_steps(kind(straight, **settings), straight, range(6))
    first_half, second_half = (kind(resumed, **settings) for _ in range(2))
    take_steps(first_half, resumed, range(3))
    second_half.steps = first_half.steps
    for name, array in second_half.state.items():
        array[...] = first_half.state[name]
    take_steps(second_half, resumed, range(3, 6))
    for a, b in zip(straight, resumed, strict=True):
        for key in a.params:
            assert a.params[key].tobytes() == b.params[key].tobytes()


def take_steps(optimizer, layers, steps):
    for step in steps:
        gradients(layers, step)
        optimizer.step()


def test_one_cycle_at_its_corners():
    corners = {0: 0.1, 0.1: 0.55, 0.2: 1.0, 0.6: 0.505, 1: 0.01}
    for share, factor in corners.items():
        assert math.isclose(one_cycle(share), factor)
