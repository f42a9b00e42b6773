"""A run as a report sees it: its files, its network, its history and its evaluation."""

import functools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tinycnn.data import Dataset
from tinycnn.errors import RunError
from tinycnn.evaluate.evaluation import Evaluation, data_of, evaluate, training_of
from tinycnn.files import PathLike
from tinycnn.nn import Sequential
from tinycnn.train.folder import DEFAULT, RunFolder, find_run, find_weights
from tinycnn.train.state import EpochRecord

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Subject:
    """A network to report on; a lone weights file has no ``folder``, ``history`` or ``config``."""

    name: str
    weights: Path
    model: Sequential
    dataset: Dataset
    folder: Path | None = None
    history: tuple[EpochRecord, ...] = ()
    config: dict[str, Any] | None = None
    result: dict[str, Any] | None = None

    @classmethod
    def open(
        cls, name: PathLike, dataset: str | None = None, data_dir: PathLike | None = None
    ) -> "Subject":
        """The run or weights file ``name`` and the data to evaluate it on: its own, by default.

        Raises WeightsError, RunError or DataError if one of them is missing or damaged.
        """
        weights = find_weights(name)
        model = Sequential.load(weights)
        data = data_of(model, weights, dataset, data_dir)
        if weights.parent != find_run(name):
            title = weights.name if str(name) != DEFAULT else str(name)
            return cls(title, weights, model, data)
        folder = RunFolder(weights.parent)
        return cls(
            name=folder.path.resolve().name,
            weights=weights,
            model=model,
            dataset=data,
            folder=folder.path,
            history=_read(folder.metrics, _history) or (),
            config=_read(folder.config, _json_object),
            result=_read(folder.result, _json_object),
        )

    @functools.cached_property
    def evaluation(self) -> Evaluation:
        return evaluate(self.model, self.dataset)

    @property
    def training(self) -> dict[str, Any]:
        return training_of(self.model)

    @property
    def recipe(self) -> dict[str, Any]:
        """The options of the training; empty if the weights do not say."""
        recipe = self.training.get("recipe")
        return recipe if isinstance(recipe, dict) else {}


def _read(path: Path, parse: Callable[[bytes], T]) -> T | None:
    """The content of a file; None without the file; RunError if it cannot be parsed."""
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise RunError(f"{path} is damaged ({error}); remove it to do without") from error


def _json_object(payload: bytes) -> dict[str, Any]:
    content = json.loads(payload)
    if not isinstance(content, dict):
        raise ValueError("it holds no JSON object")
    return content


def _history(payload: bytes) -> tuple[EpochRecord, ...]:
    """The complete lines of metrics.jsonl; the last one may still be being written."""
    records = [EpochRecord(**json.loads(line)) for line in payload.split(b"\n")[:-1]]
    if not all(math.isfinite(z) for record in records for z in vars(record).values()):
        raise ValueError("it holds numbers that are not finite")
    return tuple(records)
