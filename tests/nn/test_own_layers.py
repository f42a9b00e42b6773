"""A subclass of a layer is run by its own code, although its parent could be replaced."""

import numpy as np
import pytest

from tinycnn import nn
from tinycnn.errors import ShapeError
from tinycnn.exchange.layout import in_pytorch
from tinycnn.interpret import Tracer, receptive_field, weighted_sum

pytestmark = pytest.mark.usefixtures("one_thread")


def shifted(kind):
    """A subclass of a layer that adds 0, 1, 2, ... to the channels its parent answers."""

    class Shifted(kind):
        def forward(self, x, training=False):
            y = super().forward(x, training)
            return y + np.arange(y.shape[-1], dtype=np.float32)

    return Shifted


STACK = [(nn.Conv2D, 3, 3), (nn.ReLU,), (nn.MaxPool2D, 2), (nn.BatchNorm,), (nn.Dropout, 0.5)]
STACK += [(nn.Flatten,), (nn.Dense, 5), (nn.Softmax,)]


@pytest.fixture(params=[kind for kind, *_ in STACK], ids=lambda kind: kind.__name__)
def network(request):
    """One network for each kind of layer, which is a subclass in it."""
    changed = request.param
    layers = [(shifted(kind) if kind is changed else kind)(*given) for kind, *given in STACK]
    return nn.Sequential(layers, (9, 8, 1), seed=1)


@pytest.fixture
def x():
    return np.random.default_rng(0).random((2, 9, 8, 1), np.float32)


def test_a_subclass_runs_in_a_network_and_on_the_reference_and_is_looked_into_as_it_is(network, x):
    expected = x
    for layer in network:
        expected = layer.forward(expected)
    np.testing.assert_allclose(network.forward(x), expected, atol=1e-5)
    np.testing.assert_allclose(network.on(nn.reference).forward(x), expected, atol=1e-5)
    trace = Tracer(network).trace(x[:1])
    own_softmax = len(trace.outputs) == len(network.layers)
    np.testing.assert_allclose(trace.logits if own_softmax else trace.p, expected[0], atol=1e-5)


def test_a_subclass_is_neither_explained_nor_exported_as_its_parent(network, x):
    tracer = Tracer(network)
    trace = tracer.trace(x[:1])
    place = next(k for k, layer in enumerate(network) if type(layer).__name__ == "Shifted")
    y = trace.outputs[place]
    last = tuple(size - 1 for size in y.shape)  # where most is added
    told = weighted_sum(tracer, trace, place, last)
    assert told.x.shape == trace.input_of(place).shape, "all of the input, not what the parent sees"
    assert told.y == pytest.approx(y[last], abs=1e-5)
    (rows, *_) = receptive_field(tracer, place, (0,) * trace.outputs[place].ndim)
    assert rows.start == 0
    assert rows.stop >= 8
    with pytest.raises(ShapeError, match="other programs do not have this layer"):
        in_pytorch(network)
