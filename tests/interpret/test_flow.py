"""The ways through a network: what they say adds up."""

import numpy as np
import pytest

from tinycnn.interpret import (
    Tracer,
    activation,
    flow,
    output_shape,
    receptive_field,
    stages,
    weighted_sum,
)
from tinycnn.nn import (
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePool2D,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sequential,
    Tanh,
    ZeroPad2D,
    build,
)

LAYERS = [Conv2D(4, 5), BatchNorm(), ReLU(), MaxPool2D(2), Conv2D(3, 3), ReLU(), Flatten()]


@pytest.fixture
def tracer():
    return Tracer(Sequential([*LAYERS, Dense(7), ReLU(), Dense(5)], (14, 14, 1), seed=3))


@pytest.fixture
def trace(tracer):
    return tracer.trace(np.random.default_rng(0).random((1, 14, 14, 1), np.float32))


def test_stages_sum_and_their_activations_end_before_the_next_shape(tracer):
    assert stages(tracer) == [0, 4, 7, 9]
    assert [activation(tracer, k) for k in stages(tracer)] == [2, 5, 8, 9]
    assert output_shape(tracer, 4) == (3, 3, 3)


def test_the_ways_to_a_class_pass_every_stage_and_begin_in_its_receptive_field(tracer, trace):
    links = flow(tracer, trace)
    assert {link.target[0] for link in links} == {0, 4, 7, 9}
    assert {link.source[0] for link in links} == {-1, 0, 4, 7}
    assert {link.target for link in links if link.target[0] == 9} == {
        (9, (int(trace.outputs[9].argmax()),))
    }
    spot = (4, (1, 2, 0))
    rows, columns, _ = receptive_field(tracer, *spot)
    for source, _, _ in flow(tracer, trace, spot):
        if source[0] == -1:
            assert rows.start <= source[1][0] < rows.stop
            assert columns.start <= source[1][1] < columns.stop


def test_a_share_is_one_of_the_largest_products_of_the_sum(tracer, trace):
    links = flow(tracer, trace, (7, (3,)))
    first = [link.share for link in links if link.target == (7, (3,))]
    products = weighted_sum(tracer, trace, 7, (3,)).products
    largest = products[np.argsort(-np.abs(products))][: len(first)]
    np.testing.assert_allclose(first, largest)


@pytest.mark.parametrize("place", [(0, 0, 2), (8, 9, 1)])
def test_the_ways_lead_through_frames_and_averages(place):
    layers = [ZeroPad2D(1), Conv2D(3, 3), Tanh(), AveragePool2D(2), LeakyReLU(), Dense(5)]
    layers.insert(-1, GlobalAveragePool2D())
    tracer = Tracer(Sequential(layers, (20, 20, 2), seed=1))
    trace = tracer.trace(np.random.default_rng(2).random((1, 20, 20, 2), np.float32))
    rows, columns, _ = receptive_field(tracer, 3, place)
    assert (rows, columns) == tuple(slice(max(2 * z - 1, 0), min(2 * z + 3, 20)) for z in place[:2])
    assert {link.source[0] for link in flow(tracer, trace)} == {-1, 1}


def test_the_network_of_1998_has_ways_too():
    tracer = Tracer(build("lenet5", seed=0))
    trace = tracer.trace(np.random.default_rng(0).random((1, 28, 28, 1), np.float32))
    assert {link.source[0] for link in flow(tracer, trace)} == {-1, *stages(tracer)[:-1]}
