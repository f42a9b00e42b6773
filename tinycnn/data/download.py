"""Downloads a named data set: several mirrors, every byte verified, never half a file.

pooch downloads to a temporary file, compares its checksum, and only then gives it its name. So a
file in the cache is complete, or was damaged later, which is noticed too: the checksum is computed
again each time the set is loaded.
"""

import sys

import pooch
from rich.progress import Progress

from tinycnn import __version__
from tinycnn.console import Console
from tinycnn.data.catalogue import NamedSet, OfficialFile
from tinycnn.errors import DataError, DownloadError, EnvironmentFault

TIMEOUT = (10.0, 30.0)  # seconds to connect, seconds between two pieces
HEADERS = {"User-Agent": f"tinycnn/{__version__}", "Accept-Encoding": "identity"}
PIECE = 16 * 1024
WAY_OUT = "Try again later, or name a folder that has the files with `data_dir` or TINYCNN_DATA."


def fetch(named: NamedSet) -> None:
    """Download the files of ``named`` that are missing or damaged.

    Raises DownloadError if no mirror has a file, EnvironmentFault if it cannot be written.
    """
    pooch.get_logger().setLevel("WARNING")
    console = Console(stderr=True)  # elsewhere one line per file is printed instead
    console.quiet = not console.is_terminal
    try:
        named.folder.mkdir(parents=True, exist_ok=True)
        with Progress(console=console, transient=True, disable=console.quiet) as bars:
            for file in named.missing():
                if named.bundled:
                    path = named.folder / file.name
                    raise DataError(f"{path} is missing or damaged; install tinycnn again")
                _fetch_file(named, file, bars)
    except DownloadError:
        raise
    except OSError as fault:
        what = f"{named.folder} cannot hold {named.name}: {fault.strerror or fault}"
        raise EnvironmentFault(f"{what}. {WAY_OUT}") from fault


class _Bar:
    """What the downloader calls after each piece, and at the end."""

    def __init__(self, bars: Progress, file: OfficialFile):
        self._bars, self._file = bars, file
        self._bar = bars.add_task(file.name, total=file.size)

    def update(self, count: int) -> None:
        self._bars.advance(self._bar, count)
        if self._bars.tasks[-1].completed > self._file.size + PIECE:
            raise ValueError("it is too long, and perhaps endless")

    def reset(self) -> None:
        self._bars.reset(self._bar)

    def close(self) -> None:
        self._bars.remove_task(self._bar)


def _fetch_file(named: NamedSet, file: OfficialFile, bars: Progress) -> None:
    """Download ``file`` from the first mirror that has it right."""
    failures = []
    for mirror in named.mirrors:
        url = mirror + file.name
        if bars.disable:
            print(f"fetching {url} ({file.size:,} bytes)", file=sys.stderr)
        bar = _Bar(bars, file)
        get = pooch.HTTPDownloader(bar, PIECE, timeout=TIMEOUT, headers=HEADERS)
        unzip = pooch.Unzip([*named.members], ".") if named.members else None
        try:
            pooch.retrieve(url, file.sha256, file.name, named.folder, unzip, get)
            return
        except (OSError, ValueError) as error:  # those of requests, which pooch uses, are OSErrors
            if getattr(error, "errno", None):
                raise
            failures.append(f"{url} {_reason(error)}")
    what = f"cannot fetch {file.name} of {named.name}, which is missing or damaged"
    raise DownloadError(f"{what}: {'; '.join(failures)}. {WAY_OUT}")


def _reason(error: Exception) -> str:
    """Return a short reason in place of the long messages of requests."""
    if (response := getattr(error, "response", None)) is not None:
        return f"answered {response.status_code} {response.reason}"
    if isinstance(error, ValueError):
        return "sent another file, perhaps the page of a proxy or a login"
    if "timed out" in str(error):
        return "stopped answering"
    reasons = {"ChunkedEncodingError": "broke off", "SSLError": "has no valid certificate"}
    return reasons.get(type(error).__name__, "cannot be reached")
