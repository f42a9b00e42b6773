"""Where runs begin: ``start`` a new one, or ``resume`` one exactly where it stopped.

Of several ranks the first does that, and ``lead`` tells the others, which ``follow``.
"""

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn import __version__
from tinycnn.data import Dataset, load_dataset
from tinycnn.errors import DataError, RunError
from tinycnn.files import PathLike
from tinycnn.train import checkpoint
from tinycnn.train.folder import RunFolder
from tinycnn.train.ranks import SingleProcess
from tinycnn.train.recipe import Recipe
from tinycnn.train.run import Follower, Result, Run
from tinycnn.train.state import EpochRecord, State
from tinycnn.train.trainer import Trainer


@dataclass(frozen=True)
class Source:
    """Where a data set came from: the arguments of ``load_dataset``, and what it held."""

    name: str
    data_dir: str | None
    fingerprint: str
    test_fingerprint: str

    @classmethod
    def of(cls, dataset: Dataset, name: str, data_dir: PathLike | None = None) -> "Source":
        """The source of ``dataset``, which was loaded as ``name`` from ``data_dir``."""
        folder = None if data_dir is None else str(Path(data_dir).absolute())
        return cls(name, folder, dataset.fingerprint, dataset.test_fingerprint)

    def is_sound(self) -> bool:
        """Whether it may be the source of data; a file may say anything."""
        return all(isinstance(word, str | None) for word in astuple(self))

    def load(self, data_dir: PathLike | None = None) -> Dataset:
        """The same data again, even if their folder has moved; RunError if they changed."""
        try:
            dataset = load_dataset(self.name, data_dir or self.data_dir)
        except DataError as error:
            if data_dir or not self.data_dir:
                raise
            raise DataError(f"{error}; if the data have moved, say where: `data_dir`") from error
        fingerprints = dataset.fingerprint, dataset.test_fingerprint
        if fingerprints != (self.fingerprint, self.test_fingerprint):
            raise RunError(
                f"the data set {dataset.name} is not the one that this run began with "
                f"({Path(dataset.sources[0]).parent}); name the right folder with `data_dir`"
            )
        return dataset


def start(
    recipe: Recipe,
    dataset: Dataset,
    source: Source,
    folder: RunFolder,
    save_every: int | None = None,
    ranks: SingleProcess | None = None,
) -> Run:
    """A new run in ``folder``, which is released when there can be none."""
    with folder.released_on_failure():
        origin = {"recipe": recipe.as_dict(), "data": asdict(source), "versions": versions()}
        return Run(folder, Trainer(recipe, dataset, ranks), origin, save_every)


def resume(
    folder: RunFolder,
    given: Mapping[str, Any],
    data_dir: PathLike | None = None,
    save_every: int | None = None,
    ranks: SingleProcess | None = None,
) -> tuple[Run, list[str]]:
    """The run in ``folder`` where it stopped, and warnings about it; ``last`` means it now.

    RunError if ``given`` options differ from the run's, or if the data do; the folder is released
    then.
    """
    with folder.released_on_failure():
        saved, warnings = _newest_checkpoint(folder)
        recipe, source = origin_of(saved, folder.path)
        _refuse_differences(folder, {**recipe.as_dict(), "dataset": source.name}, given)
        dataset = source.load(data_dir)
        trainer = Trainer(recipe, dataset, ranks)
        trainer.restore(saved.arrays, saved.state)
        source = Source.of(dataset, source.name, data_dir or source.data_dir)
        run = Run(folder, trainer, {**saved.origin, "data": asdict(source)}, save_every)
        folder.point_last_here()
        return run, [*warnings, *_other_versions(saved)]


def lead(run: Run, ranks: SingleProcess) -> None:
    """Tell the other ranks, which ``follow``, what run this is and how far it is."""
    trainer = run.trainer
    note = {"origin": {**run.origin, "versions": versions()}, "state": asdict(trainer.state)}
    ranks.spread(json.dumps(note).encode())
    ranks.spread(b"".join(z.tobytes() for z in trainer.arrays().values()))
    with ranks.together():
        pass  # the others follow, or all end


def follow(data_dir: PathLike | None, save_every: int | None, ranks: SingleProcess) -> Run | None:
    """The run that rank 0 leads, as far as it is; None if there is nothing to do.

    RunError if this machine has other data, or other versions of what makes the bits.
    """
    message = ranks.spread(b"")
    if not message:
        return None
    note, numbers = json.loads(message), ranks.spread(b"")
    with ranks.together():
        if note["origin"]["versions"] != versions():
            raise RunError(
                f"rank {ranks.rank} ({platform.node()}) has {versions()}, and rank 0 "
                f"{note['origin']['versions']}; install the same everywhere"
            )
        recipe, source = Recipe(**note["origin"]["recipe"]), Source(**note["origin"]["data"])
        trainer = Trainer(recipe, source.load(data_dir), ranks)
        history = [EpochRecord(**record) for record in note["state"].pop("history")]
        arrays, start = {}, 0
        for name, like in trainer.arrays().items():
            part = np.frombuffer(numbers, like.dtype, like.size, start)
            arrays[name], start = part.reshape(like.shape), start + like.nbytes
        trainer.restore(arrays, State(**note["state"], history=history))
    return Follower(trainer, save_every)


def finished(path: PathLike, given: Mapping[str, Any]) -> Result | None:
    """The result of the run in ``path`` if it is complete; RunError if ``given`` options differ."""
    folder = RunFolder(path)
    try:
        result = json.loads(folder.result.read_bytes())
        config = json.loads(folder.config.read_bytes())
        settings = {**config["recipe"], "dataset": config["data"]["name"]}
        result = Result(**{**result, "run_dir": str(folder.path), "weights": str(folder.weights)})
    except (OSError, ValueError, TypeError, LookupError):
        return None
    _refuse_differences(folder, settings, given)
    return result


def source_of(weights: Path) -> Source | None:
    """Where the data are that ``weights`` were trained on; None unless they lie in a run folder."""
    folder = RunFolder(weights.parent)
    try:
        source = Source(**json.loads(folder.config.read_bytes())["data"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None
    return source if weights.name == folder.weights.name and source.is_sound() else None


def versions() -> dict[str, str]:
    """The versions of all that can change the bits of a result."""
    libraries = {name: version(name) for name in ("numpy", "numba", "llvmlite")}
    return {"tinycnn": __version__, "python": platform.python_version(), **libraries}


def _newest_checkpoint(folder: RunFolder) -> tuple[checkpoint.Checkpoint, list[str]]:
    try:
        return checkpoint.read(folder.checkpoint), []
    except RunError as damage:
        try:
            previous = checkpoint.read(folder.previous)
        except RunError as further:
            raise RunError(f"this run cannot be resumed: {damage}, and {further}") from damage
        folder.fall_back()
        return previous, [f"{damage}; going on from the one before it, {folder.previous.name}"]


def origin_of(saved: checkpoint.Checkpoint, path: Path) -> tuple[Recipe, Source]:
    """The recipe and the data of the run in ``path``; RunError if the checkpoint names none."""
    try:
        recipe, source = Recipe(**saved.origin["recipe"]), Source(**saved.origin["data"])
        if not source.is_sound():
            raise TypeError("its data have no name")
        return recipe, source
    except (TypeError, LookupError) as error:
        raise RunError(
            f"the checkpoint in {path} is not one of this version of tinycnn ({error})"
        ) from error


def _refuse_differences(
    folder: RunFolder, settings: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    differences = [
        f"`{name}` {value} (the run has {settings.get(name)})"
        for name, value in given.items()
        if value != settings.get(name)
    ]
    if differences:
        raise RunError(
            f"{folder.path} can only go on with the settings it has, not with "
            f"{', '.join(differences)}; leave these out, or start a new run"
        )


def _other_versions(saved: checkpoint.Checkpoint) -> list[str]:
    before = saved.origin.get("versions")
    before = before if isinstance(before, dict) else {}
    changed = [
        f"{name} {before.get(name)} is now {present}"
        for name, present in versions().items()
        if before.get(name) != present
    ]
    if not changed:
        return []
    return [f"{', '.join(changed)}: the last bits of the weights may differ from before"]
