"""Callbacks follow a training: progress bars, logs, or a reason of your own to stop it."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinycnn.files import PathLike, to_json

if TYPE_CHECKING:
    from tinycnn.train.trainer import Trainer


class Callback:
    """Receives the progress of a training; what it does not define, it ignores.

    ``trainer.state.history`` holds a record per epoch, ``trainer.model`` is the network, and
    ``trainer.recipe`` holds the settings.
    """

    def training(self, trainer: "Trainer") -> AbstractContextManager[None]:
        """Return a context for the time in which ``trainer`` trains."""
        return contextlib.nullcontext()

    def batch(self, trainer: "Trainer") -> bool | None:
        """Called after every batch; training stops here if it returns True."""

    def epoch(self, trainer: "Trainer") -> None:
        """Called after every epoch and its validation."""


class Callbacks(Callback):
    """Several callbacks as one."""

    def __init__(self, callbacks: Iterable[Callback]) -> None:
        self._all = list(callbacks)

    @contextlib.contextmanager
    def training(self, trainer: "Trainer") -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for callback in self._all:
                stack.enter_context(callback.training(trainer))
            yield

    def batch(self, trainer: "Trainer") -> bool:
        stops = [callback.batch(trainer) for callback in self._all]  # each is asked
        return any(stops)

    def epoch(self, trainer: "Trainer") -> None:
        for callback in self._all:
            callback.epoch(trainer)


class Events(Callback):
    """One JSON object per epoch on standard output, for programs."""

    def epoch(self, trainer: "Trainer") -> None:
        print(to_json({"event": "epoch", **asdict(trainer.state.history[-1])}), flush=True)


class _Log(Callback):
    """Sends the numbers of every epoch to another program."""

    log: Callable[[dict[str, float], int], object]

    def epoch(self, trainer: "Trainer") -> None:
        numbers = asdict(trainer.state.history[-1])
        epoch = numbers.pop("epoch")
        self.log(numbers, epoch)


class TensorBoard(_Log):
    """Curves for ``tensorboard --logdir FOLDER``."""

    def __init__(self, folder: PathLike = "runs/tensorboard") -> None:
        from tensorboard.summary import Writer

        self._writer = Writer(str(folder))

    def log(self, numbers: dict[str, float], step: int) -> None:
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()


class WandB(_Log):
    """Curves in Weights & Biases; ``settings`` are those of ``wandb.init``."""

    def __init__(self, **settings: Any) -> None:
        import wandb

        self.log = wandb.init(**settings).log


class MLflow(_Log):
    """Curves in MLflow's active run, or in a new one."""

    def __init__(self) -> None:
        import mlflow

        self.log = mlflow.log_metrics


LOGS: dict[str, Callable[["Trainer", Path], Callback]] = {
    "tensorboard": lambda trainer, folder: TensorBoard(folder / "tensorboard"),
    "wandb": lambda trainer, folder: WandB(project="tinycnn", config=asdict(trainer.recipe)),
    "mlflow": lambda trainer, folder: MLflow(),
}
"""What ``--log`` of the command may name."""
