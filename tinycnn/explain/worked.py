"""Some results of every example, written out number by number, as if with a pencil.

Each operation has a function of its name here. Its arguments are the arguments and local
variables of the reference, and the results.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinycnn.explain.figures import number

Values = Mapping[str, Any]
Index = tuple[int, ...]


@dataclass(frozen=True)
class Calculation:
    """``name[index] = sum = value``, where ``value`` comes from the reference."""

    name: str
    index: Index
    sum: str
    value: float
    why: str = ""

    def __str__(self) -> str:
        target = f"{self.name}[{','.join(map(str, self.index))}]" if self.index else self.name
        steps = dict.fromkeys([target, self.sum, number(self.value)])  # no "0 = 0"
        return " = ".join(steps) + (f"   ({self.why})" if self.why else "")


def _n(value: float) -> str:
    """A number inside a sum: negative ones in brackets."""
    text = number(value)
    return f"({text})" if text.startswith("-") else text


def _products(a: Any, b: Any, start: float | None = None) -> str:
    """``start + a0*b0 + a1*b1 + ...``"""
    pairs = zip(np.ravel(a), np.ravel(b), strict=True)
    terms = [f"{_n(x)}*{_n(y)}" for x, y in pairs]
    return " + ".join([_n(start), *terms] if start is not None else terms)


def _total(values: Iterable[float]) -> str:
    return " + ".join(_n(value) for value in values)


def _nonzero(upstream: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nonzero numbers of ``upstream``, and the numbers of ``other`` at the same places."""
    return upstream[upstream != 0], other[upstream != 0]


def _line(results: Values, name: str, index: Index, text: str, why: str = "") -> Calculation:
    """A calculation whose value is already among the results."""
    return Calculation(name, index, text, float(np.asarray(results[name])[index]), why)


def conv2d(z: Values, out: Values) -> Iterator[Calculation]:
    x, w, b = z["x"], z["w"], z["b"]
    _, KH, KW, _ = w.shape
    for i, j, f in ((0, 0, 0), (1, 2, 1)):
        window = x[0, i : i + KH, j : j + KW]
        why = f"b[{f}], and the window at ({i},{j}) times filter {f}"
        yield _line(out, "y", (0, i, j, f), _products(window, w[f], b[f]), why)


def conv2d_backward_params(z: Values, out: Values, upstream: str = "dy") -> Iterator[Calculation]:
    dy, x = z[upstream], z["x"]
    _, OH, OW, _ = dy.shape
    nonzero, partners = _nonzero(dy[0, :, :, 0], x[0, :OH, 1 : 1 + OW, 0])
    why = f"{upstream} of filter 0, and the inputs that this weight multiplied"
    yield _line(out, "dw", (0, 0, 1, 0), _products(nonzero, partners), why)
    yield _line(out, "db", (0,), _total(nonzero))


def conv2d_backward_input(z: Values, out: Values, upstream: str = "dy") -> Iterator[Calculation]:
    """Every weight of a 2x2 filter multiplies the input at (1,1) once."""
    dy, w = z[upstream], z["w"]
    upstreams = np.moveaxis(dy[0, 1::-1, 1::-1], 2, 0)  # [f,u,v], at (1-u,1-v)
    nonzero, partners = _nonzero(upstreams, w[..., 0])
    why = f"{upstream} of the four outputs whose windows cover it, for both filters"
    yield _line(out, "dx", (0, 1, 1, 0), _products(nonzero, partners), why)


def maxpool2d(z: Values, out: Values) -> Iterator[Calculation]:
    window = z["x"][0, :2, :2, 0]
    largest = ", ".join(map(number, window.ravel()))
    yield _line(out, "y", (0, 0, 0, 0), f"max({largest})", "the window at (0,0)")
    u, v = divmod(int(window.argmax()), 2)
    yield _line(out, "winner", (0, 0, 0, 0), f"{u}*2 + {v}", f"row {u}, column {v} of the window")


def maxpool2d_backward(z: Values, out: Values) -> Iterator[Calculation]:
    u, v = divmod(int(z["winner"][0, 0, 0, 0]), 2)
    yield _line(out, "dx", (0, u, v, 0), "dy[0,0,0,0]", "the maximum of the window at (0,0)")
    yield _line(out, "dx", (0, 0, 0, 0), "0", "not the maximum")


def relu(z: Values, out: Values) -> Iterator[Calculation]:
    for index in ((0, 0), (0, 1)):
        yield _line(out, "y", index, f"max({number(z['x'][index])}, 0)")


def relu_backward(z: Values, out: Values) -> Iterator[Calculation]:
    yield _line(out, "dx", (0, 0), "dy[0,0]", "y[0,0] is above 0")
    yield _line(out, "dx", (0, 1), "0", "y[0,1] is 0")


def dropout(z: Values, out: Values) -> Iterator[Calculation]:
    (before, name) = ("x", "y") if "x" in z else ("dy", "dx")
    value, draw, rate = z[before], z["draw"], z["rate"]
    yield _line(
        out, name, (0, 0), f"{_n(value[0, 0])} / (1 - {rate})", f"draw {draw[0, 0]} >= {rate}"
    )
    yield _line(out, name, (0, 1), "0", f"draw {draw[0, 1]} < {rate}")


dropout_backward = dropout


def conv2d_relu_maxpool2d(z: Values, out: Values) -> Iterator[Calculation]:
    for f in range(2):
        values = ", ".join(map(number, z["z"][0, :2, :2, f].ravel()))
        winner = int(out["winner"][0, 0, 0, f])
        why = f"place {winner} is the maximum" if winner < 4 else "nothing is above 0: place 4"
        yield _line(out, "y", (0, 0, 0, f), f"max(0, {values})", why)


conv2d_relu_maxpool2d_backward_params = partial(conv2d_backward_params, upstream="dz")
conv2d_relu_maxpool2d_backward_input = partial(conv2d_backward_input, upstream="dz")


def batchnorm(z: Values, out: Values) -> Iterator[Calculation]:
    x, M = z["x"], z["M"]
    mean, variance = out["mean"][0], out["variance"][0]
    yield _line(out, "mean", (0,), f"({_total(x[:, 0])}) / {M}")
    squares = " + ".join(f"({_n(value)} - {_n(mean)})**2" for value in x[:, 0])
    yield _line(out, "variance", (0,), f"({squares}) / {M}")
    deviation = f"sqrt({_n(variance)} + {_n(z['epsilon'])})"
    normal = f"({_n(x[0, 0])} - {_n(mean)}) / {deviation}"
    yield _line(out, "y", (0, 0), f"{_n(z['w'][0])} * {normal} + {_n(z['b'][0])}")


def batchnorm_backward(given: Values, out: Values) -> Iterator[Calculation]:
    dy, z, dz, M = given["dy"], given["z"], given["dz"], given["M"]
    yield _line(out, "dw", (0,), _products(dy[:, 0], z[:, 0]), "dy times z")
    yield _line(out, "db", (0,), _total(dy[:, 0]))
    level = f"({_total(dz[:, 0])})/{M}"
    slope = f"{_n(z[0, 0])}*({_products(dz[:, 0], z[:, 0])})/{M}"
    text = f"({_n(dz[0, 0])} - {level} - {slope}) / {_n(given['deviation'][0])}"
    yield _line(out, "dx", (0, 0), text)


def dense(z: Values, out: Values) -> Iterator[Calculation]:
    for n, k in ((0, 0), (1, 1)):
        yield _line(out, "y", (n, k), _products(z["x"][n], z["w"][:, k], z["b"][k]))


def dense_backward_params(z: Values, out: Values) -> Iterator[Calculation]:
    yield _line(out, "dw", (0, 0), _products(z["x"][:, 0], z["dy"][:, 0]), "one term per example")
    yield _line(out, "db", (0,), _total(z["dy"][:, 0]))


def dense_backward_input(z: Values, out: Values) -> Iterator[Calculation]:
    yield _line(out, "dx", (0, 0), _products(z["dy"][0], z["w"][0]), "one term per output")


def softmax(z: Values, out: Values) -> Iterator[Calculation]:
    shifted = z["logits"][0] - z["logits"][0].max()
    exponentials = [f"exp({number(value)})" for value in shifted]
    yield _line(out, "p", (0, 0), f"{exponentials[0]} / ({' + '.join(exponentials)})")


def softmax_backward(z: Values, out: Values) -> Iterator[Calculation]:
    p, dp = z["p"][0], z["dp"][0]
    text = f"{_n(p[0])} * ({_n(dp[0])} - ({_products(dp, p)}))"
    yield _line(out, "dlogits", (0, 0), text)


def softmax_cross_entropy(z: Values, out: Values) -> Iterator[Calculation]:
    true_classes = [(n, int(label)) for n, label in enumerate(z["labels"])]
    losses = " + ".join(f"-log({number(out['p'][place])})" for place in true_classes)
    why = "p of " + " and ".join(f"[{n},{label}]" for n, label in true_classes)
    yield _line(out, "loss", (), f"({losses}) / {len(true_classes)}", why)


def softmax_cross_entropy_backward(z: Values, out: Values) -> Iterator[Calculation]:
    p, label, N = z["p"], int(z["labels"][0]), len(z["labels"])
    yield _line(out, "dlogits", (0, 0), f"({_n(p[0, 0])} - 0) / {N}", "another class")
    yield _line(out, "dlogits", (0, label), f"({_n(p[0, label])} - 1) / {N}", "the true class")


def sgd_update(z: Values, out: Values) -> Iterator[Calculation]:
    rate, decay = _n(z["learning_rate"]), _n(z["weight_decay"])
    before, dz, velocity = (_n(z[name][0]) for name in ("z", "dz", "velocity"))
    velocity_text = f"{_n(z['momentum'])}*{velocity} - {rate}*({dz} + {decay}*{before})"
    yield _line(out, "velocity", (0,), velocity_text)
    yield _line(out, "z", (0,), f"{before} + {_n(out['velocity'][0])}")


def adam_update(z: Values, out: Values) -> Iterator[Calculation]:
    before, dz, rate = _n(z["z"][0]), _n(z["dz"][0]), _n(z["learning_rate"])
    for name, beta, power in (("mean", "beta1", ""), ("square", "beta2", "**2")):
        share = _n(z[beta])
        text = f"{share}*{_n(z[name][0])} + (1 - {share})*{dz}{power}"
        yield _line(out, name, (0,), text)
    step = f"{_n(z['m'][0])}/(sqrt({_n(z['s'][0])}) + {_n(z['epsilon'])})"
    decay = f"{_n(z['weight_decay'])}*{before}"
    why = "m and s are mean and square, corrected"
    yield _line(out, "z", (0,), f"{before} - {rate}*({step} + {decay})", why)
