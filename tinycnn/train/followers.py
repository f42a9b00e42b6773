"""Of several ranks, the leader announces its run, and the others follow: they train along."""

import os
import platform
from argparse import Namespace

from tinycnn.errors import RunError
from tinycnn.train.checkpoint import Checkpoint, decode, encode
from tinycnn.train.folder import RunFolder
from tinycnn.train.ranks import SingleProcess
from tinycnn.train.resume import trainer_of, versions
from tinycnn.train.run import Run, use_threads


def announce(run: Run | None, ranks: SingleProcess) -> None:
    """Send a checkpoint of the run to the other ranks; None: there is nothing to do."""
    if ranks.size == 1:
        return
    if run is None:
        ranks.broadcast(b"")
        return
    origin = {**run.origin, "versions": versions()}
    ranks.broadcast(encode(Checkpoint(run.trainer.arrays(), run.trainer.state, origin)))
    with ranks.all_or_none():
        pass  # the others follow, or all end


def follow(arguments: Namespace, ranks: SingleProcess) -> int:
    """Train as another rank than the leader, without printing; return the exit code."""
    with ranks.all_or_none():  # the leader may find that there is nothing to train
        use_threads(ranks.threads if arguments.threads is None else arguments.threads)
    message = ranks.broadcast(b"")
    if not message:
        return 0
    with ranks.all_or_none():
        begun = decode(message, "rank 0")
        if begun.origin["versions"] != versions():
            raise RunError(
                f"rank {ranks.rank} ({platform.node()}) has {versions()}, and rank 0 "
                f"{begun.origin['versions']}; install the same everywhere"
            )
        trainer = trainer_of(begun, "rank 0", arguments.data_dir, ranks)
    run = Run(RunFolder(os.devnull), trainer, begun.origin, arguments.checkpoint_every)
    return 128 + signal if (signal := run.train()) else 0
