"""What a person sees while training: a bar on a terminal, elsewhere one line an epoch."""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tinycnn.runs.compiling import compilation_shown
from tinycnn.runs.training import Trainer


class Watch:
    """Is told how training goes. This one says nothing."""

    def compilation(self) -> AbstractContextManager:
        """Entered while kernels may have to be compiled."""
        return contextlib.nullcontext()

    def training(self, trainer: Trainer) -> AbstractContextManager:
        """Entered while ``trainer`` trains."""
        return contextlib.nullcontext()

    def batch(self, trainer: Trainer) -> None:
        """A batch is done."""

    def epoch(self, trainer: Trainer) -> None:
        """An epoch is done, validation included."""

    def stops(self) -> bool:
        """Whether training is to stop here; asked after every batch."""
        return False


class Lines(Watch):
    """One line an epoch, for logs."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def compilation(self) -> AbstractContextManager:
        return compilation_shown(self.console)

    def epoch(self, trainer: Trainer) -> None:
        record = trainer.state.history[-1]
        best = "  best" if trainer.state.best_epoch == record.epoch else ""
        epochs = trainer.recipe.epochs
        self.console.print(
            f"epoch {record.epoch:{len(str(epochs))}}/{epochs}  loss {record.loss:.4f}  "
            f"validation {100 * record.validation_accuracy:.2f} %  lr {record.lr:.4f}  "
            f"{record.images_per_second:,.0f} images/s  {record.seconds:.1f} s{best}",
        )


class Bars(Lines):
    """The same lines, and below them a bar that moves with every batch."""

    @contextlib.contextmanager
    def training(self, trainer: Trainer) -> Iterator[None]:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),  # what the words leave of the line, 80 columns at worst
            TextColumn("{task.fields[facts]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        with Progress(*columns, console=self.console, transient=True, expand=True) as self._bar:
            self._task = self._bar.add_task("", total=trainer.steps, facts="")
            yield

    def batch(self, trainer: Trainer) -> None:
        state = trainer.state
        facts = [f"loss {state.loss_sum / state.images:.3f}"]
        if state.history:
            facts.append(f"validation {100 * state.history[-1].validation_accuracy:.1f} %")
        facts.append(f"{state.images / state.epoch_seconds:,.0f} images/s")
        self._bar.update(
            self._task,
            description=f"epoch {state.epoch}/{trainer.recipe.epochs}",
            completed=trainer.optimizer.steps,
            facts="  ".join(facts),
        )


def watch_for(console: Console) -> Watch:
    """The watch that suits where ``console`` writes to, if it writes at all."""
    if console.quiet:
        return Watch()
    return Bars(console) if console.is_terminal else Lines(console)
