"""A recipe is all that decides the final weights, besides the data themselves.

Equal recipes on equal data end with equal bytes, on one machine. Where files lie and how many
threads work changes nothing, so that is not part of a recipe.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from tinycnn.errors import RunError

SMALL = 20_000
"""Fewer training images than this get small batches: otherwise ten epochs are too few steps."""

FOR_SMALL: dict[str, Any] = {"batch_size": 32, "lr": 0.05, "validation": 0.1}
FOR_LARGE: dict[str, Any] = {
    "batch_size": 128,
    "lr": 0.1,
    "weight_decay": 5e-4,
    "augment": "strong",
    "validation": 0.05,
}
ADAM_LR = 0.001

DEFAULTS: dict[str, Any] = {
    "preset": "lenet",
    "epochs": 10,
    "optimizer": "sgd",
    "schedule": "one-cycle",
    "momentum": 0.9,
    "weight_decay": 0.0,
    "average": 0.0,
    "augment": "mild",
    "seed": 0,
    "limit": None,
}

SUITED: dict[str, dict[str, Any]] = {
    "dense": {"weight_decay": 0.0, "augment": "mild"},
    "tiny": {"epochs": 15, "weight_decay": 1e-4, "average": 0.999, "augment": "mild"},
    "best": {"epochs": 60, "weight_decay": 5e-4, "average": 0.999, "augment": "strong"},
}
"""Where the recipe of a network differs from ``DEFAULTS``."""


@dataclass(frozen=True)
class Recipe:
    """The resolved options of a run; raises RunError for values that make no sense.

    ``lr`` is the highest learning rate, ``momentum`` None unless the optimizer has one,
    ``average`` what the running average of the weights keeps of itself in a step (0: there is
    none), ``limit`` how many training images count (None: all), ``validation`` the share of them
    that is kept apart. The names of networks, optimizers and the like are looked up by
    ``Trainer``.
    """

    preset: str
    epochs: int
    batch_size: int
    lr: float
    optimizer: str
    schedule: str
    momentum: float | None
    weight_decay: float
    average: float
    augment: str
    seed: int
    limit: int | None
    validation: float

    def __post_init__(self) -> None:
        for name, (kind, is_sound, words) in _SOUND.items():
            value = getattr(self, name)
            if value is None and name in ("momentum", "limit"):
                continue
            if not isinstance(value, kind) or not is_sound(value):
                raise RunError(f"`{name}` must be {words}, not {value}")
        if self.momentum is not None and self.optimizer == "adam":
            raise RunError("`momentum` belongs to `optimizer` sgd; adam has none to set")

    @property
    def augmented_epochs(self) -> int:
        """How many epochs bend images; of five the last shows them as they are."""
        return self.epochs - self.epochs // 5

    def as_dict(self) -> dict[str, Any]:
        """The options and their values, ready for JSON."""
        return asdict(self)


def resolve(count: int, **given: Any) -> Recipe:
    """The recipe for ``count`` training images; what is not ``given`` suits them and the network.

    How it was chosen, on training data, is told in ``docs/recipes.md``.
    """
    of_size = FOR_SMALL if count < SMALL else FOR_LARGE
    options = {**DEFAULTS, **of_size, **SUITED.get(given.get("preset", ""), {})}
    if given.get("optimizer") == "adam":
        options |= {"lr": ADAM_LR, "momentum": None}
    recipe = Recipe(**{**options, **given})
    if "batch_size" in given:
        return recipe
    trained_on = max(1, int(count * (1 - recipe.validation)))
    return replace(recipe, batch_size=min(recipe.batch_size, trained_on))


OPTIONS = tuple(field.name for field in fields(Recipe))

SEEDS = "a whole number from 0 to 2^32 - 1"
"""Longer ones would share their random numbers with shorter ones; see ``batches.stream``."""

_NUMBER = int | float

_SOUND: dict[str, tuple[Any, Callable[[Any], bool], str]] = {
    **dict.fromkeys(("preset", "optimizer", "schedule", "augment"), (str, bool, "a name")),
    "epochs": (int, lambda v: 1 <= v <= 100_000, "a whole number from 1 to 100,000"),
    "batch_size": (int, lambda v: v >= 1, "a whole number of at least 1"),
    # Nothing learns in steps of more than 10, but a slip of the finger reaches that far.
    "lr": (_NUMBER, lambda v: 0 < v <= 10, "a number above 0 and at most 10"),
    "momentum": (_NUMBER, lambda v: 0 <= v < 1, "a number from 0 to below 1"),
    "weight_decay": (_NUMBER, lambda v: 0 <= v <= 1, "a number from 0 to 1"),
    "average": (_NUMBER, lambda v: 0 <= v < 1, "a share from 0 to below 1"),
    "seed": (int, lambda v: 0 <= v < 2**32, SEEDS),
    "limit": (int, lambda v: v >= 2, "a whole number of at least 2"),
    "validation": (_NUMBER, lambda v: 0 < v < 1, "a share above 0 and below 1"),
}
