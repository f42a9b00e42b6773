"""Every error that tinycnn raises on purpose: one small tree of exceptions.

A caller of the library catches ``TinyCNNError``; a command prints its sentence and ends with its
``exit_code`` (2: bad input or usage, 3: the environment). A message names a parameter in
backticks, as in "`batch_size` must be at least 1", and a command shows it as ``--batch-size``.
"""

import importlib.util
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")


class TinyCNNError(Exception):
    """The root of the tree; its message is one sentence that says what is wrong and what to do."""

    exit_code = 2


class ShapeError(TinyCNNError, ValueError):
    """Arrays or layers do not fit together."""


class DataError(TinyCNNError, ValueError):
    """A data file or data set is missing, damaged or not what it claims to be."""


class WeightsError(TinyCNNError, ValueError):
    """A weights file is damaged, of an unknown format or made for another network."""


class ImageError(TinyCNNError, ValueError):
    """A picture or drawing cannot be read as digits."""


class RunError(TinyCNNError, RuntimeError):
    """A training run cannot start or go on."""


class EnvironmentFault(TinyCNNError, OSError):  # noqa: N818 - EnvironmentError is OSError
    """The machine lacks something: a display, disk space, a permission, a package."""

    exit_code = 3


class DownloadError(EnvironmentFault):
    """No mirror delivered a data set."""


def need(package: str, extra: str, purpose: str = "this") -> None:
    """Raise EnvironmentFault unless ``package`` is installed; ``extra`` is the one that has it."""
    if importlib.util.find_spec(package) is None:
        raise EnvironmentFault(f"{purpose} needs {package}: pip install 'tinycnn[{extra}]'")


def choose(parameter: str, name: str, table: Mapping[str, T]) -> T:
    """Return the entry ``name`` of ``table``; RunError if there is none, which lists the names."""
    if name not in table:
        raise RunError(f"there is no `{parameter}` {name}; choose from {', '.join(table)}")
    return table[name]
