"""A run as a report sees it: its files, its network, its history and its evaluation."""

import functools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tinycnn.data import Dataset, load_dataset
from tinycnn.data.datasets import DEFAULT
from tinycnn.errors import DataError, RunError
from tinycnn.evaluate.evaluation import Evaluation, evaluate, training_of, training_set
from tinycnn.evaluate.robustness import Curve, robustness
from tinycnn.files import PathLike
from tinycnn.nn import Sequential
from tinycnn.train.folder import DEFAULT as DEFAULT_WEIGHTS
from tinycnn.train.folder import RunFolder, find_run, find_weights
from tinycnn.train.resume import Source
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
        if weights.parent != find_run(name):
            title = weights.name if str(name) != DEFAULT_WEIGHTS else str(name)
            return cls(title, weights, model, _data_of(model, None, dataset, data_dir))
        folder = RunFolder(weights.parent)
        config = _read(folder.config, _json_object)
        return cls(
            name=folder.path.resolve().name,
            weights=weights,
            model=model,
            dataset=_data_of(model, config, dataset, data_dir),
            folder=folder.path,
            history=_read(folder.metrics, _history) or (),
            config=config,
            result=_read(folder.result, _json_object),
        )

    @functools.cached_property
    def evaluation(self) -> Evaluation:
        """Its evaluation on the test part."""
        return evaluate(self.model, self.dataset)

    @functools.cached_property
    def robustness(self) -> tuple[Curve, ...]:
        """Its accuracy on corrupted images of the test part."""
        evaluation = self.evaluation
        return robustness(evaluation.recognizer, evaluation.images, evaluation.labels)

    @property
    def training(self) -> dict[str, Any]:
        """The metadata on training in the weights file."""
        return training_of(self.model)

    @property
    def recipe(self) -> dict[str, Any]:
        """The options of the training; empty if the weights do not say."""
        recipe = self.training.get("recipe")
        return recipe if isinstance(recipe, dict) else {}


def _data_of(
    model: Sequential,
    config: dict[str, Any] | None,
    name: str | None,
    data_dir: PathLike | None,
) -> Dataset:
    """The data set ``name``; without a name that of the run, or the one that the weights name."""
    if name is not None:
        return load_dataset(name, data_dir)
    if config is not None:
        try:
            source = Source(**config["data"])
        except (TypeError, LookupError) as error:
            raise RunError(f"the run's config.json names no data ({error})") from error
        return source.load(data_dir)
    name = training_set(model)
    if name is None and data_dir is None:
        raise DataError("these weights do not name the data they were trained on; say `data_dir`")
    return load_dataset(name or DEFAULT, data_dir)


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
