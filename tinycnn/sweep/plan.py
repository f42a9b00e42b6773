"""The settings to try: all combinations of the given values, or some drawn at random.

A plan depends on the options alone, so the same command always means the same trials.
"""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from tinycnn.errors import RunError
from tinycnn.train.recipe import Recipe

KINDS: dict[str, type] = {
    field.name: field.type if field.type in (str, int) else float
    for field in fields(Recipe)
    if field.name not in ("seed", "limit", "validation")  # these decide how trials are compared
}
"""The options of a recipe that can be swept, and the types of their values."""

LOGARITHMIC = ("lr", "weight_decay")
"""Options whose ranges are drawn from evenly on a logarithmic scale."""

_PATIENCE = 1000  # draws per setting


@dataclass(frozen=True)
class Range:
    """All numbers from ``low`` to ``high``, both included."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"


Values = tuple[Any, ...] | Range


@dataclass(frozen=True)
class Trial:
    """One run: ``setting`` has the options that differ between trials, ``given`` all options."""

    name: str
    setting: Mapping[str, Any]
    given: Mapping[str, Any]


@dataclass(frozen=True)
class SweepPlan:
    """All trials: every setting with every seed.

    ``fixed`` has the options that all trials share, each of ``settings`` those that differ.
    """

    fixed: dict[str, Any]
    settings: tuple[dict[str, Any], ...]
    seeds: int

    def trials(self) -> list[Trial]:
        """The trials in starting order: all settings with the first seed, then the second, ..."""
        return [
            Trial(_name(setting, seed), setting, {**self.fixed, **setting, "seed": seed})
            for seed in range(self.seeds)
            for setting in self.settings
        ]


def parse(name: str, text: str) -> Values:
    """The values "A,B,C" or the range "A..B" of the option ``name``; RunError if it is neither."""
    kind = KINDS[name]
    try:
        if ".." in text and kind is not str:
            low, high = map(kind, text.split(".."))
            if not low < high < math.inf:
                raise ValueError
            return Range(low, high)
        return tuple(dict.fromkeys(kind(word) for word in text.split(",")))
    except ValueError:
        numbers = {int: "whole numbers", float: "numbers"}[kind]
        raise RunError(
            f"`{name}` takes {numbers} as in A,B,C, or A..B with `random`, not {text}"
        ) from None


def make_plan(
    space: Mapping[str, Values], fixed: Mapping[str, Any], seeds: int, random: int | None
) -> SweepPlan:
    """The plan for all combinations in ``space``, or for ``random`` settings drawn from it."""
    if seeds < 1 or (random is not None and random < 1):
        raise RunError("`seeds` and `random` are whole numbers of at least 1")
    single = {k: v[0] for k, v in space.items() if isinstance(v, tuple) and len(v) == 1}
    varied = {name: values for name, values in space.items() if name not in single}
    settings = _grid(varied) if random is None else _drawn(varied, random)
    return SweepPlan({**fixed, **single}, tuple(settings), seeds)


def _grid(varied: Mapping[str, Values]) -> list[dict[str, Any]]:
    lists: list[Sequence[Any]] = []
    for name, values in varied.items():
        if isinstance(values, Range):
            raise RunError(f"`{name}` {values} is a range, which needs `random` N")
        lists.append(values)
    return [dict(zip(varied, chosen, strict=True)) for chosen in itertools.product(*lists)]


def _drawn(varied: Mapping[str, Values], count: int) -> list[dict[str, Any]]:
    """``count`` different settings; a larger ``count`` only adds some."""
    rng = np.random.default_rng(0)
    found: dict[str, dict[str, Any]] = {}
    for _ in range(_PATIENCE * count):
        setting = {name: _draw(name, values, rng) for name, values in varied.items()}
        found.setdefault(json.dumps(setting), setting)
        if len(found) == count:
            return list(found.values())
    raise RunError(
        f"`random` {count} is more than the {len(found)} settings there are; leave it out"
    )


def _draw(name: str, values: Values, rng: np.random.Generator) -> Any:
    if not isinstance(values, Range):
        return values[rng.integers(len(values))]
    if KINDS[name] is int:
        return int(rng.integers(int(values.low), int(values.high), endpoint=True))
    if name in LOGARITHMIC and values.low > 0:
        number = math.exp(rng.uniform(math.log(values.low), math.log(values.high)))
    else:
        number = rng.uniform(values.low, values.high)
    return float(f"{number:.3g}")  # three digits, short enough to type


def _name(setting: Mapping[str, Any], seed: int) -> str:
    words = [f"{name.replace('_', '-')}-{value}" for name, value in setting.items()]
    return "-".join([*words, f"seed-{seed}"])
