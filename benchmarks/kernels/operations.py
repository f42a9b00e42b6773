"""The operations as they happen in training: recorded there, compared with the reference, timed.

The arguments come from real training steps of ``lenet`` on the bundled digits, so zeros are as
frequent in them as they are in training, and that decides how long a sparse gradient takes.
"""

import contextlib
import inspect
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.interleave import Version
from benchmarks.speed.peers.tinycnn_peer import TinyTrainer, build, get_weights
from benchmarks.speed.study import NETWORKS
from benchmarks.speed.workload import batches
from benchmarks.timing import TimedVersions, compare
from tinycnn import kernels
from tinycnn.data import load_dataset
from tinycnn.errors import TinyCNNError
from tinycnn.nn import Sequential, reference
from tinycnn.nn.repeats import Repeats, Updates

BATCH = 128
RATE = 0.05
TOLERANCE = 1e-5
"""How far float32 kernels may be from the reference in float64, relative to the largest number."""

POOLED = "conv2d_relu_maxpool2d"


class Training:
    """``lenet`` after ``steps`` training steps of ``batch`` images, ready for more."""

    def __init__(self, steps: int = 120, batch: int = BATCH) -> None:
        digits, network = load_dataset(), NETWORKS["lenet"]
        self.batch = batch
        self.digits = digits.train_images
        self.trainer = TinyTrainer(network, get_weights(build(network)), RATE, fused=True)
        self._batches = itertools.cycle(batches(self.digits, digits.train_labels, batch))
        self.model = self.trainer.model
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        """Train on the next batch."""
        self.trainer.step(next(self._batches))

    def step_anew(self) -> None:
        """Train on it by calling all layers, whatever could be repeated of earlier steps."""
        anew = mock.patch.object(self.model, "repeats", Repeats())
        with anew, mock.patch.object(self.trainer.optimizer, "updates", Updates()):
            self.step()


@dataclass(frozen=True)
class Call:
    """A call of an operation of ``reference.py``, with its arguments by name."""

    name: str
    given: dict[str, Any]

    @property
    def images(self) -> int:
        """How many images it is for."""
        return len(self.given["x" if "x" in self.given else "dy"])

    @property
    def sizes(self) -> str:
        """The shapes of input and output, for one image."""
        return _sizes(self)[0]

    @property
    def dense_flops(self) -> int:
        """Operations for the whole batch when every sum is computed; 0 for the light ones."""
        return _sizes(self)[1]

    def kernel(self) -> Any:
        return getattr(kernels, self.name)(**self.given)

    def reference(self) -> Any:
        return getattr(reference, self.name)(**self.given)


def recorded_calls(training: Training) -> list[Call]:
    """Return all calls of two training steps, one fused and one layer by layer."""
    calls: list[Call] = []
    with _recording(calls):
        training.step_anew()
        with layer_by_layer(training.model):
            training.step_anew()
    return calls


def layer_by_layer(model: Sequential) -> contextlib.AbstractContextManager:
    """Run the model's layers one after the other, as if they were not fused."""
    return mock.patch.object(model, "stages", model.layers)


@contextlib.contextmanager
def _recording(calls: list[Call]) -> Iterator[None]:
    with ExitStack() as stack:
        for name in dir(kernels):
            recorder = _recorder(name, getattr(kernels, name), calls)
            stack.enter_context(mock.patch.object(kernels, name, recorder))
        yield


def _recorder(name: str, operation: Callable, calls: list[Call]) -> Callable:
    signature = inspect.signature(operation)

    def record(*args: Any) -> Any:
        calls.append(Call(name, dict(signature.bind(*args).arguments)))
        return operation(*args)

    return record


def _sizes(call: Call) -> tuple[str, int]:
    """Return a call's sizes in words and its dense operations: two for each multiply-and-add."""
    given = call.given
    if call.name.startswith("conv2d"):
        N, H, W, C, F, KH, KW = _conv_sizes(given)
        multiplications = N * (H - KH + 1) * (W - KW + 1) * F * KH * KW * C
        return f"{H}x{W}x{C} to {F}, {KH}x{KW}", 2 * multiplications
    if call.name.startswith("dense"):
        D, K = given["w"].shape if "w" in given else (given["x"].shape[1], given["dy"].shape[1])
        return f"{D} to {K}", 2 * call.images * D * K
    return "", 0


def _conv_sizes(given: dict[str, Any]) -> tuple[int, ...]:
    """Return N, H, W, C, F, KH, KW of a convolution or of one of its gradients."""
    dy: Any = given.get("dy")
    x: Any = given.get("x")
    w: Any = given.get("w")
    F, KH, KW = w.shape[:3] if w is not None else (dy.shape[3], *given["kernel_size"])
    if x is not None:
        return (*x.shape, F, KH, KW)
    H, W = given.get("input_size") or (dy.shape[1] + KH - 1, dy.shape[2] + KW - 1)
    return (len(dy), H, W, w.shape[3], F, KH, KW)


def check(calls: list[Call]) -> float:
    """Compare kernels with reference; return the worst difference or raise TinyCNNError."""
    worst = 0.0
    for call in calls:
        found = difference(call)
        if not found <= TOLERANCE:  # catches NaN too
            raise TinyCNNError(
                f"the kernel {call.name} ({call.sizes or 'light'}) differs from its reference by "
                f"{found:.1e} of the largest number; nothing was timed"
            )
        worst = max(worst, found)
    return worst


def difference(call: Call) -> float:
    """Return how far kernel and float64 reference are apart, relative to the largest number."""
    exact = {key: _in_float64(value) for key, value in call.given.items()}
    found = _results(kernels, Call(call.name, _copied(call.given)))
    expected = _results(reference, Call(call.name, exact))
    count = 1 if call.name == POOLED else None  # of almost equal numbers either may win
    return max(_relative(y, z) for y, z in zip(found[:count], expected[:count], strict=True))


def _results(operations: Any, call: Call) -> list[np.ndarray]:
    """Return the results of a call, or the arrays that it changed."""
    returned = getattr(operations, call.name)(**call.given)
    if returned is None:
        return [value for value in call.given.values() if isinstance(value, np.ndarray)]
    return [np.asarray(y) for y in (returned if isinstance(returned, tuple) else (returned,))]


def _relative(y: np.ndarray, z: np.ndarray) -> float:
    apart, largest = np.abs(y.astype(np.float64) - z).max(), np.abs(z).max()
    return float(apart / largest) if apart else 0.0


def _in_float64(value: Any) -> Any:
    is_float = isinstance(value, np.ndarray) and value.dtype.kind == "f"
    return value.astype(np.float64) if is_float else value


def _copied(given: dict[str, Any]) -> dict[str, Any]:
    """Return copies of all arrays: some operations write into theirs."""
    return {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in given.items()}


@dataclass(frozen=True)
class Timing:
    """One operation timed against its reference, with its dense operations for one image."""

    name: str
    sizes: str
    flops: int
    times: TimedVersions

    def gflops(self, version: str) -> float:
        """Return the rate at which a version does, or saves, the dense sums."""
        return self.flops / self.times.medians()[version] / 1e3


def time_operations(
    calls: list[Call], rounds: int, tell: Callable[[str], None] = lambda text: None
) -> list[Timing]:
    """Time kernel and reference of every operation that has sums to compute."""
    timings = []
    for call in {(call.name, call.sizes): call for call in calls}.values():
        if call.dense_flops:
            tell(f"timing {call.name}, {call.sizes}")
            versions = {"kernel": Version(call.kernel), "NumPy": Version(call.reference)}
            times = compare(call.name, versions, rounds, call.images)
            flops = call.dense_flops // call.images
            timings.append(Timing(call.name, call.sizes, flops, times))
    return timings


def living_shares(calls: list[Call]) -> list[float]:
    """Return which share of each pooled convolution's windows has a winner that lives."""
    back = [call.given for call in calls if call.name == f"{POOLED}_backward_params"]
    return [float((given["winner"] < given["size"] ** 2).mean()) for given in reversed(back)]
