"""Show that kernels are compiled, which takes seconds, once per machine."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from numba.core import event
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tinycnn.kernels.jit import cache_folder

SECOND_PROCESS = "tinycnn:second process"
"""The kind of numba event for waiting while another process compiles."""


@contextlib.contextmanager
def compilation_shown(console: Console) -> Iterator[None]:
    """Show what is compiled inside the ``with``, and nothing if all is compiled already."""
    show = _Spinner(console) if console.is_terminal else _Lines(console)
    with contextlib.ExitStack() as stack:
        stack.callback(show.close)
        for kind in ("numba:compile", SECOND_PROCESS):
            stack.enter_context(event.install_listener(kind, show))
        yield


class _Lines(event.Listener):
    """One line when compilation begins, here or in a second process, and one at the end."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started: float | None = None
        self.ended = 0.0
        self.compiled = 0
        self.announcement = "compiling kernels"

    def on_start(self, event: Any) -> None:
        """Announce a function that is compiled, not one from the cache, or a wait."""
        if self.started is None:
            self.started = time.perf_counter()
            if cache_folder():
                self.announcement += " (first run only)"
            self.open()
        if event.kind == SECOND_PROCESS:
            self.show("waiting for gradients from a second process")
        else:
            self.show(f"now {event.data['dispatcher'].py_func.__name__.lstrip('_')}")

    def on_end(self, event: Any) -> None:
        """Count the function."""
        self.compiled += event.kind != SECOND_PROCESS
        self.ended = time.perf_counter()

    def open(self) -> None:
        self.console.print(f"{self.announcement} ...")

    def show(self, text: str) -> None: ...

    def close(self) -> None:
        if self.started is not None:
            seconds = self.ended - self.started
            here = f" {self.compiled} functions" if self.compiled else ""
            self.console.print(f"compiled{here} in {seconds:.1f} s")


class _Spinner(_Lines):
    """A spinner: which function is compiled, how many are done, for how long."""

    def open(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self.progress = Progress(*columns, console=self.console, transient=True)
        self.task = self.progress.add_task(self.announcement)
        self.progress.start()

    def show(self, text: str) -> None:
        text = f"{self.announcement}: {self.compiled} done, {text}"
        self.progress.update(self.task, description=text)

    def close(self) -> None:
        if self.started is not None:
            self.progress.stop()
        super().close()
