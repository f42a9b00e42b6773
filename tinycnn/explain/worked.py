"""Some results of every example, written out number by number, as if with a pencil.

Each operation has a function of its name here. It takes the arguments and local variables of the
reference, z, and the results, and yields lines: a result's name, an index, a sum, and often why.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace as Values
from typing import Any

import numpy as np

from tinycnn.explain.figures import number

Index = tuple[int, ...]
Lines = Iterator[tuple[Any, ...]]


@dataclass(frozen=True)
class Calculation:
    """``name[index] = sum = value``, where ``value`` comes from the reference."""

    name: str
    index: Index
    sum: str
    value: float
    why: str

    def __str__(self) -> str:
        target = f"{self.name}[{','.join(map(str, self.index))}]" if self.index else self.name
        steps = dict.fromkeys([target, self.sum, number(self.value)])  # no "0 = 0"
        return " = ".join(steps) + (f"   ({self.why})" if self.why else "")


def calculations(name: str, given: dict[str, Any], results: dict[str, Any]) -> list[Calculation]:
    """The lines of an operation; their values are read from the results."""
    return [
        Calculation(result, index, text, float(np.asarray(results[result])[index]), "".join(why))
        for result, index, text, *why in globals()[name](Values(**given), Values(**results))
    ]


def _n(value: float) -> str:
    """A number inside a sum: negative ones in brackets."""
    text = number(value)
    return f"({text})" if text.startswith("-") else text


def _products(a: Any, b: Any, start: float | None = None) -> str:
    """``start + a0*b0 + a1*b1 + ...``"""
    terms = [f"{_n(x)}*{_n(y)}" for x, y in zip(np.ravel(a), np.ravel(b), strict=True)]
    return " + ".join([_n(start), *terms] if start is not None else terms)


def _total(values: Iterable[float]) -> str:
    return " + ".join(_n(value) for value in values)


def conv2d(z: Values, out: Values) -> Lines:
    _, KH, KW, _ = z.w.shape
    for i, j, f in ((0, 0, 0), (1, 2, 1)):
        text = _products(z.x[0, i : i + KH, j : j + KW], z.w[f], z.b[f])
        yield "y", (0, i, j, f), text, f"b[{f}], and the window at ({i},{j}) times filter {f}"


def conv2d_backward_params(z: Values, out: Values, upstream: str = "dy") -> Lines:
    dy = getattr(z, upstream)[0, :, :, 0]
    partners = z.x[0, : dy.shape[0], 1 : 1 + dy.shape[1], 0]
    why = f"{upstream} of filter 0, and the inputs that this weight multiplied"
    yield "dw", (0, 0, 1, 0), _products(dy[dy != 0], partners[dy != 0]), why
    yield "db", (0,), _total(dy[dy != 0])


def conv2d_backward_input(z: Values, out: Values, upstream: str = "dy") -> Lines:
    """Every weight of a 2x2 filter multiplies the input at (1,1) once."""
    dy = np.moveaxis(getattr(z, upstream)[0, 1::-1, 1::-1], 2, 0)  # [f,u,v], at (1-u,1-v)
    why = f"{upstream} of the four outputs whose windows cover it, for both filters"
    yield "dx", (0, 1, 1, 0), _products(dy[dy != 0], z.w[..., 0][dy != 0]), why


def maxpool2d(z: Values, out: Values) -> Lines:
    window = z.x[0, :2, :2, 0].ravel()
    yield "y", (0, 0, 0, 0), f"max({', '.join(map(number, window))})", "the window at (0,0)"
    u, v = divmod(int(window.argmax()), 2)
    yield "winner", (0, 0, 0, 0), f"{u}*2 + {v}", f"row {u}, column {v} of the window"


def maxpool2d_backward(z: Values, out: Values) -> Lines:
    u, v = divmod(int(z.winner[0, 0, 0, 0]), 2)
    yield "dx", (0, u, v, 0), "dy[0,0,0,0]", "the maximum of the window at (0,0)"
    yield "dx", (0, 0, 0, 0), "0", "not the maximum"


def relu(z: Values, out: Values) -> Lines:
    for index in ((0, 0), (0, 1)):
        yield "y", index, f"max({number(z.x[index])}, 0)"


def relu_backward(z: Values, out: Values) -> Lines:
    yield "dx", (0, 0), "dy[0,0]", "y[0,0] is above 0"
    yield "dx", (0, 1), "0", "y[0,1] is 0"


def dropout(z: Values, out: Values) -> Lines:
    kept, dropped = z.draw[0, :2]
    yield "y", (0, 0), f"{_n(z.x[0, 0])} / (1 - {z.rate})", f"draw {kept} >= {z.rate}"
    yield "y", (0, 1), "0", f"draw {dropped} < {z.rate}"


def conv2d_relu_maxpool2d(z: Values, out: Values) -> Lines:
    for f in range(2):
        values = ", ".join(map(number, z.z[0, :2, :2, f].ravel()))
        winner = int(out.winner[0, 0, 0, f])
        why = f"place {winner} is the maximum" if winner < 4 else "nothing is above 0: place 4"
        yield "y", (0, 0, 0, f), f"max(0, {values})", why


conv2d_relu_maxpool2d_backward_params = partial(conv2d_backward_params, upstream="dz")
conv2d_relu_maxpool2d_backward_input = partial(conv2d_backward_input, upstream="dz")


def batchnorm(z: Values, out: Values) -> Lines:
    x, mean = z.x[:, 0], _n(out.mean[0])
    yield "mean", (0,), f"({_total(x)}) / {z.M}"
    squares = " + ".join(f"({_n(value)} - {mean})**2" for value in x)
    yield "variance", (0,), f"({squares}) / {z.M}"
    normal = f"({_n(x[0])} - {mean}) / sqrt({_n(out.variance[0])} + {_n(z.epsilon)})"
    yield "y", (0, 0), f"{_n(z.w[0])} * {normal} + {_n(z.b[0])}"


def batchnorm_backward(given: Values, out: Values) -> Lines:
    dy, z, dz, M = given.dy[:, 0], given.z[:, 0], given.dz[:, 0], given.M
    yield "dw", (0,), _products(dy, z), "dy times z"
    yield "db", (0,), _total(dy)
    text = f"{_n(dz[0])} - ({_total(dz)})/{M} - {_n(z[0])}*({_products(dz, z)})/{M}"
    yield "dx", (0, 0), f"({text}) / {_n(given.deviation[0])}"


def dense(z: Values, out: Values) -> Lines:
    for n, k in ((0, 0), (1, 1)):
        yield "y", (n, k), _products(z.x[n], z.w[:, k], z.b[k])


def dense_backward_params(z: Values, out: Values) -> Lines:
    yield "dw", (0, 0), _products(z.x[:, 0], z.dy[:, 0]), "one term per example"
    yield "db", (0,), _total(z.dy[:, 0])


def dense_backward_input(z: Values, out: Values) -> Lines:
    yield "dx", (0, 0), _products(z.dy[0], z.w[0]), "one term per output"


def softmax(z: Values, out: Values) -> Lines:
    shifted = z.logits[0] - z.logits[0].max()
    exponentials = [f"exp({number(value)})" for value in shifted]
    yield "p", (0, 0), f"{exponentials[0]} / ({' + '.join(exponentials)})"


def softmax_backward(z: Values, out: Values) -> Lines:
    p, dp = z.p[0], z.dp[0]
    yield "dlogits", (0, 0), f"{_n(p[0])} * ({_n(dp[0])} - ({_products(dp, p)}))"


def softmax_cross_entropy(z: Values, out: Values) -> Lines:
    places = [(n, int(label)) for n, label in enumerate(z.labels)]
    losses = " + ".join(f"-log({number(out.p[place])})" for place in places)
    why = "p of " + " and ".join(f"[{n},{label}]" for n, label in places)
    yield "loss", (), f"({losses}) / {len(places)}", why


def softmax_cross_entropy_backward(z: Values, out: Values) -> Lines:
    p, label, N = z.p[0], int(z.labels[0]), len(z.labels)
    yield "dlogits", (0, 0), f"({_n(p[0])} - 0) / {N}", "another class"
    yield "dlogits", (0, label), f"({_n(p[label])} - 1) / {N}", "the true class"


def sgd_update(z: Values, out: Values) -> Lines:
    rate, decay, before = _n(z.learning_rate), _n(z.weight_decay), _n(z.z[0])
    step = f"{rate}*({_n(z.dz[0])} + {decay}*{before})"
    yield "velocity", (0,), f"{_n(z.momentum)}*{_n(z.velocity[0])} - {step}"
    yield "z", (0,), f"{before} + {_n(out.velocity[0])}"


def adam_update(z: Values, out: Values) -> Lines:
    before, dz, rate = _n(z.z[0]), _n(z.dz[0]), _n(z.learning_rate)
    mean, square = (z.mean, z.beta1, dz), (z.square, z.beta2, f"{dz}**2")
    for name, (value, beta, text) in {"mean": mean, "square": square}.items():
        yield name, (0,), f"{_n(beta)}*{_n(value[0])} + (1 - {_n(beta)})*{text}"
    step = f"{_n(z.m[0])}/(sqrt({_n(z.s[0])}) + {_n(z.epsilon)})"
    text = f"{before} - {rate}*({step} + {_n(z.weight_decay)}*{before})"
    yield "z", (0,), text, "m and s are mean and square, corrected"
