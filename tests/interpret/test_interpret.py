"""Looking inside: a network worked by hand, and every map compared with the network itself."""

import math

import numpy as np
import pytest

from tinycnn.interpret.attribution import NearestNeighbors, class_gradient, occlusion
from tinycnn.interpret.filters import FilterAblation, convolutions
from tinycnn.interpret.flow import activation, flow, stages
from tinycnn.interpret.sgd_step import after_step, backward_pass
from tinycnn.interpret.tracer import Tracer
from tinycnn.interpret.values import receptive_field, weighted_sum
from tinycnn.nn import Dense, Sequential, Softmax, build
from tinycnn.nn.differences import check

pytestmark = pytest.mark.usefixtures("one_thread")

INPUT = (11, 10, 2)


CONVOLUTIONAL = (
    "Conv2D(4, 3) BatchNorm ReLU MaxPool2D(2) Conv2D(5, 2) ReLU BatchNorm Flatten "
    "Dropout(0.5) Dense(7) ReLU Dropout(0.3) Dense(3)"
)
"""Odd sizes, so that pooling leaves something out; a BatchNorm before and after a ReLU."""

NETWORKS = {
    "convolutions and norms": (CONVOLUTIONAL, INPUT),
    "softmax at the end": (f"{CONVOLUTIONAL} Softmax", INPUT),
    "softmax in the middle": ("Flatten Dense(4) Softmax Dense(3)", (4, 3, 1)),
    "no convolution": ("Flatten Dense(6) ReLU Dense(3)", (5, 4, 1)),
    "a row": ("Dense(6) BatchNorm Dense(3)", (9,)),
    "no dense layer": ("Conv2D(3, 4) Flatten", (4, 4, 1)),
    "nothing to learn": ("Flatten()", (3, 1, 1)),
    "only a softmax": ("Softmax()", (3,)),
}


def new(kind):
    """A network whose norms have seen something, and an image for it."""
    layers, shape = NETWORKS[kind]
    network, rng = build(layers, shape, seed=5), np.random.default_rng(6)
    for layer in network:
        layer.params = {key: z.astype(float) for key, z in layer.params.items()}
        layer.state = {key: rng.uniform(0.5, 2, z.shape) for key, z in layer.state.items()}
        if "b" in layer.params:
            layer.params["b"] += rng.normal(0, 0.3, layer.params["b"].shape)
    return network, rng.random((1, *shape))


@pytest.fixture
def many():
    """The network of convolutions and norms, taken apart, and 300 images for it."""
    network, _ = new("convolutions and norms")
    return network, Tracer(network), np.random.default_rng(0).random((300, *INPUT))


@pytest.fixture(params=NETWORKS)
def taken_apart(request):
    network, x = new(request.param)
    return network, Tracer(network), x


def test_layer_by_layer_gives_what_the_network_answers(taken_apart):
    network, tracer, x = taken_apart
    trace = tracer.trace(x)
    answer = network.forward(x)[0]
    ends_in_softmax = isinstance(network.layers[-1], Softmax)
    np.testing.assert_allclose(trace.p if ends_in_softmax else trace.logits, answer, atol=1e-12)
    np.testing.assert_allclose(tracer.logits(x)[0], trace.logits, atol=1e-12)
    assert len(trace.outputs) == len(tracer.layers) == len(network.layers) - ends_in_softmax


def test_a_tracer_does_not_disturb_the_model_and_sees_its_changes():
    network, x = new("convolutions and norms")
    tracer = Tracer(network)
    network.forward(x, training=True)
    expected = network.backward(np.ones((1, 3)), input_gradient=True)
    tracer.trace(2 * x, training=True)
    np.testing.assert_array_equal(network.backward(np.ones((1, 3)), input_gradient=True), expected)
    before = tracer.trace(x).logits
    network.layers[-1].params["b"] += 1
    np.testing.assert_allclose(tracer.trace(x).logits, before + 1)


def test_sums_of_convolutions_and_dense_layers_name_the_numbers():
    network, x = new("convolutions and norms")
    tracer = Tracer(network)
    trace = tracer.trace(x)
    conv, dense = (weighted_sum(tracer, trace, *spot) for spot in ((0, (2, 3, 1)), (9, (4,))))
    np.testing.assert_array_equal(conv.x, x[0, 2:5, 3:6])
    np.testing.assert_array_equal(conv.w, network.layers[0].params["w"][1])
    np.testing.assert_array_equal(conv.products, conv.x * conv.w)
    np.testing.assert_array_equal(dense.w, network.layers[9].params["w"][:, 4])
    np.testing.assert_array_equal(dense.x, trace.outputs[8])


def test_a_receptive_field_holds_exactly_the_pixels_that_can_change_the_value(taken_apart):
    """Perturbed one by one, over inputs enough that every window is won by every pixel once."""
    network, tracer, _ = taken_apart
    rng = np.random.default_rng(1)
    for layer in network:  # no ReLU may hide what flows through it
        for z in layer.params.values():
            z[...] = abs(z) + 0.1
        if layer.state:
            layer.state["mean"][...] = 0
    for index in range(len(tracer.layers)):
        place = tuple(int(rng.integers(size)) for size in tracer.shapes[index + 1])
        seen = np.zeros(tracer.input_shape, bool)
        seen[receptive_field(tracer, index, place)] = True
        np.testing.assert_array_equal(touched(tracer, index, place, rng), seen)


def touched(tracer, index, place, rng):
    """Which numbers of the input change one output for some of 12 inputs, when they rise a lot."""
    D = math.prod(tracer.input_shape)
    changed = np.zeros(D, bool)
    for _ in range(12):
        x = np.repeat(rng.random((1, D)), D + 1, axis=0)
        x[np.arange(D), np.arange(D)] += 50
        y = tracer.run(x.reshape(-1, *tracer.input_shape), 0, index + 1)[(..., *place)]
        changed |= abs(y[:-1] - y[-1]) > 1e-9
    return changed.reshape(tracer.input_shape)


def test_the_ways_to_a_class_pass_every_stage_and_begin_in_its_receptive_field():
    layers = "Conv2D(4, 5) BatchNorm ReLU MaxPool2D(2) Conv2D(3, 3) ReLU Flatten"
    summing = Tracer(build(f"{layers} Dense(7) ReLU Dense(5)", (14, 14, 1), seed=3))
    summed = summing.trace(np.random.default_rng(0).random((1, 14, 14, 1), np.float32))
    links = flow(summing, summed)
    assert [activation(summing, k) for k in stages(summing)] == [2, 5, 8, 9]
    assert {link.target[0] for link in links} == {0, 4, 7, 9}
    assert {link.source[0] for link in links} == {-1, 0, 4, 7}
    top, best = [z for z in links if z.target[0] == 9], int(summed.outputs[9].argmax())
    assert {link.target for link in top} == {(9, (best,))}
    products = weighted_sum(summing, summed, 9, (best,)).products
    assert [z.share for z in top] == sorted(products, key=abs, reverse=True)[: len(top)]
    spot = (4, (1, 2, 0))
    rows, columns, _ = receptive_field(summing, *spot)
    for source, _, _ in flow(summing, summed, spot):
        if source[0] == -1:
            assert rows.start <= source[1][0] < rows.stop
            assert columns.start <= source[1][1] < columns.stop


@pytest.mark.parametrize("place", [(0, 0, 2), (8, 9, 1)])
def test_the_ways_lead_through_frames_and_averages(place):
    layers = "ZeroPad2D(1) BatchNorm Conv2D(3, 3) Tanh AveragePool2D(2) LeakyReLU"
    tracer = Tracer(build(f"{layers} GlobalAveragePool2D Dense(5)", (20, 20, 2), seed=1))
    trace = tracer.trace(np.random.default_rng(2).random((1, 20, 20, 2), np.float32))
    rows, columns, _ = receptive_field(tracer, 4, place)
    assert (rows, columns) == tuple(slice(max(2 * z - 1, 0), min(2 * z + 3, 20)) for z in place[:2])
    assert {link.source[0] for link in flow(tracer, trace)} == {-1, 2}


@pytest.mark.parametrize("kind", ["convolutions and norms", "no convolution", "a row"])
def test_occlusion_agrees_with_a_slow_loop(kind):
    network, x = new(kind)
    tracer = Tracer(network)
    x[:, : x.shape[1] // 2] = 0  # paper, which hides nothing when covered
    H, W, C = tracer.image_shape
    expected = np.zeros((H, W))
    for i, j in np.ndindex(H, W):
        covered = x.reshape(H, W, C).copy()
        covered[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2] = 0
        ps = [tracer.trace(z.reshape(x.shape)).p for z in (x, covered)]
        before, after = (np.log(p[1] / (1 - p[1])) for p in ps)
        expected[i, j] = before - after
    np.testing.assert_allclose(occlusion(tracer, x, 1, size=3), expected, atol=1e-9)


def test_class_gradients_are_finite_differences(taken_apart):
    _, tracer, x = taken_apart
    for label, other in ((0, None), (2, 1)):
        dy = np.eye(3)[label] - (0 if other is None else np.eye(3)[other])
        dx = class_gradient(tracer, x, label, other)
        check("class", lambda: tracer.logits(x)[0], {"x": (x, dx[None])}, dy)


def test_nearest_neighbors_are_near_in_the_last_hidden_layer(many):
    _, tracer, x = many
    hidden = np.array([tracer.trace(z[None]).outputs[-2] for z in x])
    distances = np.linalg.norm(hidden - hidden[270], axis=1)
    found = NearestNeighbors(tracer, x).nearest(x[270:271], 4)
    assert [n for n, _ in found] == np.argsort(distances)[:4].tolist()
    assert found[0] == (270, pytest.approx(0, abs=1e-9))
    np.testing.assert_allclose([d for _, d in found], np.sort(distances)[:4], atol=1e-9)


def test_an_ablated_filter_sends_zeros_to_the_next_weights(many):
    network, tracer, x = many
    assert convolutions(tracer) == [0, 4]
    labels = np.arange(300) % 3
    effect = FilterAblation(tracer, 0, x, labels).ablate({1, 3}, x[:1])
    without, _ = new("convolutions and norms")
    without.layers[4].params["w"][..., [1, 3]] = 0  # the next convolution ignores them
    for p, some in ((effect.p_before, network), (effect.p_after, without)):
        np.testing.assert_allclose(p, Tracer(some).trace(x[:1]).p, atol=1e-12)
    answers = [some.forward(x).argmax(axis=1) for some in (network, without)]
    right = [np.sum(answer == labels) for answer in answers]
    assert [effect.n, effect.right_before, effect.right_after] == [300, *right]


def test_the_backward_pass_and_a_step_worked_by_hand():
    network = Sequential([Dense(2)], (2,))
    network.layers[0].params["w"][...] = [[1, 0], [0, 1]]
    network.layers[0].params["b"][...] = [0, 1]
    x = np.array([[1, 2]], np.float32)
    back = backward_pass(network, x, label=0)
    q = 1 / (1 + np.exp(2))  # p = [q, 1 - q]
    np.testing.assert_allclose(back.trace.logits, [1, 3])
    np.testing.assert_allclose(back.p, [q, 1 - q], rtol=1e-6)
    assert back.loss == pytest.approx(-np.log(q), rel=1e-6)
    np.testing.assert_allclose(back.dlogits, [q - 1, 1 - q], rtol=1e-6)
    # b moves by 0.1 (1 - q), and each w by that times its x: the gap of 2 shrinks by
    # 2 * 0.1 (1 - q) (1 + 1 + 4).
    kept = [z.copy() for z in network.arrays().values()]
    p = after_step(network, x, label=0, lr=0.1)
    assert all(map(np.array_equal, network.arrays().values(), kept)), "a copy takes the step"
    assert p[0] == pytest.approx(1 / (1 + np.exp(2 - 1.2 * (1 - q))), rel=1e-5)


def test_the_gradient_of_an_output_is_that_of_the_bias_behind_it(taken_apart):
    network, tracer, x = taken_apart
    back = backward_pass(network, x, label=2)
    assert [dy.shape for dy in back.doutputs] == [y.shape for y in back.trace.outputs]
    db = [dy.sum(axis=tuple(range(dy.ndim - 1))) for dy in back.doutputs]
    gradients = {
        str(index): (layer.params["b"], db[index])
        for index, layer in enumerate(tracer.layers)
        if layer.params
    }
    check("b", lambda: -np.log(tracer.trace(x).p[2]), gradients, 1.0)
