"""Compiling kernels takes seconds, once; whoever waits is told so and sees it go on."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from numba.core import event
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tinycnn.nn.kernels.compile import CACHE_FOLDER

ANNOUNCEMENT = "compiling kernels (first run only)" if CACHE_FOLDER else "compiling kernels"


@contextlib.contextmanager
def compilation_shown(console: Console) -> Iterator[None]:
    """Show what is compiled inside the ``with``, and nothing if all is compiled already."""
    show = _Spinner(console) if console.is_terminal else _Lines(console)
    with event.install_listener("numba:compile", show):
        try:
            yield
        finally:
            show.close()


class _Lines(event.Listener):
    """One line when the first function is compiled, and one at the end."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started: float | None = None
        self.ended = 0.0
        self.compiled = 0

    def on_start(self, event: Any) -> None:
        """Called by numba before it compiles a function, never for one from the cache."""
        if self.started is None:
            self.started = time.perf_counter()
            self.open()
        self.show(event.data["dispatcher"].py_func.__name__.lstrip("_"))

    def on_end(self, event: Any) -> None:
        """Called by numba afterwards."""
        self.compiled += 1
        self.ended = time.perf_counter()

    def open(self) -> None:
        self.console.print(f"{ANNOUNCEMENT} ...")

    def show(self, name: str) -> None: ...

    def close(self) -> None:
        if self.started is not None:
            seconds = self.ended - self.started
            self.console.print(f"compiled {self.compiled} functions in {seconds:.1f} s")


class _Spinner(_Lines):
    """A line that moves: which function, how many are done, for how long."""

    def open(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self.progress = Progress(*columns, console=self.console, transient=True)
        self.task = self.progress.add_task(ANNOUNCEMENT)
        self.progress.start()

    def show(self, name: str) -> None:
        text = f"{ANNOUNCEMENT}: {self.compiled} done, now {name}"
        self.progress.update(self.task, description=text)

    def close(self) -> None:
        if self.started is not None:
            self.progress.stop()
        super().close()
