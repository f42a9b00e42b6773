"""A convolutional network that you can read in an afternoon.

>>> import tinycnn
>>> model = tinycnn.build("lenet", seed=0)
>>> model.parameter_count()
184586

The public names are listed in ``__init__.pyi``. Each is imported when it is first used, so that
``--help`` of a command does not wait for the compiler.
"""

import functools
import importlib
import re
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

NEEDS_EXTRA = ("DigitClassifier",)
"""Names that ``import *`` leaves out."""


@functools.cache
def _homes() -> dict[str, str]:
    stub = Path(__file__).with_suffix(".pyi").read_text()
    return {name: home for home, name in re.findall(r"^from (\S+) import (\w+) as", stub, re.M)}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return [known for known in _homes() if known not in NEEDS_EXTRA]
    if name not in _homes():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_homes()[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_homes()])
