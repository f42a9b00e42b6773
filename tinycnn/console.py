"""The console of rich, for text that may be a stranger's."""

from collections.abc import Iterable
from typing import IO

from rich import console
from rich.segment import Segment

from tinycnn.streams import printable


class Console(console.Console):
    """Steers the terminal, but lets no text do so."""

    @property
    def file(self) -> IO[str]:
        """The stream below ``streams.Clean``, which would take colors for a stranger's."""
        file = super().file
        return getattr(file, "rich_proxied_file", file)

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
