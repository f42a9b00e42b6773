"""Of several ranks, the leader announces its run, and the others follow: they train along."""

import json
import os
import platform
from argparse import Namespace
from dataclasses import asdict
from typing import Any

import numpy as np

from tinycnn.errors import RunError
from tinycnn.train.folder import RunFolder
from tinycnn.train.ranks import SingleProcess
from tinycnn.train.recipe import Recipe
from tinycnn.train.resume import Source, versions
from tinycnn.train.run import Run, use_threads
from tinycnn.train.state import EpochRecord, State
from tinycnn.train.trainer import Trainer


def announce(run: Run | None, ranks: SingleProcess) -> None:
    """Tell the other ranks which run they follow, and how far it is; None: nothing is to do."""
    if ranks.size == 1:
        return
    if run is None:
        ranks.broadcast(b"")
        return
    trainer = run.trainer
    note = {"origin": {**run.origin, "versions": versions()}, "state": asdict(trainer.state)}
    ranks.broadcast(json.dumps(note).encode())
    ranks.broadcast(b"".join(z.tobytes() for z in trainer.arrays().values()))
    with ranks.all_or_none():
        pass  # the others follow, or all end


def follow(arguments: Namespace, ranks: SingleProcess) -> int:
    """Train as another rank than the leader, without printing; return the exit code."""
    with ranks.all_or_none():  # the leader may find that there is nothing to train
        use_threads(ranks.threads if arguments.threads is None else arguments.threads)
    message = ranks.broadcast(b"")
    if not message:
        return 0
    note, numbers = json.loads(message), ranks.broadcast(b"")
    with ranks.all_or_none():
        trainer = _trainer_like(note, numbers, arguments.data_dir, ranks)
    run = Run(RunFolder(os.devnull), trainer, note["origin"], arguments.checkpoint_every)
    return 128 + signal if (signal := run.train()) else 0


def _trainer_like(
    note: dict[str, Any], numbers: bytes, data_dir: str | None, ranks: SingleProcess
) -> Trainer:
    """Return the trainer of the leader; RunError if this machine has other data or versions."""
    origin, state = note["origin"], note["state"]
    if origin["versions"] != versions():
        raise RunError(
            f"rank {ranks.rank} ({platform.node()}) has {versions()}, and rank 0 "
            f"{origin['versions']}; install the same everywhere"
        )
    trainer = Trainer(Recipe(**origin["recipe"]), Source(**origin["data"]).load(data_dir), ranks)
    history = [EpochRecord(**record) for record in state.pop("history")]
    arrays, start = {}, 0
    for name, like in trainer.arrays().items():
        part = np.frombuffer(numbers, like.dtype, like.size, start)
        arrays[name], start = part.reshape(like.shape), start + like.nbytes
    trainer.restore(arrays, State(**state, history=history))
    return trainer
