"""Each idea switched off or on: what it brings by itself, and what a training step loses.

The library has no such switches. Three functions decide for it (``winograd.pays``,
``winograd.tile_outputs`` and ``conv.visiting_all_pays``); here others take their place while a
version is timed, and for the gradients a naive kernel does.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from unittest import mock

from benchmarks.interleave import Version
from benchmarks.kernels import naive_kernels
from benchmarks.kernels.operations import POOLED, Call, Training, layer_by_layer
from benchmarks.timing import TimedVersions, compare
from tinycnn import kernels
from tinycnn.kernels import conv, winograd
from tinycnn.nn import get_threads, set_threads

Ideas = dict[str, Version]
Setting = Callable[[], AbstractContextManager]


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Run kernels on ``count`` threads."""
    before = get_threads()
    set_threads(count)
    try:
        yield
    finally:
        set_threads(before)


@contextlib.contextmanager
def _both(*settings: Setting) -> Iterator[None]:
    with ExitStack() as stack:
        for setting in settings:
            stack.enter_context(setting())
        yield


def _replaced(module: Any, name: str, function: Callable) -> Setting:
    return functools.partial(mock.patch.object, module, name, function)


ONE_THREAD = functools.partial(threads, 1)
NO_WINOGRAD = _replaced(winograd, "pays", lambda *_: False)
SMALL_TILES = _replaced(winograd, "tile_outputs", lambda *_: 2)
VISIT_LIVING_ONLY = _replaced(conv, "visiting_all_pays", lambda *_: False)
MULTIPLY_ZEROS = functools.partial(
    _both,
    *(
        _replaced(kernels, f"{POOLED}_{name}", getattr(naive_kernels, f"dense_{name}"))
        for name in ("backward_params", "backward_input")
    ),
)


def forward(call: Call) -> Ideas:
    """Return ways to compute a convolution, its ReLU and its pooling."""
    unfused = functools.partial(naive_kernels.pooled, **call.given)
    fused_only = functools.partial(_both, ONE_THREAD, NO_WINOGRAD)
    ideas = {
        "plain loops": Version(functools.partial(unfused, naive_kernels.conv2d), ONE_THREAD),
        "eight windows, vectors of filters": Version(
            functools.partial(unfused, kernels.conv2d),
            functools.partial(_both, ONE_THREAD, NO_WINOGRAD),
        ),
        "... fused with ReLU and pooling": Version(call.kernel, fused_only),
    }
    if winograd.pays(call.given["w"].shape):
        small = functools.partial(_both, ONE_THREAD, SMALL_TILES)
        ideas["... Winograd, tiles of 2x2"] = Version(call.kernel, small)
        ideas["... Winograd, tiles of 4x4"] = Version(call.kernel, ONE_THREAD)
    return ideas | _more_threads(call.kernel)


def backward(calls: Sequence[Call]) -> Ideas:
    """Return ways to compute its gradients: all outputs, or living winners only."""

    def gradients() -> None:
        for call in calls:
            call.kernel()

    living_only = functools.partial(_both, ONE_THREAD, VISIT_LIVING_ONLY)
    zeros_too = functools.partial(_both, ONE_THREAD, MULTIPLY_ZEROS)
    ideas = {
        "every output, zeros included": Version(gradients, zeros_too),
        "living winners only": Version(gradients, living_only),
    }
    given = calls[0].given
    if conv.visiting_all_pays(given["kernel_size"][1] * given["x"].shape[3]):
        ideas["every output, unpooled image by image"] = Version(gradients, ONE_THREAD)
    return ideas | _more_threads(gradients)


def _more_threads(work: Callable[[], object]) -> Ideas:
    most = get_threads()
    return {f"... on {most} threads": Version(work)} if most > 1 else {}


def whole_step(training: Training) -> Ideas:
    """Return a training step with all ideas, then with each of them taken away alone."""
    settings: dict[str, Setting] = {
        "all ideas": contextlib.nullcontext,
        "layer by layer": lambda: layer_by_layer(training.model),
        "gradients multiply all the zeros": MULTIPLY_ZEROS,
        "no Winograd": NO_WINOGRAD,
        "Winograd tiles of 2x2": SMALL_TILES,
        "first layer visits living winners only": VISIT_LIVING_ONLY,
    }
    if get_threads() > 1:
        settings["one thread"] = ONE_THREAD
    ideas = {name: Version(training.step_anew, setting) for name, setting in settings.items()}
    return {**ideas, "all ideas, a repeated step": Version(training.step)}


def compare_ideas(
    training: Training, calls: Sequence[Call], rounds: int, tell: Callable[[str], None]
) -> Iterator[TimedVersions]:
    """Time all of the above."""
    convolutions = [call for call in calls if call.name == POOLED]
    work: dict[str, Ideas] = {}
    for number, call in enumerate(convolutions, 1):
        title = f"convolution {number} forward, with ReLU and pooling"
        work[title] = forward(call)
    for number, gradients in enumerate(by_stage(calls), 1):
        work[f"convolution {number}, gradients"] = backward(gradients)
    work["a whole training step"] = whole_step(training)
    for title, ideas in work.items():
        tell(f"timing {title}")
        yield compare(title, ideas, rounds, training.batch)


def by_stage(calls: Sequence[Call]) -> list[list[Call]]:
    """Return the gradients of each pooled convolution, the first one's first."""
    stages: dict[int, list[Call]] = {}
    for call in calls:
        if call.name.startswith(f"{POOLED}_"):
            stages.setdefault(id(call.given["dy"]), []).append(call)
    return list(stages.values())[::-1]
