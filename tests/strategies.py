"""What the tests of numbers draw: shapes and a seed from Hypothesis, values from NumPy.

Hypothesis is good at finding the awkward shape and at shrinking it; values that it drew itself
would shrink to zeros and hide a wrong gradient. Each strategy gives the arguments of an
operation's forward pass by name, as ``tinycnn.nn.gradcheck`` takes them.
"""

import inspect

import numpy as np
from hypothesis import strategies as st

from tinycnn import kernels
from tinycnn.kernels.simd import LANES
from tinycnn.nn import reference
from tinycnn.nn.gradcheck import call, quantities, spread

MARGIN = 1e-3
"""How far winners and ReLUs are kept from their kinks; a hundred steps of the differences."""


def generators():
    """Random generators that Hypothesis can replay."""
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


def often_small(few, *many):
    """Sizes from 1 to ``few``, and now and then one of ``many``."""
    return st.one_of(*[st.integers(1, few)] * 3, st.sampled_from(many))


examples = often_small(3, 6, 17)  # from 5 on threads share the work, from 17 on in two pieces
filters = often_small(3, LANES // 4, LANES // 2, LANES - 1, LANES, LANES + 3)
channels = often_small(3, 8, LANES + 1)
shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4)


def convolved(rng, images, filters):
    """x (N,H,W,C), w (F,KH,KW,C) and b (F)."""
    normal = rng.standard_normal
    return {"x": normal(images), "w": normal(filters), "b": normal(filters[0])}


@st.composite
def conv2d(draw, size=1, examples=examples):
    """x, w, b for windows of any shape, whose outputs fill at least one ``size`` x ``size``."""
    if size == 1 and draw(st.integers(0, 3)) == 3:
        return {name: z for name, z in draw(square(examples)).items() if name != "size"}
    rng, N, C, F = draw(generators()), draw(examples), draw(channels), draw(filters)
    KH, KW = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    H = KH - 1 + draw(st.integers(size, size + 3))  # size 1: down to a kernel as large as x
    W = KW - 1 + draw(st.integers(size, size + 3))
    return convolved(rng, (N, H, W, C), (F, KH, KW, C))


@st.composite
def square(draw, examples=examples):
    """x, w, b, size as in usual networks, wide enough for the fastest of several ways."""
    rng, N, K = draw(generators()), draw(examples), draw(st.integers(3, 5))
    C = draw(st.sampled_from([1, 8, LANES // 2, max(27, LANES + 1)]))
    F = draw(st.sampled_from([LANES // 2, 17, max(28, LANES + 3)]))
    H, W = (K - 1 + draw(st.sampled_from([2, 3, 4, 5, 6, 10, 14])) for _ in "HW")
    return {**convolved(rng, (N, H, W, C), (F, K, K, C)), "size": draw(st.integers(1, 2))}


@st.composite
def conv2d_relu_maxpool2d(draw, examples=examples):
    if draw(st.integers(0, 3)) == 3:
        return draw(square(examples))
    size = draw(st.integers(1, 3))
    return {**draw(conv2d(size, examples)), "size": size}


@st.composite
def dropout(draw):
    rng, shape = draw(generators()), draw(shapes)
    numbers = {"x": rng.standard_normal(shape), "draw": rng.random(shape)}
    return {**numbers, "rate": draw(st.floats(0, 0.9))}


@st.composite
def batchnorm(draw, examples=examples):
    """x of any rank; an epsilon that keeps derivatives gentle where numbers lie close together."""
    rng, N, C = draw(generators()), draw(examples), draw(channels)
    places = draw(st.sampled_from([(), (1, 1), (2, 3), (5, 4)]))
    x = draw(st.floats(0, 3)) + rng.standard_normal((N, *places, C))
    return {"x": x, "w": rng.uniform(0.5, 2, C), "b": rng.standard_normal(C), "epsilon": 1.0}


@st.composite
def maxpool2d(draw, examples=examples):
    """A shuffled x: no two numbers alike."""
    rng, size = draw(generators()), draw(st.integers(1, 3))
    H, W = draw(st.integers(size, size + 4)), draw(st.integers(size, size + 4))
    return {"x": spread(rng, draw(examples), H, W, draw(channels)), "size": size}


@st.composite
def relu(draw):
    return {"x": spread(draw(generators()), *draw(shapes))}


@st.composite
def dense(draw):
    rng, N = draw(generators()), draw(often_small(3, 5, 8, 9, 17))
    D, K = draw(often_small(5, 8, LANES + 1)), draw(often_small(5, LANES, 2 * LANES + 1))
    return {
        "x": rng.standard_normal((N, D)),
        "w": rng.standard_normal((D, K)),
        "b": rng.standard_normal(K),
    }


@st.composite
def softmax(draw):
    rng, N, K = draw(generators()), draw(often_small(3, 17)), draw(often_small(5, 10, LANES + 1))
    return {"logits": 3 * rng.standard_normal((N, K))}


@st.composite
def softmax_cross_entropy(draw):
    logits = draw(softmax())["logits"]
    N, K = logits.shape
    return {"logits": logits, "labels": draw(generators()).integers(0, K, N)}


@st.composite
def sgd_update(draw):
    rng, shape = draw(generators()), draw(shapes)
    return {
        **{name: rng.standard_normal(shape) for name in ("z", "dz", "velocity")},
        **dict(zip(("learning_rate", "momentum", "weight_decay"), rng.random(3), strict=True)),
    }


@st.composite
def adam_update(draw):
    rng, shape = draw(generators()), draw(shapes)
    names = ("learning_rate", "beta1", "beta2", "epsilon", "weight_decay")
    return {
        **{name: rng.standard_normal(shape) for name in ("z", "dz", "mean")},
        "square": rng.random(shape),
        "step": draw(st.integers(1, 1000)),
        **dict(zip(names, rng.random(5), strict=True)),
    }


LAYERS = [conv2d, conv2d_relu_maxpool2d, batchnorm, dropout, maxpool2d, relu, dense]
ENDS = [softmax, softmax_cross_entropy, sgd_update, adam_update]
FAMILIES = {family.__name__: family() for family in LAYERS + ENDS}
"""For each operation, the arguments of its forward pass; its gradients find theirs by name."""


@st.composite
def far_from_kinks(draw):
    """A fused stage in which a small step changes neither a winner nor what a ReLU lets pass."""
    given, rng = draw(conv2d_relu_maxpool2d(st.integers(1, 3))), draw(generators())
    while not _clear(**given):
        given = {z: rng.standard_normal(v.shape) if z != "size" else v for z, v in given.items()}
    return given


def _clear(x, w, b, size):
    y = reference.conv2d(x, w, b)
    best, winner = reference.maxpool2d(y, size)
    winners = reference.maxpool2d_backward(np.ones_like(best), winner, y.shape[1:3], size)
    second, _ = reference.maxpool2d(np.where(winners, -np.inf, y), size)
    return np.all((best < -MARGIN) | (best > MARGIN) & (best - second > MARGIN))


def gentle(strategy):
    """Logits that leave no class without a chance."""
    return strategy.map(lambda given: {**given, "logits": given["logits"] / 3})


DIFFERENTIABLE = {
    "conv2d": conv2d(),
    "conv2d_relu_maxpool2d": far_from_kinks(),
    "batchnorm": batchnorm(st.integers(1, 3)),
    "maxpool2d": maxpool2d(st.integers(1, 3)),
    "relu": relu(),
    "dense": dense(),
    "softmax": gentle(softmax()),
    "softmax_cross_entropy": gentle(softmax_cross_entropy()),
}
"""The same for finite differences: far from kinks, and from where a softmax is flat."""


def fixed(N=2, K=2, C=2, F=3):
    """Arguments of chosen sizes for each operation, always the same ones."""
    rng = np.random.default_rng(0)
    normal = rng.standard_normal
    images = convolved(rng, (N, K + 4, K + 3, C), (F, K, K, C))
    states = {z: normal((2, F)) for z in ("z", "dz", "velocity", "mean")}
    rates = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01}
    rates |= {"beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8, "step": 3}
    logits = normal((2 * N, 5))
    return {
        "conv2d": images,
        "conv2d_relu_maxpool2d": {**images, "size": 2},
        "batchnorm": {"x": images["x"], "w": normal(C), "b": normal(C), "epsilon": 1.0},
        "dropout": {"x": normal((2 * N, 5)), "draw": normal((2 * N, 5)), "rate": 0.3},
        "maxpool2d": {"x": images["x"], "size": 2},
        "relu": {"x": normal((2 * N, 5))},
        "dense": {"x": normal((N and N + 1, 5)), "w": normal((5, F + 1)), "b": normal(F + 1)},
        "softmax": {"logits": logits},
        "softmax_cross_entropy": {"logits": logits, "labels": np.arange(2 * N) % 5},
        "sgd_update": {**states, **rates},
        "adam_update": {**states, **rates, "square": states["z"] ** 2},
    }


IN_PLACE = {"sgd_update": ("z", "velocity"), "adam_update": ("z", "mean", "square")}
"""What these functions are there to change; all else is changed by none."""


def functions(ops):
    """The operations, as ``kernels`` or ``reference`` have them, by name."""
    return {name: getattr(ops, name) for name in dir(kernels)}


def family_of(name):
    """The operation that a public function belongs to."""
    return name.partition("_backward")[0]


def arguments(name, given, dtype=np.float64, seed=0):
    """All arguments of the public function ``name``, by name, from those of its forward pass."""
    family = family_of(name)
    known = given if family in IN_PLACE else quantities(family, given, reference, seed)
    parameters = inspect.signature(getattr(reference, name)).parameters
    return {z: known[z].astype(dtype) if is_float_array(known[z]) else known[z] for z in parameters}


def is_float_array(value):
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def run(ops, name, given):
    """The results of a function, those in the changed arguments included."""
    given = {z: v.copy() if z in IN_PLACE.get(name, ()) else v for z, v in given.items()}
    results = call(getattr(ops, name), given)
    return [given[z] for z in IN_PLACE[name]] if name in IN_PLACE else list(results)


def first_of_the_largest(x, size):
    """Each window's largest number, and the first of the places that hold it."""
    H, W = (length // size * size for length in x.shape[1:3])
    places = [x[:, u:H:size, v:W:size] for u in range(size) for v in range(size)]
    y = np.maximum.reduce(places)
    return y, np.select([place == y for place in places], list(range(size * size)))


def unaligned(a):
    result = np.ndarray(a.shape, a.dtype, buffer=bytearray(a.nbytes + 1), offset=1)
    result[...] = a
    return result


def read_only(a):
    result = a.copy()
    result.flags.writeable = False
    return result


class Subclass(np.ndarray):
    """As np.memmap is one."""


LAYOUTS = {
    "contiguous": np.copy,
    "backwards in memory": lambda a: np.flip(np.flip(a).copy()),
    "in Fortran's order": lambda a: a.copy(order="F"),
    "every other number": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "of foreign byte order": lambda a: a.astype(a.dtype.newbyteorder()),
    "read-only": read_only,
    "unaligned": unaligned,
    "a subclass": lambda a: a.view(Subclass),
}
