"""Compare gradients with finite differences: of an operation, a layer, a loss or a whole model.

    from tinycnn.nn.gradcheck import check_layer
    check_layer(MyLayer(), input_shape=(8, 8, 3))

raises an AssertionError that names operation, argument, index and both numbers if anything is
wrong. ``differences.py`` says how they are compared. ``python -m tinycnn.nn.gradcheck`` checks
this library itself, and prints a table.
"""

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from tinycnn import kernels
from tinycnn.cli import Parser, run_command
from tinycnn.kernels.threads import set_threads
from tinycnn.nn import layers, more_layers
from tinycnn.nn.checks import Array, Shape
from tinycnn.nn.differences import Comparison, GradientError, check, spread
from tinycnn.nn.layers import Layer
from tinycnn.nn.losses import SoftmaxCrossEntropy
from tinycnn.nn.model import Sequential
from tinycnn.nn.open_set import NO_CLASS, OpenSetCrossEntropy
from tinycnn.nn.presets import build

RESULTS = {"batchnorm": "y mean variance", "softmax": "p", "softmax_cross_entropy": "loss p"}
"""What operations return, by name; all others return y, or y and winner."""


def check_operation(
    operation: str, given: Mapping[str, Any], ops: Any = kernels, seed: int = 0, **options: Any
) -> list[Comparison]:
    """Check all gradients of an operation of ``ops``, a module such as kernels or reference.

    ``given`` holds the arguments of the forward pass by name, ``options`` are those of ``check``.
    """
    forward = getattr(ops, operation)
    known = quantities(operation, given, ops, seed)
    first, *_ = inspect.signature(forward).parameters
    arguments = {"backward": (first, "w", "b"), "input": (first,), "params": ("w", "b")}
    gradients: dict[str, tuple[Array, Array]] = {}
    for name in [name for name in dir(ops) if name.startswith(operation + "_backward")]:
        dzs = call(getattr(ops, name), known)
        for z, dz in zip(arguments[name.split("_")[-1]], dzs, strict=False):
            gradients[z] = known[z], dz
    dy = known["d" + RESULTS.get(operation, "y").split()[0]]
    return check(operation, lambda: call(forward, known)[0], gradients, dy, seed=seed, **options)


def quantities(
    operation: str, given: Mapping[str, Any], ops: Any = kernels, seed: int = 0
) -> dict[str, Any]:
    """Return all that an operation and its gradients take and give, by name.

    The names of ``reference.py`` are one alphabet: what is called ``winner`` in the result of
    one function is ``winner`` among the arguments of another.
    """
    known, forward = dict(given), getattr(ops, operation)
    first, *_ = inspect.signature(forward).parameters
    results = RESULTS.get(operation, "y winner").split()
    known |= zip(results, call(forward, known), strict=False)
    y, dy = known[results[0]], 1.0  # a loss is one number
    if np.ndim(y):
        dy = np.random.default_rng(seed).standard_normal(y.shape).astype(y.dtype)
    known["d" + results[0]] = dy
    known["input_size"] = np.shape(given[first])[1:3]
    known["count"] = len(given[first])
    known["kernel_size"] = np.shape(given.get("w", ()))[1:3]
    return known


def example(operation: str, sizes: Mapping[str, int], draw: Callable[..., Array]) -> dict[str, Any]:
    """Return arguments of a forward pass or an update, with the axes that ``@shapes`` declares.

    ``sizes`` are those of the axes by letter; ``draw(*shape)`` returns an array.
    """
    check, arrays = getattr(kernels, operation).check, dict[str, Any]()
    for name in check.arrays:
        axes = "NHWC" if check.letters[name] == ("...",) else check.letters[name]
        letters = [z for axis in axes for z in ("HW" if axis == "..." else [axis])]
        array = draw(*(sizes[z] for z in letters))
        arrays[name] = abs(array) if name in ("draw", "square") else array
    if "labels" in arrays:
        arrays["labels"] = np.arange(sizes["N"]) % sizes["K"]
    return NUMBERS | arrays


def call(function: Callable[..., Any], known: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the results of ``function``, called with the arguments of its parameters' names."""
    result = function(*(known[name] for name in inspect.signature(function).parameters))
    return result if isinstance(result, tuple) else (result,)


def check_layer(layer: Layer, input_shape: Shape) -> list[Comparison]:
    """Check a layer, one of your own perhaps: its gradients, and the promises of every layer.

    Copies of it, their parameters moved a little off their first values, are run on one example
    of ``input_shape`` and on three, in float32 and in float64. Raises an AssertionError that names
    the broken promise, or a GradientError.
    """
    comparisons = []
    for N in (1, 3):
        _step(layer, N, input_shape, np.float32)
        trial, x, dx, dy = _step(layer, N, input_shape, np.float64)
        gradients = {"x": (x, dx)} | {z: (trial.params[z], trial.grads[z]) for z in trial.params}
        forward = partial(_forward, trial, x)
        comparisons += check(f"{layer}, N = {N}", forward, gradients, dy)
    return comparisons


def _forward(layer: Layer | Sequential, x: Array) -> Array:
    """Run forward in training; random layers draw the same every time."""
    layer.draw_from(np.random.default_rng(0))
    return layer.forward(x, training=True)


def _step(layer: Layer, N: int, input_shape: Shape, dtype: type) -> tuple[Any, ...]:
    """Run forward and backward twice; return a built copy of the layer, x, dx and dy."""
    rng, layer = np.random.default_rng(0), copy.deepcopy(layer)
    output_shape = layer.build(input_shape, rng)
    _convert(layer, dtype, rng)
    x: Array = spread(rng, N, *input_shape).astype(dtype)
    kept_x = x.copy()
    y = _forward(layer, x).copy()
    dy: Array = rng.standard_normal(y.shape).astype(dtype)
    kept_dy = dy.copy()
    layer.backward(dy, input_gradient=False)
    once = {key: dz.copy() for key, dz in layer.grads.items()}
    again, dx = _forward(layer, x), layer.backward(dy)
    equal = [np.array_equal(dz, layer.grads[key]) for key, dz in once.items()]
    promises = {
        "forward and backward leave x untouched": np.array_equal(x, kept_x),
        "backward leaves dy untouched": np.array_equal(dy, kept_dy),
        "forward returns the shape that build did": y.shape == (N, *output_shape),
        "forward keeps the dtype": y.dtype == dtype,
        "forward gives the same for the same": np.array_equal(y, again),
        "dx has the shape and dtype of x": _forms(x=dx) == _forms(x=x),
        "grads have the keys and forms of params": _forms(**layer.grads) == _forms(**layer.params),
        "backward assigns grads and adds nothing up": all(equal),
    }
    for promise, kept in promises.items():
        if not kept:
            case = f"{layer} on {N} of {input_shape}, {dtype.__name__}"
            raise AssertionError(f"{case}: broken promise: {promise}")
    return layer, x, dx, dy


def _forms(**arrays: Array) -> dict[str, tuple[Shape, Any]]:
    return {key: (z.shape, z.dtype) for key, z in arrays.items()}


def _convert(layer: Layer, dtype: type, rng: np.random.Generator) -> None:
    """Give the parameters another dtype and, so that not all are 0 or alike, a little noise."""
    for key, z in layer.params.items():
        noise = rng.standard_normal(z.shape) * (z.std() or 1) / 10
        layer.params[key] = (z + noise).astype(dtype)


def check_loss(loss: Any, logits: Array, labels: Array) -> list[Comparison]:
    """Check the gradient of a loss at logits (N,K), float64, and labels (N,)."""
    forward = partial(loss.forward, logits, labels)
    forward()
    return check(type(loss).__name__, forward, {"logits": (logits, loss.backward())}, 1.0)


def check_model(
    name: str, model: Sequential, loss: Any, x: Array, labels: Array, seed: int = 0
) -> list[Comparison]:
    """Check the gradients of the loss with respect to x and to all parameters of a model.

    A float64 copy of ``model`` is moved along random directions; "3.w" is the w of layer 3. So
    many maxima and ReLUs are in play that a longer step would take some past their kinks, and
    even this one may in one case of a hundred: if in doubt, try another ``seed``.
    """
    model, x = copy.deepcopy(model), np.array(x, np.float64)
    rng = np.random.default_rng(seed)
    for layer in model:
        _convert(layer, np.float64, rng)

    def forward() -> Any:
        return loss.forward(_forward(model, x), labels)

    forward()
    gradients = {"x": (x, model.backward(loss.backward(), input_gradient=True))}
    for index, layer in enumerate(model):
        gradients |= {f"{index}.{z}": (layer.params[z], layer.grads[z]) for z in layer.params}
    return check(name, forward, gradients, 1.0, step=1e-7, full=0, seed=seed)


OPERATIONS = sorted(
    {name.partition("_backward")[0] for name in dir(kernels) if "_backward" in name}
)
"""The operations that have gradients, by the names of their forward passes."""

SIZES = {"N": 3, "H": 6, "W": 5, "C": 2, "F": 3, "KH": 3, "KW": 2, "D": 5, "K": 4}
"""Small sizes for the axes that ``@shapes`` declares."""

NUMBERS: dict[str, Any] = {"size": 2, "rate": 0.5, "epsilon": 1.0, "step": 1} | {
    "learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.0, "beta1": 0.9, "beta2": 0.99
}  # fmt: skip
"""The arguments of operations that are not arrays."""

LAYERS: list[tuple[Layer, Shape]] = [
    (layers.Conv2D(3, 2), (5, 4, 2)),
    (layers.BatchNorm(), (5, 4, 2)),
    (layers.Dropout(0.3), (3, 4)),
    (layers.MaxPool2D(2), (5, 4, 3)),
    (layers.ReLU(), (3, 4)),
    (layers.Flatten(), (2, 3, 2)),
    (layers.Dense(4), (5,)),
    (layers.Softmax(), (5,)),
    (more_layers.ZeroPad2D(1, 2), (3, 4, 2)),
    (more_layers.AveragePool2D(2), (5, 4, 3)),
    (more_layers.GlobalAveragePool2D(), (5, 4, 3)),
    (more_layers.Tanh(), (3, 4)),
    (more_layers.Sigmoid(), (3, 4)),
    (more_layers.LeakyReLU(0.2), (3, 4)),
]


def library() -> Iterator[Callable[[], list[Comparison]]]:
    """Return the checks of every operation, layer and loss, and of the network ``lenet``."""
    rng = np.random.default_rng(0)
    for operation in OPERATIONS:
        yield partial(check_operation, operation, example(operation, SIZES, partial(spread, rng)))
    for layer, input_shape in LAYERS:
        yield partial(check_layer, layer, input_shape)
    loss, labels = SoftmaxCrossEntropy(), rng.integers(0, 10, 3)
    yield partial(check_loss, loss, spread(rng, 3, 10), labels)
    yield partial(check_loss, OpenSetCrossEntropy(), spread(rng, 2, 10), np.array([3, NO_CLASS]))
    yield partial(check_model, "lenet", build("lenet"), loss, rng.random((3, 28, 28, 1)), labels)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of all checks; return 0, or 1 if something is wrong."""
    Parser(
        prog="python -m tinycnn.nn.gradcheck",
        description="Compare every gradient of this library with finite differences, in float64.",
    ).parse_args(argv)
    set_threads(1)  # for arrays as small as these, to wake another thread takes longer
    print(f"{'operation':<24} {'argument':<8} {'numbers':>9}   worst relative error")
    gradients, failures = 0, []
    for run in library():
        try:
            comparisons = run()
        except AssertionError as error:
            failures.append(error)
            comparisons = error.comparisons if isinstance(error, GradientError) else []
        gradients += len(comparisons)
        for c in comparisons:
            verdict = ("ok" if c.ok else "WRONG") + ", along a random direction" * (not c.index)
            print(f"{c.operation:<24} {c.argument:<8} {c.size:>9,}   {c.error:.1e}  {verdict}")
    print(*failures, sep="\n", end="\n" if failures else "")
    print(f"\n{gradients} gradients, {'NOT ' * bool(failures)}all right")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
