"""Some results of every example, written out number by number, as one would do it with a pencil."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycnn.explain.figures import number

Values = Mapping[str, Any]
Index = tuple[int, ...]


@dataclass(frozen=True)
class Line:
    """``name[index] = sum = value``; ``value`` is what the reference computed."""

    name: str
    index: Index
    sum: str
    value: float
    why: str = ""

    @property
    def target(self) -> str:
        """The number that is computed, as in the formula."""
        return f"{self.name}[{','.join(map(str, self.index))}]" if self.index else self.name

    def __str__(self) -> str:
        why = f"   ({self.why})" if self.why else ""
        steps = dict.fromkeys([self.target, self.sum, number(self.value)])  # no "0 = 0"
        return " = ".join(steps) + why


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


def _nonzero(upstream: Any, *others: Any) -> list[np.ndarray]:
    """The numbers of ``upstream`` that are not 0, and those of the others that they meet."""
    kept = np.ravel(upstream) != 0
    return [np.ravel(z)[kept] for z in (upstream, *others)]


def _line(results: Values, name: str, index: Index, text: str, why: str = "") -> Line:
    return Line(name, index, text, float(np.asarray(results[name])[index]), why)


# ------------------------------------------------------------------------------- convolution


def _conv2d(z: Values, out: Values) -> Iterator[Line]:
    x, w, b = z["x"], z["w"], z["b"]
    _, KH, KW, _ = w.shape
    for i, j, f in ((0, 0, 0), (1, 2, 1)):
        window = x[0, i : i + KH, j : j + KW]
        why = f"b[{f}], and the window at ({i},{j}) times filter {f}"
        yield _line(out, "y", (0, i, j, f), _products(window, w[f], b[f]), why)


def _conv2d_backward_params(z: Values, out: Values, upstream: str = "dy") -> Iterator[Line]:
    dy, x = z[upstream], z["x"]
    _, OH, OW, _ = dy.shape
    living, met = _nonzero(dy[0, :, :, 0], x[0, :OH, 1 : 1 + OW, 0])
    why = f"{upstream} of filter 0, and the inputs that this weight lay over"
    yield _line(out, "dw", (0, 0, 1, 0), _products(living, met), why)
    yield _line(out, "db", (0,), _total(living))


def _conv2d_backward_input(z: Values, out: Values, upstream: str = "dy") -> Iterator[Line]:
    """The input at (1,1) lies under every weight of a 2x2 filter once."""
    dy, w = z[upstream], z["w"]
    places = [(f, u, v) for f in range(2) for u in range(2) for v in range(2)]
    upstreams = [dy[0, 1 - u, 1 - v, f] for f, u, v in places]
    weights = [w[f, u, v, 0] for f, u, v in places]
    why = f"{upstream} of the four outputs whose windows hold it, for both filters"
    living, met = _nonzero(upstreams, weights)
    yield _line(out, "dx", (0, 1, 1, 0), _products(living, met), why)


# ------------------------------------------------------------------- pooling, ReLU, dropout


def _maxpool2d(z: Values, out: Values) -> Iterator[Line]:
    window = z["x"][0, :2, :2, 0]
    largest = ", ".join(map(number, window.ravel()))
    yield _line(out, "y", (0, 0, 0, 0), f"max({largest})", "the window at (0,0)")
    u, v = divmod(int(window.argmax()), 2)
    yield _line(out, "winner", (0, 0, 0, 0), f"{u}*2 + {v}", f"row {u}, column {v} of the window")


def _maxpool2d_backward(z: Values, out: Values) -> Iterator[Line]:
    u, v = divmod(int(z["winner"][0, 0, 0, 0]), 2)
    yield _line(out, "dx", (0, u, v, 0), "dy[0,0,0,0]", "the winner of the window at (0,0)")
    yield _line(out, "dx", (0, 0, 0, 0), "0", "it lost")


def _relu(z: Values, out: Values) -> Iterator[Line]:
    for index in ((0, 0), (0, 1)):
        yield _line(out, "y", index, f"max({number(z['x'][index])}, 0)")


def _relu_backward(z: Values, out: Values) -> Iterator[Line]:
    yield _line(out, "dx", (0, 0), "dy[0,0]", "y[0,0] is alive")
    yield _line(out, "dx", (0, 1), "0", "y[0,1] was silenced")


def _dropout(z: Values, out: Values) -> Iterator[Line]:
    (before, name) = ("x", "y") if "x" in z else ("dy", "dx")
    value, draw, rate = z[before], z["draw"], z["rate"]
    yield _line(
        out, name, (0, 0), f"{_n(value[0, 0])} / (1 - {rate})", f"draw {draw[0, 0]} >= {rate}"
    )
    yield _line(out, name, (0, 1), "0", f"draw {draw[0, 1]} < {rate}")


def _fused(z: Values, out: Values) -> Iterator[Line]:
    for index, (i, j, f) in (((0, 0, 0, 0), (0, 0, 0)), ((0, 0, 0, 1), (0, 0, 1))):
        values = z["z"][0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, f]
        winner = int(out["winner"][index])
        fate = f"place {winner} wins" if winner < 4 else "no winner is alive: place 4"
        yield _line(out, "y", index, f"max(0, {', '.join(map(number, values.ravel()))})", fate)


def _fused_backward_params(z: Values, out: Values) -> Iterator[Line]:
    return _conv2d_backward_params(z, out, "dz")


def _fused_backward_input(z: Values, out: Values) -> Iterator[Line]:
    return _conv2d_backward_input(z, out, "dz")


# ------------------------------------------------------------------- batch normalization


def _batchnorm(z: Values, out: Values) -> Iterator[Line]:
    x, M = z["x"], z["M"]
    mean, variance = out["mean"][0], out["variance"][0]
    yield _line(out, "mean", (0,), f"({_total(x[:, 0])}) / {M}")
    squares = " + ".join(f"({_n(value)} - {_n(mean)})**2" for value in x[:, 0])
    yield _line(out, "variance", (0,), f"({squares}) / {M}")
    deviation = f"sqrt({_n(variance)} + {_n(z['epsilon'])})"
    normal = f"({_n(x[0, 0])} - {_n(mean)}) / {deviation}"
    yield _line(out, "y", (0, 0), f"{_n(z['w'][0])} * {normal} + {_n(z['b'][0])}")


def _batchnorm_backward(given: Values, out: Values) -> Iterator[Line]:
    dy, z, dz, M = given["dy"], given["z"], given["dz"], given["M"]
    yield _line(out, "dw", (0,), _products(dy[:, 0], z[:, 0]), "dy times z")
    yield _line(out, "db", (0,), _total(dy[:, 0]))
    level = f"({_total(dz[:, 0])})/{M}"
    slope = f"{_n(z[0, 0])}*({_products(dz[:, 0], z[:, 0])})/{M}"
    text = f"({_n(dz[0, 0])} - {level} - {slope}) / {_n(given['deviation'][0])}"
    yield _line(out, "dx", (0, 0), text)


# ---------------------------------------------------------------------- dense and softmax


def _dense(z: Values, out: Values) -> Iterator[Line]:
    for n, k in ((0, 0), (1, 1)):
        yield _line(out, "y", (n, k), _products(z["x"][n], z["w"][:, k], z["b"][k]))


def _dense_backward_params(z: Values, out: Values) -> Iterator[Line]:
    yield _line(out, "dw", (0, 0), _products(z["x"][:, 0], z["dy"][:, 0]), "a term an example")
    yield _line(out, "db", (0,), _total(z["dy"][:, 0]))


def _dense_backward_input(z: Values, out: Values) -> Iterator[Line]:
    yield _line(out, "dx", (0, 0), _products(z["dy"][0], z["w"][0]), "a term an output")


def _softmax(z: Values, out: Values) -> Iterator[Line]:
    shifted = z["logits"][0] - z["logits"][0].max()
    exponentials = [f"exp({number(value)})" for value in shifted]
    yield _line(out, "p", (0, 0), f"{exponentials[0]} / ({' + '.join(exponentials)})")


def _softmax_backward(z: Values, out: Values) -> Iterator[Line]:
    p, dp = z["p"][0], z["dp"][0]
    text = f"{_n(p[0])} * ({_n(dp[0])} - ({_products(dp, p)}))"
    yield _line(out, "dlogits", (0, 0), text)


def _softmax_cross_entropy(z: Values, out: Values) -> Iterator[Line]:
    truths = [(n, int(label)) for n, label in enumerate(z["labels"])]
    surprises = " + ".join(f"-log({number(out['p'][place])})" for place in truths)
    why = "p of " + " and ".join(f"[{n},{label}]" for n, label in truths)
    yield _line(out, "loss", (), f"({surprises}) / {len(truths)}", why)


def _softmax_cross_entropy_backward(z: Values, out: Values) -> Iterator[Line]:
    p, label, N = z["p"], int(z["labels"][0]), len(z["labels"])
    yield _line(out, "dlogits", (0, 0), f"({_n(p[0, 0])} - 0) / {N}", "another class")
    yield _line(out, "dlogits", (0, label), f"({_n(p[0, label])} - 1) / {N}", "the true class")


# --------------------------------------------------------------------------------- the update


def _sgd_update(z: Values, out: Values) -> Iterator[Line]:
    rate, decay = _n(z["learning_rate"]), _n(z["weight_decay"])
    before, dz, velocity = (_n(z[name][0]) for name in ("z", "dz", "velocity"))
    moved = f"{_n(z['momentum'])}*{velocity} - {rate}*({dz} + {decay}*{before})"
    yield _line(out, "velocity", (0,), moved)
    yield _line(out, "z", (0,), f"{before} + {_n(out['velocity'][0])}")


def _adam_update(z: Values, out: Values) -> Iterator[Line]:
    before, dz, rate = _n(z["z"][0]), _n(z["dz"][0]), _n(z["learning_rate"])
    for name, beta, power in (("mean", "beta1", ""), ("square", "beta2", "**2")):
        share = _n(z[beta])
        text = f"{share}*{_n(z[name][0])} + (1 - {share})*{dz}{power}"
        yield _line(out, name, (0,), text)
    step = f"{_n(z['m'][0])}/(sqrt({_n(z['s'][0])}) + {_n(z['epsilon'])})"
    decay = f"{_n(z['weight_decay'])}*{before}"
    why = "m and s are mean and square, corrected"
    yield _line(out, "z", (0,), f"{before} - {rate}*({step} + {decay})", why)


LINES: dict[str, Callable[[Values, Values], Iterator[Line]]] = {
    "conv2d": _conv2d,
    "conv2d_backward_params": _conv2d_backward_params,
    "conv2d_backward_input": _conv2d_backward_input,
    "maxpool2d": _maxpool2d,
    "maxpool2d_backward": _maxpool2d_backward,
    "relu": _relu,
    "relu_backward": _relu_backward,
    "dropout": _dropout,
    "dropout_backward": _dropout,
    "conv2d_relu_maxpool2d": _fused,
    "conv2d_relu_maxpool2d_backward_params": _fused_backward_params,
    "conv2d_relu_maxpool2d_backward_input": _fused_backward_input,
    "batchnorm": _batchnorm,
    "batchnorm_backward": _batchnorm_backward,
    "dense": _dense,
    "dense_backward_params": _dense_backward_params,
    "dense_backward_input": _dense_backward_input,
    "softmax": _softmax,
    "softmax_backward": _softmax_backward,
    "softmax_cross_entropy": _softmax_cross_entropy,
    "softmax_cross_entropy_backward": _softmax_cross_entropy_backward,
    "sgd_update": _sgd_update,
    "adam_update": _adam_update,
}
"""For each operation, what can be written out, given its arguments and variables, and results."""
