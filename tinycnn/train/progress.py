"""What a training says of itself: before it begins, while it runs, and where it stops."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rich import progress
from rich.console import Console

from tinycnn.console import log_console
from tinycnn.nn import get_threads
from tinycnn.train.callbacks import Callback
from tinycnn.train.state import State
from tinycnn.train.trainer import Trainer


class Progress(Callback):
    """A line per epoch, marked if its weights are kept so far; on a terminal also a bar."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or log_console()

    @contextlib.contextmanager
    def training(self, trainer: Trainer) -> Iterator[None]:
        bar = progress.Progress(
            "{task.description}",
            progress.BarColumn(bar_width=None),  # the rest of the line, 80 columns at worst
            "{task.fields[facts]}",
            progress.TimeRemainingColumn(),
            "left",
            console=self.console,
            transient=True,
            expand=True,
            disable=not self.console.is_terminal or self.console.quiet,
        )
        with bar as self._bar:
            self._task = self._bar.add_task("", total=trainer.steps, facts="")
            yield
        if trainer.finished:
            say(self.console, kept(trainer.state))

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

    def epoch(self, trainer: Trainer) -> None:
        record = trainer.state.history[-1]
        kept = "  kept" if trainer.state.best_epoch == record.epoch else ""
        epochs = trainer.recipe.epochs
        self.console.print(  # at most 80 columns, up to 9,999 epochs
            f"epoch {record.epoch:{len(str(epochs))}}/{epochs}  loss {record.loss:.4f}  "
            f"validation {100 * record.validation_accuracy:.2f} %  lr {record.lr:.4f}  "
            f"{record.seconds:.1f} s{kept}",
        )


def introduction(trainer: Trainer, folder: Path) -> Iterator[str]:
    """Yield the lines that describe a run before it begins."""
    recipe, dataset, held = trainer.recipe, trainer.dataset, trainer.validation
    batches, ranks, last = trainer.batches, trainer.ranks.size, recipe.augmented_epochs
    in_all = last == recipe.epochs or batches.final_augment is batches.augment
    yield (
        f"data   {dataset.name}: {len(trainer.training):,} images to train on, "
        f"{len(held):,} to validate on (numbers {held.start:,} to {held.stop - 1:,}), "
        f"{len(dataset.test_images):,} to test on at the end"
    )
    until = "in all epochs" if in_all else f"until epoch {last}, then shown as they are"
    yield f"images augment {recipe.augment} {until}"
    yield f"model  {recipe.preset}, {trainer.model.parameter_count():,} parameters"
    yield (
        f"steps  {recipe.epochs} epochs, batches of {recipe.batch_size}, {recipe.optimizer}, "
        f"{recipe.schedule} up to lr {recipe.lr:g}, seed {recipe.seed}, threads {get_threads()}"
        f"{f' on each of {ranks} ranks' if ranks > 1 else ''}"
    )
    yield f"run    {folder}"
    if trainer.optimizer.steps:
        yield f"resuming {place(trainer)}"


def place(trainer: Trainer) -> str:
    """Return how far training is, in words."""
    state = trainer.state
    if trainer.finished:
        return "after training, before the test"
    return f"in epoch {state.epoch} of {trainer.recipe.epochs}, after {state.batch} of its batches"


def kept(state: State) -> str:
    """Return a line that says which weights are kept, and why."""
    best = max(state.history, key=lambda record: (record.validation_accuracy, record.epoch))
    within = "" if state.best_epoch == best.epoch else "the last within one standard error of "
    return (
        f"kept   weights of epoch {state.best_epoch}, {within}the best validation accuracy "
        f"({100 * best.validation_accuracy:.2f} %, epoch {best.epoch})"
    )


def say(console: Console, line: str) -> None:
    """Print a line; on a terminal, break it between words."""
    console.print(line, markup=False, soft_wrap=not console.is_terminal)
