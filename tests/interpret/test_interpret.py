"""Looking inside: a network worked by hand, and every map compared with the network itself."""

import math

import numpy as np
import pytest

from tinycnn.interpret import (
    Copied,
    FilterAblation,
    Maximum,
    NearestNeighbors,
    Normalized,
    Probability,
    Rectified,
    SGDStepper,
    Tracer,
    WeightedSum,
    class_gradient,
    computation,
    convolutions,
    log_odds,
    max_activations,
    occlusion,
    receptive_field,
    softmax_steps,
)
from tinycnn.nn import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    Softmax,
)
from tinycnn.nn.classifier import network_input
from tinycnn.nn.differences import check

pytestmark = pytest.mark.usefixtures("one_thread")

INPUT = (11, 10, 2)


def convolutional(*ending):
    """Odd sizes, so that pooling leaves something out; a BatchNorm before and after a ReLU."""
    return [
        *[Conv2D(4, 3), BatchNorm(), ReLU(), MaxPool2D(2)],
        *[Conv2D(5, 2), ReLU(), BatchNorm(), Flatten()],
        *[Dropout(0.5), Dense(7), ReLU(), Dropout(0.3), Dense(3), *ending],
    ]


NETWORKS = {
    "convolutions and norms": (convolutional, INPUT),
    "softmax at the end": (lambda: convolutional(Softmax()), INPUT),
    "softmax in the middle": (lambda: [Flatten(), Dense(4), Softmax(), Dense(3)], (4, 3, 1)),
    "no convolution": (lambda: [Flatten(), Dense(6), ReLU(), Dense(3)], (5, 4, 1)),
    "a row": (lambda: [Dense(6), BatchNorm(), Dense(3)], (9,)),
    "no dense layer": (lambda: [Conv2D(3, 4), Flatten()], (4, 4, 1)),
    "nothing to learn": (lambda: [Flatten()], (3, 1, 1)),
    "only a softmax": (lambda: [Softmax()], (3,)),
}


def new(kind, dtype=np.float64):
    """A network whose norms have seen something, and an image for it."""
    layers, shape = NETWORKS[kind]
    network, rng = Sequential(layers(), shape, seed=5), np.random.default_rng(6)
    for layer in network:
        layer.params = {key: z.astype(dtype) for key, z in layer.params.items()}
        layer.state = {
            key: rng.uniform(0.5, 2, z.shape).astype(dtype) for key, z in layer.state.items()
        }
        if "b" in layer.params:
            layer.params["b"] += rng.normal(0, 0.3, layer.params["b"].shape).astype(dtype)
    return network, rng.random((1, *shape)).astype(dtype)


@pytest.fixture(params=NETWORKS)
def taken_apart(request):
    network, x = new(request.param)
    return network, Tracer(network), x


# ------------------------------------------------------------------------------- layer by layer


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


def test_tracing_does_not_change_running_averages():
    network, x = new("convolutions and norms")
    before = [z.tobytes() for z in network.arrays().values()]
    tracer = Tracer(network)
    tracer.trace(x, training=True)
    tracer.backward(np.ones(3))
    assert [z.tobytes() for z in network.arrays().values()] == before


def test_softmax_number_by_number():
    steps = softmax_steps(np.log([2.0, 6.0, 1.0]) * 2, temperature=2)
    np.testing.assert_allclose(steps.scaled, np.log([2 / 6, 1, 1 / 6]))
    np.testing.assert_allclose(steps.exponentials, [2 / 6, 1, 1 / 6])
    assert steps.total == pytest.approx(9 / 6)
    np.testing.assert_allclose(steps.p, [2 / 9, 6 / 9, 1 / 9])


def test_log_odds_are_those_of_the_probability_and_stay_finite():
    logits = np.array([[1.0, 2.0, 0.5]])
    p = softmax_steps(logits[0]).p[1]
    np.testing.assert_allclose(log_odds(logits, 1), np.log(p / (1 - p)))
    np.testing.assert_allclose(log_odds(np.array([[900.0, 0.0]]), 0), 900)


# ------------------------------------------------------------------------- where a value comes from


def places(tracer, index, rng, count=6):
    shape = tracer.trace(np.zeros((1, *tracer.input_shape))).outputs[index].shape
    return [tuple(int(rng.integers(size)) for size in shape) for _ in range(count)]


def test_every_value_is_the_result_of_its_computation(taken_apart):
    _, tracer, x = taken_apart
    trace, rng = tracer.trace(x), np.random.default_rng(0)
    for index, y in enumerate(trace.outputs):
        for place in places(tracer, index, rng):
            assert computation(tracer, trace, index, place).y == pytest.approx(float(y[place]))


def test_computations_name_the_numbers():
    network, x = new("convolutions and norms")
    tracer = Tracer(network)
    trace = tracer.trace(x)
    w = network.layers[0].params["w"]

    conv = computation(tracer, trace, 0, (2, 3, 1))
    assert isinstance(conv, WeightedSum)
    np.testing.assert_array_equal(conv.x, x[0, 2:5, 3:6])
    np.testing.assert_array_equal(conv.w, w[1])
    np.testing.assert_array_equal(conv.products, x[0, 2:5, 3:6] * w[1])

    norm = computation(tracer, trace, 1, (2, 3, 1))
    assert isinstance(norm, Normalized)
    assert norm.x == pytest.approx(conv.y)

    relu = computation(tracer, trace, 2, (2, 3, 1))
    assert relu == Rectified(pytest.approx(norm.y), max(norm.y, 0))

    pool = computation(tracer, trace, 3, (1, 2, 1))
    assert isinstance(pool, Maximum)
    np.testing.assert_array_equal(pool.window, trace.outputs[2][2:4, 4:6, 1])
    assert pool.window[pool.place] == pool.y == pool.window.max()

    flat = computation(tracer, trace, 7, (11,))
    assert flat == Copied((0, 2, 1), float(trace.outputs[6][0, 2, 1]))

    dense = computation(tracer, trace, 9, (4,))
    np.testing.assert_array_equal(dense.w, network.layers[9].params["w"][:, 4])
    np.testing.assert_array_equal(dense.x, trace.outputs[8])

    passed = computation(tracer, trace, 8, (11,))
    assert passed == Copied((11,), flat.y), "outside of training, nothing is dropped"


def test_a_probability_is_the_result_of_a_softmax():
    network, x = new("softmax in the middle")
    trace = Tracer(network).trace(x)
    probability = computation(Tracer(network), trace, 2, (1,))
    assert isinstance(probability, Probability)
    assert probability.y == pytest.approx(
        np.exp(probability.logits[1]) / np.exp(probability.logits).sum()
    )


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
        (place,) = places(tracer, index, rng, 1)
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


# -------------------------------------------------------------------------------------------- why


@pytest.mark.parametrize("kind", ["convolutions and norms", "no convolution", "a row"])
def test_occlusion_agrees_with_a_slow_loop(kind):
    network, x = new(kind)
    tracer = Tracer(network)
    x[:, : x.shape[1] // 2] = 0  # paper, which hides nothing when covered
    H, W, C = tracer.image_shape
    expected = np.zeros((H, W))
    for i in range(H):
        for j in range(W):
            covered = x.reshape(H, W, C).copy()
            for h in range(H):
                for w in range(W):
                    if abs(h - i) <= 1 and abs(w - j) <= 1:
                        covered[h, w] = 0
            ps = [tracer.trace(z.reshape(x.shape)).p for z in (x, covered)]
            before, after = (np.log(p[1] / (1 - p[1])) for p in ps)
            expected[i, j] = before - after
    np.testing.assert_allclose(occlusion(tracer, x, 1, size=3), expected, atol=1e-9)


def test_class_gradients_are_finite_differences(taken_apart):
    _, tracer, x = taken_apart
    for label, other in ((0, None), (2, 1)):
        dy = np.zeros(3)
        dy[label] = 1
        if other is not None:
            dy[other] = -1
        dx = class_gradient(tracer, x, label, other)
        check("class", lambda: tracer.logits(x)[0], {"x": (x, dx[None])}, dy)


def test_an_image_is_its_own_nearest_neighbor_and_distances_are_those_of_the_last_hidden_layer():
    network, _ = new("convolutions and norms")
    tracer, rng = Tracer(network), np.random.default_rng(0)
    x = rng.random((300, *INPUT))
    hidden = np.array([tracer.trace(z[None]).outputs[-2] for z in x])
    distances = np.linalg.norm(hidden - hidden[270], axis=1)
    found = NearestNeighbors(tracer, x).nearest(x[270:271], 4)
    assert [n for n, _ in found] == np.argsort(distances)[:4].tolist()
    assert found[0] == (270, pytest.approx(0, abs=1e-9))
    np.testing.assert_allclose([d for _, d in found], np.sort(distances)[:4], atol=1e-9)


def test_every_network_has_neighbors(taken_apart):
    _, tracer, x = taken_apart
    assert NearestNeighbors(tracer, np.concatenate([x + 1, x])).nearest(x, 1)[0].image == 1


# ---------------------------------------------------------------------------------------- filters


def test_an_ablated_filter_sends_zeros_to_the_next_weights():
    network, _ = new("convolutions and norms")
    tracer, rng = Tracer(network), np.random.default_rng(0)
    assert convolutions(tracer) == [0, 4]
    x, labels = rng.random((40, *INPUT)), rng.integers(0, 3, 40)
    ablation = FilterAblation(tracer, 0, x, labels)
    effect = ablation.ablate({1, 3}, x[:1])

    without, _ = new("convolutions and norms")
    without.layers[4].params["w"][..., [1, 3]] = 0  # the next convolution ignores them
    for p, some in ((effect.p_before, network), (effect.p_after, without)):
        np.testing.assert_allclose(p, Tracer(some).trace(x[:1]).p, atol=1e-12)
    answers = [some.forward(x).argmax(axis=1) for some in (network, without)]
    assert effect.n == 40
    assert effect.right_before == np.sum(answers[0] == labels)
    assert effect.right_after == np.sum(answers[1] == labels)
    assert effect.changed == np.sum(answers[0] != answers[1])


def test_the_maximal_activations_are_the_highest_peaks():
    network, _ = new("convolutions and norms")
    tracer, rng = Tracer(network), np.random.default_rng(0)
    x = rng.random((300, *INPUT))
    maps = tracer.run(x, 0, 5)
    found = max_activations(tracer, 4, x, 3)
    assert len(found) == 5
    for f, best in enumerate(found):
        peaks = maps[..., f].max(axis=(1, 2))
        assert [e.image for e in best] == np.argsort(-peaks, kind="stable")[:3].tolist()
        for e in best:
            i, j = np.unravel_index(maps[e.image, ..., f].argmax(), maps.shape[1:3])
            assert e.value == maps[e.image, i, j, f]
            assert e.region == receptive_field(tracer, 4, (int(i), int(j), f))


# ------------------------------------------------------------------------------------- the stepper


def by_hand():
    network = Sequential([Dense(2)], (2,))
    network.layers[0].params["w"][...] = [[1, 0], [0, 1]]
    network.layers[0].params["b"][...] = [0, 1]
    return network, np.array([[1, 2]], np.float32)


def test_the_backward_pass_of_a_network_worked_by_hand():
    network, x = by_hand()
    back = SGDStepper(network, x, label=0).backward_pass()
    q = 1 / (1 + np.exp(2))  # p = [q, 1 - q]
    np.testing.assert_allclose(back.trace.logits, [1, 3])
    np.testing.assert_allclose(back.p, [q, 1 - q], rtol=1e-6)
    assert back.loss == pytest.approx(-np.log(q), rel=1e-6)
    np.testing.assert_allclose(back.dlogits, [q - 1, 1 - q], rtol=1e-6)
    np.testing.assert_allclose(back.dparams[0]["b"], [q - 1, 1 - q], rtol=1e-6)
    np.testing.assert_allclose(
        back.dparams[0]["w"], [[q - 1, 1 - q], [2 * q - 2, 2 - 2 * q]], rtol=1e-6
    )
    np.testing.assert_allclose(back.dx, [q - 1, 1 - q], rtol=1e-6)  # w is the identity


def test_a_step_worked_by_hand():
    network, x = by_hand()
    q = 1 / (1 + np.exp(2))
    # b moves by 0.1 (1 - q), and each w by that times its x: the gap of 2 shrinks by
    # 2 * 0.1 (1 - q) (1 + 1 + 4).
    p = SGDStepper(network, x, label=0).step(lr=0.1)
    assert p[0] == pytest.approx(1 / (1 + np.exp(2 - 1.2 * (1 - q))), rel=1e-5)


def test_every_gradient_of_the_backward_pass_is_a_finite_difference(taken_apart):
    network, _, x = taken_apart
    stepper = SGDStepper(network, x, label=2)
    back, layers = stepper.backward_pass(), stepper.tracer.layers

    def loss():
        return -np.log(stepper.p()[2])

    gradients = {"x": (stepper.x, back.dx[None])}
    for index, (layer, grads) in enumerate(zip(layers, back.dparams, strict=True)):
        assert grads.keys() == layer.params.keys()
        gradients |= {f"{index}.{key}": (layer.params[key], dz) for key, dz in grads.items()}
    check("stepper", loss, gradients, 1.0)
    assert [dy.shape for dy in back.doutputs] == [y.shape for y in back.trace.outputs]
    if layers:
        np.testing.assert_array_equal(back.doutputs[-1], back.dlogits)


def test_steps_raise_the_probability_and_are_taken_back_bit_for_bit(taken_apart):
    network, _, x = taken_apart
    stepper = SGDStepper(network, x, label=0)
    learns = any(layer.params for layer in stepper.tracer.layers)
    seen = [stepper.p()]
    for _ in range(3):
        seen.append(stepper.step(0.01))
        assert seen[-1][0] > seen[-2][0] or not learns
    assert stepper.steps == 3
    for p in reversed(seen[:-1]):
        assert stepper.undo()
        assert stepper.p().tobytes() == p.tobytes()
    assert not stepper.undo()
    mine = [z.tobytes() for layer in stepper.tracer.layers for z in layer.params.values()]
    assert mine == [z.tobytes() for layer in network for z in layer.params.values()]


def test_steps_are_taken_on_a_copy():
    network, x = new("convolutions and norms", np.float32)
    before = [z.tobytes() for z in network.arrays().values()]
    stepper = SGDStepper(network, x, label=1)
    stepper.step(0.1)
    assert [z.tobytes() for z in network.arrays().values()] == before


def test_a_network_of_another_size_gets_the_same_picture_as_the_recognizer_shows_it():
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    small = Sequential([Flatten(), Dense(4)], (14, 12, 1))
    assert network_input(small, images).shape == (3, 14, 12, 1)
    row = Sequential([Dense(4)], (784,))
    np.testing.assert_array_equal(
        network_input(row, images), images.reshape(3, 784) * np.float32(1 / 255)
    )
