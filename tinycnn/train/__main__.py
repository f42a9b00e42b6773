"""``python -m tinycnn.train`` trains a network: the arguments."""

import os
from argparse import Namespace
from collections.abc import Sequence

from tinycnn.cli import Parser, add_dataset, add_network, run_command
from tinycnn.errors import EnvironmentFault, RunError, need
from tinycnn.signals import StopSignals
from tinycnn.train.ranks import SingleProcess

EXAMPLES = """\
examples:
  python -m tinycnn.train                          the bundled digits, a good network
  python -m tinycnn.train --dataset mnist          all of MNIST, downloaded once
  python -m tinycnn.train --data-dir X             data of your own: see docs/data.md
  python -m tinycnn.train --resume last            resume after Ctrl-C, or with more --epochs
  python -m tinycnn.train --weights default --data-dir DIR --lr 0.001   fine-tune on your digits
  python -m tinycnn.train --layers "Conv2D(16,3) ReLU MaxPool2D(2) Flatten Dense(10)"
  python -m tinycnn.train --network FILE.py        your own network
  mpiexec -n 4 python -m tinycnn.train             four processes, on one machine or many
"""

SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")
"""Variables in which Open MPI, MPICH (Intel MPI, too) and Slurm put the number of processes."""

parser = Parser(
    prog="python -m tinycnn.train",
    description="Train a network on a data set and test it.",
    epilog=EXAMPLES,
)
# These decide the weights; recipe.resolve chooses the values that are not given.
data = parser.add_argument_group("data")
add_dataset(data)
data.add_argument("--limit", metavar="N", type=int, help="only the first N training images")
data.add_argument("--validation", metavar="X", type=float, help="share kept apart (0.1)")
data.add_argument("--augment", metavar="HOW", help="none, light, mild, strong, drawings, rows")
steps = parser.add_argument_group("network and steps")
preset = steps.add_mutually_exclusive_group()
preset.add_argument(
    "--preset", metavar="NAME", help="lenet, normed, tiny, best, sprint, dense, lenet5"
)
preset.add_argument("--layers", dest="preset", metavar="TEXT", help="or its layers, as text")
add_network(steps, "or FILE.py[:function] of yours, from the number of classes to its layers")
steps.add_argument("--weights", metavar="WEIGHTS", help="or a trained one, to be fine-tuned")
steps.add_argument("--epochs", metavar="N", type=int, help="passes through all images (10)")
steps.add_argument("--batch-size", metavar="N", type=int, help="images per step (by data size)")
steps.add_argument("--lr", metavar="X", type=float, help="highest learning rate (by data size)")
steps.add_argument("--optimizer", metavar="NAME", help="sgd (default) or adam")
steps.add_argument("--schedule", metavar="NAME", help="one-cycle (default), cosine, constant")
steps.add_argument("--momentum", metavar="X", type=float, help="of sgd (0.9)")
steps.add_argument("--weight-decay", metavar="X", type=float, help="(0)")
steps.add_argument("--average", metavar="X", type=float, help="of the weights, as 0.999 (0)")
steps.add_argument("--seed", metavar="N", type=int, help="equal seeds, equal weights (0)")
# These change no bit of the weights.
run = parser.add_argument_group("the run")
run.add_argument("--threads", metavar="N", type=int, help="all processors by default")
run.add_argument("--run-dir", metavar="DIR", help="a new folder (runs/DATE-...)")
run.add_argument("--resume", metavar="RUN", help="a run folder, or: last")
run.add_argument("--checkpoint-every", metavar="N", type=int, help="batches (every 10 s)")
run.add_argument(
    "--json",
    nargs="?",
    const="result",
    choices=("result", "events"),
    help="print the result as one JSON object; events: another one after each epoch",
)
run.add_argument(
    "--log",
    action="append",
    default=[],
    choices=("tensorboard", "wandb", "mlflow"),
    help="send the numbers of every epoch there as well",
)
run.add_argument("--quiet", action="store_true", help="no progress")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, train and print; return the exit code."""
    with StopSignals():  # from here on, SIGTERM cleans up as Ctrl-C does
        ranks = find_ranks()
        with ranks.all_or_none():
            arguments = parser.parse_args(argv)
            _check_run_options(arguments)

            from tinycnn.train import command

        run = command.begin(arguments, ranks)
        if not ranks.is_leader:
            return 128 + signal if (signal := run.train()) else 0
        with run, command.resumable(run, arguments):
            if signal := run.train(command.callbacks(run, arguments), arguments.quiet):
                command.say_how_to_resume(run, arguments)
                return 128 + signal
            command.report(run.finish(), arguments)
    return 0


def find_ranks() -> SingleProcess:
    """Return the ranks that a launcher like ``mpiexec`` started together with this process.

    Raises EnvironmentFault if MPI does not see as many of them: each would train alone.
    """
    size = next((os.environ[name] for name in SIZES if name in os.environ), "1")
    if size == "1":
        return SingleProcess()
    try:
        from tinycnn.train.mpi import MpiGroup
    except (ImportError, RuntimeError) as error:  # no mpi4py, or no MPI for it to load
        raise EnvironmentFault(
            f"a launcher of MPI has started this, but Python finds no MPI ({error}); "
            "python -m pip install mpi4py installs it"
        ) from error
    ranks = MpiGroup()
    if size != str(ranks.size):
        raise EnvironmentFault(
            f"mpiexec has started {size} processes, and mpi4py sees {ranks.size}: they belong "
            "to different MPIs; start it with the mpiexec of the one that mpi4py uses"
        )
    return ranks


def _check_run_options(arguments: Namespace) -> None:
    if arguments.resume is not None and arguments.run_dir is not None:
        raise RunError("--run-dir is for new runs; --resume names the folder to continue in")
    if arguments.resume is not None and arguments.weights is not None:
        raise RunError("--weights is for new runs; a run that is resumed has its own")
    own = arguments.network and arguments.network.network
    if sum(map(bool, (arguments.preset, own, arguments.weights))) > 1:
        raise RunError("--preset, --layers, --network and --weights name the network; give one")
    for package in arguments.log:
        need(package, package, f"--log {package}")
    every = arguments.checkpoint_every
    if every is not None and every < 1:
        raise RunError(f"--checkpoint-every must be a number of batches from 1 on, not {every}")


if __name__ == "__main__":
    raise SystemExit(run_command(main))
