"""``start`` a new run, or ``resume`` one exactly where it stopped."""

import json
import os
import platform
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tinycnn import __version__
from tinycnn.data import Dataset, load_dataset
from tinycnn.errors import DataError, RunError
from tinycnn.files import PathLike
from tinycnn.nn import Sequential
from tinycnn.train import checkpoint
from tinycnn.train.folder import RunFolder
from tinycnn.train.ranks import SingleProcess
from tinycnn.train.recipe import Recipe
from tinycnn.train.run import Run
from tinycnn.train.trainer import Trainer


@dataclass(frozen=True)
class Source:
    """Where a data set came from: the arguments of ``load_dataset``, and its fingerprints."""

    name: str
    data_dir: str | None
    fingerprint: str
    test_fingerprint: str

    @classmethod
    def of(cls, dataset: Dataset, name: str, data_dir: PathLike | None = None) -> "Source":
        """Return the source of ``dataset``, which was loaded as ``name`` from ``data_dir``."""
        return cls(name, _absolute(data_dir), dataset.fingerprint, dataset.test_fingerprint)

    def load(self, data_dir: PathLike | None = None) -> Dataset:
        """Load the same data again, even if their folder has moved; RunError if they changed."""
        try:
            dataset = load_dataset(self.name, data_dir or self.data_dir)
        except DataError as error:
            if data_dir or not self.data_dir:
                raise
            raise DataError(f"{error}; if the data have moved, give their `data_dir`") from error
        fingerprints = dataset.fingerprint, dataset.test_fingerprint
        if fingerprints != (self.fingerprint, self.test_fingerprint):
            raise RunError(
                f"the data set {dataset.name} is not the one that this run began with "
                f"({Path(dataset.sources[0]).parent}); name the right folder with `data_dir`"
            )
        return dataset


@dataclass(frozen=True)
class Base:
    """The network that fine-tuning began with: its weights, its classes, and what it had seen."""

    weights: str
    classes: tuple[str, ...]
    sample: str

    def prepare(self, dataset: Dataset) -> Dataset:
        """Return ``dataset`` with labels of the classes of this network; RunError for others."""
        if unknown := [name for name in dataset.class_names if name not in self.classes]:
            raise RunError(
                f"{dataset.name} has the class {unknown[0]}, and {self.weights} only "
                f"{', '.join(self.classes)[:60]}; train a new network, without `weights`"
            )
        train, test = (
            dataset.labels_in(self.classes, z).astype(z.dtype)
            for z in (dataset.train_labels, dataset.test_labels)
        )
        return replace(
            dataset, train_labels=train, test_labels=test, class_names=tuple(self.classes)
        )


def start(
    recipe: Recipe,
    dataset: Dataset,
    source: Source,
    path: PathLike,
    save_every: int | None = None,
    ranks: SingleProcess | None = None,
    base: tuple[Sequential, Base] | None = None,
) -> Run:
    """Return a new run, which is saved in the new folder ``path`` before anything is compiled.

    It begins with a new network, or with that of ``base``.
    """
    origin = {"recipe": asdict(recipe), "data": asdict(source), "versions": versions()}
    model = None
    if base:
        model, origin["base"] = base[0], asdict(base[1])
        if model.input_shape != (*dataset.image_size, 1):
            raise RunError(
                f"{base[1].weights} takes inputs of shape {model.input_shape}, and the images of "
                f"{dataset.name} are {dataset.image_size}; train a new network, without `weights`"
            )
        dataset = base[1].prepare(dataset)
    trainer = Trainer(recipe, dataset, ranks, model)
    run = Run(RunFolder.create(path), trainer, origin, save_every)
    with ExitStack() as lock:
        lock.enter_context(run)
        run.save()  # the first file: a folder with any other file can be resumed
        run.publish_origin()
        lock.pop_all()
    return run


def resume(
    path: PathLike,
    given: Mapping[str, Any],
    data_dir: PathLike | None = None,
    save_every: int | None = None,
    ranks: SingleProcess | None = None,
) -> tuple[Run, list[str]]:
    """Return the run in the folder ``path`` where it stopped, and warnings.

    More ``epochs`` than the run has extend it. RunError if other ``given`` options differ from the
    run's, or if the data do.
    """
    folder = RunFolder.reopen(path)
    with ExitStack() as lock:
        lock.callback(folder.release)
        saved, warnings = _newest_checkpoint(folder)
        recipe, source, _ = origin_of(saved, path)
        if given.get("epochs", 0) > recipe.epochs:
            recipe = replace(recipe, epochs=given["epochs"])
            saved.origin["recipe"] = asdict(recipe)
        _refuse_differences(path, {**asdict(recipe), "dataset": source.name}, given)
        trainer = trainer_of(saved, path, data_dir, ranks)
        source = replace(source, data_dir=_absolute(data_dir) or source.data_dir)
        run = Run(folder, trainer, {**saved.origin, "data": asdict(source)}, save_every)
        if not trainer.finished:
            folder.result.unlink(missing_ok=True)  # of fewer epochs
        run.publish_origin()
        lock.pop_all()
    if (before := saved.origin.get("versions")) != versions():
        warnings += [f"the run began with {before}; the last bits of its weights may differ now"]
    return run, warnings


def trainer_of(
    saved: checkpoint.Checkpoint,
    owner: object,
    data_dir: PathLike | None,
    ranks: SingleProcess | None,
) -> Trainer:
    """Return the trainer of ``owner`` as it was saved; RunError if the data are not the same."""
    recipe, source, base = origin_of(saved, owner)
    dataset = source.load(data_dir)
    trainer = Trainer(recipe, base.prepare(dataset) if base else dataset, ranks)
    trainer.restore(saved.arrays, saved.state)
    return trainer


def source_of(weights: Path) -> Source | None:
    """Return the source of the training data of ``weights``; None if they are in no run folder."""
    folder = RunFolder(weights.parent)
    try:
        source = Source(**json.loads(folder.config.read_bytes())["data"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None
    return source if weights.name == folder.weights.name else None


def versions() -> dict[str, str]:
    """Return the versions of everything that can change the bits of a result."""
    libraries = {name: version(name) for name in ("numpy", "numba", "llvmlite")}
    return {"tinycnn": __version__, "python": platform.python_version(), **libraries}


def _newest_checkpoint(folder: RunFolder) -> tuple[checkpoint.Checkpoint, list[str]]:
    newest, previous = folder.checkpoint, folder.previous
    try:
        return checkpoint.read(newest), []
    except RunError as damage:
        try:
            earlier = checkpoint.read(previous)
        except RunError as further:
            raise RunError(f"this run cannot be resumed: {damage}, and {further}") from damage
        told = [f"{damage}; resuming from the one before it, {previous.name}"]
        told = told if newest.exists() else []  # the process has ended between two calls
        os.replace(previous, newest)  # or the next save would overwrite the only good one
        return earlier, told


def origin_of(saved: checkpoint.Checkpoint, owner: object) -> tuple[Recipe, Source, Base | None]:
    """Return recipe, source and base of the run of ``owner``; RunError if they are damaged."""
    try:
        recipe, source = Recipe(**saved.origin["recipe"]), Source(**saved.origin["data"])
        if not all(isinstance(value, str | None) for value in vars(source).values()):
            raise TypeError("its data have no name")
        return recipe, source, Base(**saved.origin["base"]) if "base" in saved.origin else None
    except (TypeError, LookupError) as error:
        raise RunError(
            f"the checkpoint of {owner} is not one of this version of tinycnn ({error})"
        ) from error


def _absolute(folder: PathLike | None) -> str | None:
    return None if folder is None else str(Path(folder).absolute())


def _refuse_differences(
    path: PathLike, settings: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    differences = [
        f"`{name}` {value} (the run has {settings.get(name)})"
        for name, value in given.items()
        if value != settings.get(name)
    ]
    if differences:
        raise RunError(
            f"{path} can only be resumed with the settings it has, not with "
            f"{', '.join(differences)}; leave these out, or start a new run"
        )
