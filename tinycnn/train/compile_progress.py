"""Show that kernels are compiled, which takes seconds, once per machine."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from numba.core import event
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

from tinycnn.kernels.jit import cache_folder

SECOND_PROCESS = "tinycnn:second process"
"""The kind of numba event for waiting while another process compiles."""


@contextlib.contextmanager
def compilation_shown(console: Console) -> Iterator[None]:
    """Show what is compiled inside the ``with``, and nothing if all is compiled already."""
    show = _Show(console)
    with contextlib.ExitStack() as stack:
        stack.callback(show.close)
        for kind in ("numba:compile", SECOND_PROCESS):
            stack.enter_context(event.install_listener(kind, show))
        yield


class _Show(event.Listener):
    """A spinner on a terminal, elsewhere one line when compilation begins; one line at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started: float | None = None
        self._compiled = 0

    def on_start(self, event: Any) -> None:
        """Announce a function that is compiled, not one from the cache, or a wait."""
        if self._started is None:
            self._started = time.perf_counter()
            self._title = "compiling kernels" + (" (first run only)" if cache_folder() else "")
            self._spinner = Spinner("dots", self._title)
            self._live = Live(self._spinner, console=self._console, transient=True)
            if self._console.is_terminal:
                self._live.start()
            else:
                self._console.print(f"{self._title} ...")
        if event.kind == SECOND_PROCESS:
            doing = "waiting for gradients from a second process"
        else:
            doing = f"now {event.data['dispatcher'].py_func.__name__.lstrip('_')}"
        self._spinner.update(text=f"{self._title}: {self._compiled} done, {doing}")
        if self._live.is_started:
            self._live.refresh()

    def on_end(self, event: Any) -> None:
        """Count the function."""
        self._compiled += event.kind != SECOND_PROCESS
        self._ended = time.perf_counter()

    def close(self) -> None:
        """Say how long it took, if anything was compiled."""
        if self._started is not None:
            self._live.stop()
            here = f" {self._compiled} functions" if self._compiled else ""
            self._console.print(f"compiled{here} in {self._ended - self._started:.1f} s")
