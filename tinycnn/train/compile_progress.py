"""Show that kernels are compiled, which takes seconds, once per machine."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from numba.core import event
from rich.console import Console
from rich.live import Live

from tinycnn.kernels.jit import cache_folder


@contextlib.contextmanager
def compilation_shown(console: Console) -> Iterator[None]:
    """Show what is compiled inside the ``with``, and nothing if all is compiled already."""
    with contextlib.ExitStack() as stack:
        show = _Show(console, stack)
        stack.enter_context(event.install_listener("numba:compile", show))
        yield


class _Show(event.Listener):
    """A line on a terminal, elsewhere one when compilation begins; one at the end."""

    def __init__(self, console: Console, stack: contextlib.ExitStack) -> None:
        self._console, self._stack = console, stack
        self._live = Live(console=console, transient=True, auto_refresh=False)
        self._title = "compiling kernels" + (" (first run only)" if cache_folder() else "")
        self._started: float | None = None

    def on_start(self, event: Any) -> None:
        """Announce a function that is compiled, not one from the cache."""
        if self._started is None:
            self._started = time.perf_counter()
            self._stack.callback(self._end)
            if self._console.is_terminal:
                self._live.start()
            else:
                self._console.print(f"{self._title} ...")
        if self._live.is_started:
            doing = event.data["dispatcher"].py_func.__name__.lstrip("_")
            self._live.update(f"{self._title}: {doing}", refresh=True)

    def on_end(self, event: Any) -> None:
        """Nothing is shown at the end of a function."""

    def _end(self) -> None:
        self._live.stop()
        self._console.print(f"compiled in {time.perf_counter() - (self._started or 0):.1f} s")
