"""Progress of a training: a bar on a terminal, elsewhere one line per epoch."""

import contextlib
import sys
import textwrap
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tinycnn.nn import get_threads
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.state import State
from tinycnn.train.trainer import Trainer


class Watch:
    """Receives the progress of a training. This class ignores it."""

    def compilation(self) -> AbstractContextManager[None]:
        """Return a context for the time in which kernels may be compiled."""
        return contextlib.nullcontext()

    def training(self, trainer: Trainer) -> AbstractContextManager[None]:
        """Return a context for the time in which ``trainer`` trains."""
        return contextlib.nullcontext()

    def batch(self, trainer: Trainer) -> None:
        """Called after every batch."""

    def epoch(self, trainer: Trainer) -> None:
        """Called after every epoch and its validation."""

    def stops(self) -> bool:
        """Return whether training has to stop here; called after every batch."""
        return False


class Lines(Watch):
    """One line per epoch, for logs; the weights of the last line with ``kept`` are kept."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def compilation(self) -> AbstractContextManager[None]:
        return compilation_shown(self.console)

    def epoch(self, trainer: Trainer) -> None:
        record = trainer.state.history[-1]
        kept = "  kept" if trainer.state.best_epoch == record.epoch else ""
        epochs = trainer.recipe.epochs
        self.console.print(  # at most 80 columns, up to 9,999 epochs
            f"epoch {record.epoch:{len(str(epochs))}}/{epochs}  loss {record.loss:.4f}  "
            f"validation {100 * record.validation_accuracy:.2f} %  lr {record.lr:.4f}  "
            f"{record.seconds:.1f} s{kept}",
        )


class Bars(Lines):
    """The same lines, and below them a bar that moves with every batch."""

    @contextlib.contextmanager
    def training(self, trainer: Trainer) -> Iterator[None]:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),  # the rest of the line, 80 columns at worst
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


def introduction(trainer: Trainer, folder: Path) -> Iterator[str]:
    """Yield the lines that describe a run before it begins."""
    recipe, dataset, held = trainer.recipe, trainer.dataset, trainer.validation
    ranks, busy = trainer.ranks.size, trainer.ranks.busy(recipe.batch_size)
    yield (
        f"data   {dataset.name}: {len(trainer.training):,} images to train on, "
        f"{len(held):,} to validate on (numbers {held.start:,} to {held.stop - 1:,}), "
        f"{len(dataset.test_images):,} to test on at the end"
    )
    yield f"images {_augmentation(trainer)}"
    yield f"model  {recipe.preset}, {trainer.model.parameter_count():,} parameters"
    yield (
        f"steps  {recipe.epochs} epochs, batches of {recipe.batch_size}, {recipe.optimizer}, "
        f"{recipe.schedule} up to lr {recipe.lr:g}, seed {recipe.seed}, threads {get_threads()}"
        f"{f' on each of {ranks} ranks' if ranks > 1 else ''}"
    )
    yield f"run    {folder}"
    if busy < ranks:
        yield (
            f"warning: only {busy} of {ranks} ranks have work; larger batches "
            f"(--batch-size {16 * ranks}) would give each its 16 images"
        )
    if trainer.optimizer.steps:
        yield f"resuming {place(trainer)}"


def place(trainer: Trainer) -> str:
    """Return how far training is, in words."""
    state = trainer.state
    if trainer.finished:
        return "after training, before the test"
    if not trainer.optimizer.steps:
        return "before the first batch"
    return (
        f"in epoch {state.epoch} of {trainer.recipe.epochs}, "
        f"after batch {state.batch} of {len(trainer.batches)}"
    )


def kept(state: State) -> str:
    """Return a line that says which weights are kept, and why."""
    best = max(state.history, key=lambda record: (record.validation_accuracy, record.epoch))
    accuracy = f"{100 * best.validation_accuracy:.2f} %"
    if state.best_epoch == best.epoch:
        why = f"the best validation accuracy ({accuracy})"
    else:
        why = (
            "the last within one standard error of the best validation accuracy "
            f"({accuracy}, epoch {best.epoch})"
        )
    return f"kept   weights of epoch {state.best_epoch}, {why}"


def say(console: Console, line: str) -> None:
    """Print a line; on a terminal, wrap it between words."""
    width = console.width if console.is_terminal else sys.maxsize
    indent = " " * len("kept   ")
    text = textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    console.print(text, markup=False)


def _augmentation(trainer: Trainer) -> str:
    """Return how images are augmented, and for how long."""
    recipe, batches = trainer.recipe, trainer.batches
    if recipe.augmented_epochs == recipe.epochs or batches.final_augment is batches.augment:
        return f"augment {recipe.augment} in all epochs"
    return f"augment {recipe.augment} until epoch {recipe.augmented_epochs}, then shown as they are"


def watch_for(console: Console) -> Watch:
    """Return the watch for the place that ``console`` writes to, if it writes at all."""
    if console.quiet:
        return Watch()
    return Bars(console) if console.is_terminal else Lines(console)
