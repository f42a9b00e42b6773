"""Each idea switched off or on: what it brings by itself, and what a training step loses.

The library has no such switches. They are made here, by putting another function in the place
of the one that decides or computes, for the length of a turn.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np

from benchmarks import naive_kernels
from benchmarks.operations import POOLED, Call, Training, layer_by_layer
from benchmarks.timing import Comparison, compare
from tinycnn import kernels
from tinycnn.kernels import conv, memory, products, winograd
from tinycnn.kernels.simd import LANES
from tinycnn.nn import Frozen, get_threads, set_threads
from tinycnn.timing import Version

Ideas = dict[str, Version]


def patched(*changes: tuple[Any, str, Any]) -> Callable[[], contextlib.AbstractContextManager]:
    """Return a setting in which attributes of modules have other values."""

    @contextlib.contextmanager
    def setting() -> Iterator[None]:
        with ExitStack() as stack:
            for target, name, value in changes:
                stack.enter_context(mock.patch.object(target, name, value))
            yield

    return setting


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Run kernels on ``count`` threads."""
    before = get_threads()
    set_threads(count)
    try:
        yield
    finally:
        set_threads(before)


def _both(*settings: Callable) -> Callable[[], contextlib.AbstractContextManager]:
    """Return the setting in which all ``settings`` hold."""

    @contextlib.contextmanager
    def setting() -> Iterator[None]:
        with ExitStack() as stack:
            for one in settings:
                stack.enter_context(one())
            yield

    return setting


ONE_THREAD = functools.partial(threads, 1)
NO_WINOGRAD = patched((winograd, "pays", lambda *_: False))
SMALL_TILES = patched((winograd, "tile_outputs", lambda *_: 2))
VISIT_LIVING_ONLY = patched((conv, "visiting_all_pays", lambda *_: False))
MULTIPLY_ZEROS = patched(
    (kernels, f"{POOLED}_backward_params", naive_kernels.dense_backward_params),
    (kernels, f"{POOLED}_backward_input", naive_kernels.dense_backward_input),
)
ARRAYS_ANYWHERE = patched(
    *((module, "empty", np.empty) for module in (memory, conv, products, winograd))
)
NUMPY_PRODUCTS = patched(
    (products, "product", lambda x, w, b: x @ w + b),
    (products, "gradient_product", lambda x, dy: x.T @ dy),
)


def forward(call: Call) -> Ideas:
    """Return the ways through a convolution, its ReLU and its pooling."""
    unfused = functools.partial(naive_kernels.pooled, **call.given)
    ideas = {
        "plain loops": Version(functools.partial(unfused, naive_kernels.conv2d), ONE_THREAD),
        "eight windows, vectors of filters": Version(
            functools.partial(unfused, kernels.conv2d), ONE_THREAD
        ),
        "... fused with ReLU and pooling": Version(call.kernel, _both(ONE_THREAD, NO_WINOGRAD)),
    }
    if winograd.pays(call.given["w"].shape):
        ideas |= {
            "... Winograd, tiles of 2x2": Version(call.kernel, _both(ONE_THREAD, SMALL_TILES)),
            "... Winograd, tiles of 4x4": Version(call.kernel, ONE_THREAD),
        }
    return ideas | _more_threads(call.kernel)


def backward(calls: Sequence[Call]) -> Ideas:
    """Return the ways back through the same: all outputs, or living winners only."""

    def backward_pass() -> None:
        for call in calls:
            call.kernel()

    def all_the_zeros() -> None:
        for call in calls:
            name = call.name.removeprefix(f"{POOLED}_")
            getattr(naive_kernels, f"dense_{name}")(**call.given)

    ideas = {
        "every output, zeros included": Version(all_the_zeros, ONE_THREAD),
        "living winners only": Version(backward_pass, _both(ONE_THREAD, VISIT_LIVING_ONLY)),
    }
    if _takes_the_dense_way(calls[0]):
        ideas["every output, unpooled image by image"] = Version(backward_pass, ONE_THREAD)
    return ideas | _more_threads(backward_pass)


def _takes_the_dense_way(call: Call) -> bool:
    (_, KW), x = call.given["kernel_size"], call.given["x"]
    return conv.visiting_all_pays(KW * x.shape[3])


def _more_threads(work: Callable[[], object]) -> Ideas:
    most = get_threads()
    return {f"... on {most} threads": Version(work)} if most > 1 else {}


def whole_step(training: Training) -> Ideas:
    """Return a training step with all ideas, then with each of them taken away alone."""
    settings = {
        "all ideas": contextlib.nullcontext,
        "layer by layer": lambda: layer_by_layer(training.model),
        "gradients multiply all the zeros": MULTIPLY_ZEROS,
        "no Winograd": NO_WINOGRAD,
        "Winograd tiles of 2x2": SMALL_TILES,
        "first layer visits living winners only": VISIT_LIVING_ONLY,
        "arrays begin anywhere": ARRAYS_ANYWHERE,
        "dense layers by NumPy's threads": NUMPY_PRODUCTS,
    }
    if get_threads() > 1:
        settings["one thread"] = ONE_THREAD
        settings["bits that depend on the threads"] = patched(
            (conv, "pieces", _a_piece_for_each_thread)
        )
    return {name: Version(training.step, setting) for name, setting in settings.items()}


def _a_piece_for_each_thread(N: int) -> tuple[np.ndarray, np.ndarray]:
    others = np.arange(1, get_threads())
    cuts = np.linspace(0, N, get_threads() + 1).astype(np.intp)
    return cuts, np.stack([np.zeros_like(others), others, others], axis=1)


def one_image(training: Training) -> Ideas:
    """Return the ways to read a single digit."""
    model, image = training.model, training.digits[0]
    frozen = Frozen(model)
    return {
        "a model that could go on training": Version(lambda: model.predict_proba(image[None])),
        "frozen": Version(lambda: frozen.predict_proba(image)),
    }


STORES = 1000


def stores() -> Ideas:
    """Return two ways to add to a vector that lies in memory, a thousand times in a row."""
    a, x = memory.empty((LANES,), np.dtype(np.float32)), np.ones(LANES, np.float32)
    at, count = np.zeros(STORES, np.intp), np.intp(LANES)
    a[:] = 0
    return {
        "whole vectors": Version(lambda: naive_kernels.add_whole(a, at, x)),
        "masked vectors, all lanes taken": Version(
            lambda: naive_kernels.add_masked(a, at, x, count)
        ),
    }


def compare_ideas(
    training: Training,
    calls: Sequence[Call],
    rounds: int,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Comparison]:
    """Time all of the above."""
    comparisons = []

    def add(title: str, ideas: Ideas, images: int = training.batch) -> None:
        tell(f"timing {title}")
        comparisons.append(compare(title, ideas, rounds, images))

    for number, call in enumerate((c for c in calls if c.name == POOLED), 1):
        add(f"convolution {number} forward, with ReLU and pooling", forward(call))
    for number, gradients in enumerate(_by_stage(calls), 1):
        add(f"convolution {number}, gradients", backward(gradients))
    add("a whole training step", whole_step(training))
    add("one image alone", one_image(training), images=1)
    add(f"{STORES:,} times: load a vector, add to it, store it", stores(), images=1)
    return comparisons


def _by_stage(calls: Sequence[Call]) -> list[list[Call]]:
    """Return the gradients of each pooled convolution, the first one's first."""
    stages: dict[int, list[Call]] = {}
    for call in calls:
        if call.name.startswith(f"{POOLED}_"):
            stages.setdefault(id(call.given["dy"]), []).append(call)
    return list(stages.values())[::-1]
