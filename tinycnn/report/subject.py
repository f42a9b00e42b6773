"""What is known of a run: its network, its history, and what measuring it brought."""

import functools
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from tinycnn.train.trainer import EpochRecord


@dataclass(frozen=True, eq=False)
class Subject:
    """A network to report on; bare weights have no ``folder``, ``history`` or ``config``."""

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
        """The run or weights file ``name`` and the data to measure it on: its own, by default.

        Raises WeightsError, RunError or DataError if one of them is missing or damaged.
        """
        weights = find_weights(name)
        if weights.parent == find_run(name):
            folder = RunFolder(weights.parent)
            model = Sequential.load(weights)
            config, result = _read_object(folder.config), _read_object(folder.result)
            history = _read_history(folder.metrics)
            data = _data_of(model, config, dataset, data_dir)
            title = folder.path.resolve().name
            return cls(title, weights, model, data, folder.path, history, config, result)
        model = Sequential.load(weights)
        title = weights.name if str(name) != DEFAULT_WEIGHTS else str(name)
        return cls(title, weights, model, _data_of(model, None, dataset, data_dir))

    @functools.cached_property
    def evaluation(self) -> Evaluation:
        """Its answers to the test part."""
        return evaluate(self.model, self.dataset)

    @functools.cached_property
    def robustness(self) -> tuple[Curve, ...]:
        """Its accuracy on spoiled images of the test part."""
        return robustness(
            self.evaluation.recognizer, self.evaluation.images, self.evaluation.labels
        )

    @property
    def training(self) -> dict[str, Any]:
        """What the weights say of their training."""
        return training_of(self.model)


def _data_of(
    model: Sequential,
    config: dict[str, Any] | None,
    name: str | None,
    data_dir: PathLike | None,
) -> Dataset:
    """The set that is named; else the very one of the run; else the one the weights name."""
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
        raise DataError("these weights were trained on a set without a name; say --data-dir")
    return load_dataset(name or DEFAULT, data_dir)


def _read_object(path: Path) -> dict[str, Any] | None:
    """A JSON object; None if there is no such file; RunError if it holds something else."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} is damaged ({error}); remove it to do without") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} holds no JSON object; remove it to do without")
    return content


def _read_history(path: Path) -> tuple[EpochRecord, ...]:
    """The whole lines of metrics.jsonl; none if there is no such file."""
    if not path.exists():
        return ()
    try:
        *lines, _ = path.read_bytes().split(b"\n")  # the last one may be being written
        records = [EpochRecord(**json.loads(line)) for line in lines]
        if not all(math.isfinite(z) for record in records for z in vars(record).values()):
            raise ValueError("it holds numbers that are not finite")
    except (OSError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise RunError(f"{path} is damaged ({error}); remove it to do without") from error
    return tuple(records)
