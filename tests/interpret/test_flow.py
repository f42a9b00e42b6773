"""The ways through a network: what they say adds up."""

import numpy as np
import pytest

from tinycnn.interpret import (
    Tracer,
    activation,
    computation,
    flow,
    output_shape,
    receptive_field,
    stages,
)
from tinycnn.nn import BatchNorm, Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential

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
    products = computation(tracer, trace, 7, (3,)).products
    largest = products[np.argsort(-np.abs(products))][: len(first)]
    np.testing.assert_allclose(first, largest)
