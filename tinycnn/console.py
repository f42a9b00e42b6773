"""The console of rich, safe for text from other people: file names and class names."""

from collections.abc import Iterable
from typing import IO, Any

from rich import console
from rich.segment import Segment

from tinycnn.streams import printable


class Console(console.Console):
    """It controls the terminal, and text cannot: control characters are escaped.

    In a notebook it prints plain lines, as into a file; rich would show each in a box of its own.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"force_jupyter": False, **settings})

    @property
    def file(self) -> IO[str]:
        file = super().file
        return getattr(file, "raw", file)  # ``streams.Output`` would escape the colors

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file

    def render(
        self,
        renderable: console.RenderableType,
        options: console.ConsoleOptions | None = None,
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


def log_console(quiet: bool = False) -> Console:
    """Return the console for progress and warnings, which go to stderr."""
    return Console(stderr=True, quiet=quiet, highlight=False, soft_wrap=True)
