"""A recipe holds every value that decides the trained weights, apart from the data.

On one machine, equal recipes and equal data give equal bytes. The places of files and the number
of threads change nothing, so they are not part of a recipe.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from tinycnn.errors import RunError

SMALL = 20_000
"""Smaller training sets get small batches: otherwise ten epochs are too few steps."""

FOR_SMALL: dict[str, Any] = {"batch_size": 32, "lr": 0.05, "validation": 0.1}
FOR_LARGE: dict[str, Any] = {
    "batch_size": 128,
    "lr": 0.1,
    "weight_decay": 5e-4,
    "augment": "strong",
    "validation": 0.05,
}

SUITED: dict[str, dict[str, Any]] = {
    "dense": {"weight_decay": 0.0, "augment": "mild"},
    "tiny": {"epochs": 15, "weight_decay": 1e-4, "average": 0.999, "augment": "mild"},
    "best": {"epochs": 60, "weight_decay": 5e-4, "average": 0.999, "augment": "strong"},
    "sprint": {"epochs": 1, "batch_size": 32, "lr": 0.05, "weight_decay": 5e-4, "augment": "light"},
}
"""The values of a preset that differ from those of the size and of ``Recipe``."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The values of a run; raises RunError for values that make no sense.

    ``lr`` is the highest learning rate. ``momentum`` is None unless the optimizer has one.
    ``average`` is the decay of the running average of the weights (0: no average). ``limit`` is
    the number of training images to use (None: all), and ``validation`` the fraction of them that
    is held out. ``Trainer`` looks up the names of presets, optimizers and the like.
    """

    preset: str = "lenet"
    epochs: int = 10
    batch_size: int
    lr: float
    optimizer: str = "sgd"
    schedule: str = "one-cycle"
    momentum: float | None = 0.9
    weight_decay: float = 0.0
    average: float = 0.0
    augment: str = "mild"
    seed: int = 0
    limit: int | None = None
    validation: float

    def __post_init__(self) -> None:
        for name, (kind, is_valid, meaning) in _VALID.items():
            value = getattr(self, name)
            if value is None and name in ("momentum", "limit"):
                continue
            if not isinstance(value, kind) or not is_valid(value):
                raise RunError(f"`{name}` must be {meaning}, not {value}")
        if self.momentum is not None and self.optimizer != "sgd":
            raise RunError(
                f"`momentum` belongs to `optimizer` sgd; {self.optimizer} has none to set"
            )

    @classmethod
    def for_data(cls, count: int, **given: Any) -> "Recipe":
        """Return a recipe for ``count`` training images; it suits them where nothing is ``given``.

        ``docs/recipes.md`` tells how the values were chosen, on training data.
        """
        of_size = FOR_SMALL if count < SMALL else FOR_LARGE
        options = {**of_size, **SUITED.get(given.get("preset", ""), {})}
        if given.get("optimizer", "sgd") != "sgd":
            options["momentum"] = None
        if given.get("optimizer") == "adam":
            options["lr"] = 0.001
        recipe = cls(**{**options, **given})
        if "batch_size" in given:
            return recipe
        trained_on = max(1, int(count * (1 - recipe.validation)))
        return replace(recipe, batch_size=min(recipe.batch_size, trained_on))

    @property
    def augmented_epochs(self) -> int:
        """The number of epochs with augmentation; the last fifth of all epochs has none."""
        return self.epochs - self.epochs // 5


OPTIONS = tuple(field.name for field in fields(Recipe))

_NUMBER = int | float

_VALID: dict[str, tuple[Any, Callable[[Any], bool], str]] = {
    **dict.fromkeys(("preset", "optimizer", "schedule", "augment"), (str, bool, "a name")),
    "epochs": (int, lambda v: 1 <= v <= 100_000, "a whole number from 1 to 100,000"),
    "batch_size": (int, lambda v: v >= 1, "a whole number of at least 1"),
    # No network learns with a rate above 10, but a typing error gets there easily.
    "lr": (_NUMBER, lambda v: 0 < v <= 10, "a number above 0 and at most 10"),
    "momentum": (_NUMBER, lambda v: 0 <= v < 1, "a number from 0 to below 1"),
    "weight_decay": (_NUMBER, lambda v: 0 <= v <= 1, "a number from 0 to 1"),
    "average": (_NUMBER, lambda v: 0 <= v < 1, "a share from 0 to below 1"),
    "seed": (int, lambda v: 0 <= v < 2**32, "a whole number from 0 to 2^32 - 1"),
    "limit": (int, lambda v: v >= 2, "a whole number of at least 2"),
    "validation": (_NUMBER, lambda v: 0 < v < 1, "a share above 0 and below 1"),
}
