"""Shapes are said once, above each operation of ``reference.py``; calls are checked here.

    @shapes("x (N,H,W,C), w (F,KH,KW,C), b (F,)  ->  y (N,OH,OW,F)")

A letter means the same number wherever it occurs: the sizes of weights are trusted first, those
of gradients last. Some words have a rule of their own: labels are classes, a winner is a place in
its window. What does not fit raises a ShapeError; a compiled loop would read past an array
unnoticed. Arrays come out ready for kernels, as copies where that is needed: C-contiguous,
aligned, in the machine's byte order, all of one dtype, float32 or float64.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from tinycnn.errors import ShapeError

F = TypeVar("F", bound=Callable[..., Any])
Values = dict[str, Any]

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

LARGEST_POOL = 15
"""The winner's place and the mark of a silenced one, size * size, must fit into a byte."""


def shapes(text: str) -> Callable[[F], F]:
    """Say what a function takes and gives; its docstring ends with that, too."""

    def attach(function: F) -> F:
        function.check = Check(function, text)  # type: ignore[attr-defined]
        if function.__doc__:  # python -OO leaves none
            function.__doc__ += f"\n    {text}\n    "
        return function

    return attach


class Check:
    """Called with the arguments of ``function``, returns them ready for kernels, or raises."""

    def __init__(self, function: Callable[..., Any], text: str) -> None:
        self._signature = inspect.signature(function)
        self._names = tuple(self._signature.parameters)
        given, _, results = text.partition("->")
        self.letters = {
            name: tuple(re.findall(r"[^\s,]+", letters))
            for names, letters in re.findall(r"(\w+(?:(?:, | and )\w+)*) \((.*?)\)", given)
            for name in re.split(", | and ", names)
        }
        self.arrays = [n for n in self._names if n in self.letters and not n.endswith("_size")]
        self._pairs = [name for name in self.letters if name not in self.arrays]
        self._changed = re.findall(r"\w+", results.partition("written into")[2])
        self._rules = [rule for name, rule in RULES.items() if name in self._names]

    def __call__(self, *args: Any, **kwargs: Any) -> Sequence[Any]:
        if kwargs or len(args) != len(self._names):
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
        given = dict(zip(self._names, args, strict=True))
        dtype = None
        for name in self.arrays:
            array = ready(given[name])
            if name not in RULES:
                native = array.dtype.newbyteorder("=")
                if native not in FLOATS or native != (dtype or native):
                    raise ShapeError(
                        f"{name} is {array.dtype}, but all arrays must be float32 or all float64"
                    )
                dtype, array = native, array.astype(native, copy=False)
            if array is not given[name] and name in self._changed:
                raise ShapeError(
                    f"{name} is changed in place and must be contiguous, aligned, writeable and "
                    "in the machine's byte order"
                )
            given[name] = array
        sizes = self._sizes_of(given)
        for rule in self._rules:
            rule(given, sizes)
        return list(given.values())

    def _sizes_of(self, given: Values) -> Values:
        """Return what the letters mean, or raise because they do not mean one thing each."""
        sizes: Values = {}
        for name in sorted(self.letters, key=lambda z: (z.startswith(("d", "winner")), z != "w")):
            shape = tuple(given[name]) if name in self._pairs else given[name].shape
            letters = self.letters[name]
            axes = _axes(letters, shape)
            if axes is None or any(
                sizes.get(z, n) != n for z, n in zip(letters, axes, strict=True)
            ):
                raise ShapeError(_misfit(name, letters, shape, sizes))
            sizes.update(zip(letters, axes, strict=True))
            _derive(sizes, given.get("size"))
        if sizes.get("K") == 0:  # a softmax looks for the largest of its numbers
            raise ShapeError("the number of outputs, K, is 0, expected at least 1")
        return sizes


def ready(array: np.ndarray) -> np.ndarray:
    """Return ``array``, or a copy that lies in memory as kernels want it, and may be written to.

    They would not write; but for read-only arrays numba would compile them once more.
    """
    if type(array) is np.ndarray and array.flags.carray:
        return array  # as nearly always; to ask for it takes longer
    return np.require(array, requirements=["C", "A", "W", "E"])


def _axes(letters: Sequence[str], shape: Sequence[int]) -> list[Any] | None:
    """Return what each letter means, "..." for any number of axes; None if it cannot be."""
    if "..." not in letters:
        return list(shape) if len(shape) == len(letters) else None
    if len(letters) == 1:
        return [tuple(shape)]
    N, *places, C = shape if len(shape) > 1 else (0, 0)  # (N,...,C), where only N may be 0
    return [N, tuple(places), C] if C and all(places) else None


def _misfit(name: str, letters: Sequence[str], shape: Any, sizes: Values) -> str:
    """Say what shape is expected, in numbers as far as they are known."""
    known = [sizes.get(z, z) for z in letters]
    axes = tuple(n for z in known for n in (z if isinstance(z, tuple) else [z]))
    return f"{name} has shape {shape}, expected {axes}".replace("'", "")


def conv2d_fits(input_size: Sequence[int], kernel_size: Sequence[int]) -> None:
    """Raise unless the kernel fits into the image at least once."""
    (H, W), (KH, KW) = input_size, kernel_size
    if not (1 <= KH <= H and 1 <= KW <= W):
        raise ShapeError(f"a {KH}x{KW} kernel does not fit into a {H}x{W} image")


def pool_fits(input_size: Sequence[int], size: int) -> None:
    """Raise unless the pooling window fits into the image at least once."""
    if not 1 <= size <= min(*input_size, LARGEST_POOL):
        (H, W), most = input_size, f"the largest are {LARGEST_POOL}x{LARGEST_POOL}"
        raise ShapeError(f"windows of {size}x{size} do not fit into a {H}x{W} image; {most}")


def dropout_rate(rate: float) -> None:
    """Raise unless some numbers are left."""
    if not 0 <= rate < 1:
        raise ShapeError(f"rate must be a share from 0 to below 1, not {rate!r}")


def _derive(sizes: Values, size: int | None) -> None:
    """Add the size of a convolution's output, and what pooling leaves of it or of x, once known."""
    if sizes.keys() >= {"H", "KH"}:
        H, W, KH, KW = (sizes[z] for z in ("H", "W", "KH", "KW"))
        conv2d_fits((H, W), (KH, KW))
        sizes |= {"OH": H - KH + 1, "OW": W - KW + 1}
    rows, columns = ("OH", "OW") if "KH" in sizes else ("H", "W")
    if size is not None and rows in sizes:
        pool_fits((sizes[rows], sizes[columns]), size)
        sizes |= {f"{z}//size": sizes[z] // size for z in (rows, columns)}


def _classes(given: Values, sizes: Values) -> None:
    labels, K = given["labels"], sizes["K"]
    if labels.dtype.kind not in "ui":
        raise ShapeError(f"labels are {labels.dtype}, expected integers")
    if not labels.size:
        raise ShapeError("there are no labels, and no examples to take a mean of")
    places = given["labels"] = labels.astype(np.intp)
    if places.view(np.uintp).max() >= K:  # a negative label is a large unsigned one
        first = int((places.view(np.uintp) >= K).argmax())
        raise ShapeError(f"label {labels[first]} of example {first} is not one of {K} classes")


def _places(given: Values, sizes: Values) -> None:
    """A winner is in its window; after a ReLU, one more place says that it does not pass."""
    winner, places = given["winner"], given["size"] ** 2 + ("KH" in sizes)
    most = winner.max(initial=0)
    if winner.dtype != np.uint8 or most >= places:
        raise ShapeError(f"winner is {winner.dtype} up to {most}, expected uint8 below {places}")


RULES: dict[str, Callable[[Values, Values], None]] = {
    "rate": lambda given, sizes: dropout_rate(given["rate"]),
    "labels": _classes,
    "winner": _places,
}
"""What is asked of the values of some arguments, by name."""
