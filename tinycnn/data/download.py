"""Downloads a named data set: several mirrors, every byte verified, never half a file.

A file is collected in memory, compared with its SHA-256, and only then written, in one step. So
a file in the cache is complete, or was damaged later, which is noticed too: the checksum is
computed again each time the set is loaded.
"""

import hashlib
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pooch
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from tinycnn import __version__
from tinycnn.console import Console
from tinycnn.data.catalogue import NamedSet, OfficialFile
from tinycnn.data.formats import GZIP_MAGIC
from tinycnn.data.idx import looks_like
from tinycnn.errors import DownloadError, EnvironmentFault
from tinycnn.files import sweep_temporaries, user_folder, write_bytes

TIMEOUT = (10.0, 30.0)  # seconds to connect, seconds between two pieces
HEADERS = {"User-Agent": f"tinycnn/{__version__}", "Accept-Encoding": "identity"}
PIECE = 4 * 1024
WINDOW, LEAST = 30.0, 16 * 1024  # a mirror is given up if so many seconds bring fewer bytes
WAY_OUT = (
    "Try again later, or get the four files in another way and name their folder with "
    "`data_dir` or TINYCNN_DATA."
)


def cache_folder(name: str) -> Path:
    """Where the files of a downloaded set are kept: in the user's cache, a folder for each set."""
    return user_folder("cache") / name


def fetch(named: NamedSet) -> Path:
    """The folder with the four files of ``named``, all verified; missing ones are downloaded.

    Needs no network and writes nothing if all files are there. Raises DownloadError if no mirror
    has a file, EnvironmentFault if it cannot be written.
    """
    folder = cache_folder(named.name)
    wanted = [file for file in named.files if not file.is_genuine(folder / file.name)]
    if wanted:
        _make_folder(folder)
        sweep_temporaries(folder)
    with _progress_bars() as bars:
        for file in wanted:
            write_bytes(folder / file.name, _from_any_mirror(named, file, folder, bars))
    return folder


class _RefusedError(Exception):
    """Why one mirror failed; the next one is tried."""


class _Sink:
    """The target of the downloader: memory, limited to the size of the file."""

    def __init__(self, size: int, advance: Callable[[int], None]):
        self.payload = bytearray()
        self.given_up = False
        self._size = size
        self._advance = advance

    def write(self, piece: bytes) -> None:
        if self.given_up:
            raise _RefusedError("was given up")
        self.payload += piece
        self._advance(len(piece))
        if len(self.payload) > self._size:
            raise _RefusedError(f"sent more than {self._size:,} bytes{_guess(self.payload)}")

    def flush(self) -> None:
        """The downloader flushes after every piece; memory needs none."""


def _from_any_mirror(named: NamedSet, file: OfficialFile, folder: Path, bars: Progress) -> bytes:
    """The bytes of ``file`` from the first mirror that has them right."""
    failures = []
    for mirror in named.mirrors:
        url = mirror + file.name
        try:
            return _from_mirror(url, file, bars)
        except _RefusedError as reason:
            failures.append(f"{url} {reason}")
    cached = folder / file.name
    trouble = f"cannot fetch {file.name} of {named.name}"
    if cached.exists():
        trouble = f"the cached file {cached} is damaged (it was left as it is), and {trouble}"
    raise DownloadError(f"{trouble}: {'; '.join(failures)}. {WAY_OUT}")


def _from_mirror(url: str, file: OfficialFile, bars: Progress) -> bytes:
    if bars.disable:
        print(f"fetching {url} ({file.size:,} bytes)", file=sys.stderr)
    bar = bars.add_task(file.name, total=file.size)
    sink = _Sink(file.size, lambda count: bars.advance(bar, count))
    get = pooch.HTTPDownloader(chunk_size=PIECE, timeout=TIMEOUT, headers=HEADERS)
    try:
        _while_it_brings_enough(partial(get, url, sink, pooch=None), sink)
    except OSError as error:  # those of requests, which pooch uses, are OSErrors
        raise _RefusedError(_reason(error)) from error
    finally:
        bars.remove_task(bar)
    payload = bytes(sink.payload)
    if len(payload) < file.size:
        raise _RefusedError(f"sent {len(payload):,} of {file.size:,} bytes{_guess(payload)}")
    if hashlib.sha256(payload).hexdigest() != file.sha256:
        raise _RefusedError(f"sent a file with another SHA-256{_guess(payload)}")
    return payload


def _while_it_brings_enough(get: Callable[[], None], sink: _Sink) -> None:
    """Call ``get`` until the sink has been given too little for too long.

    A server that sends a byte now and then keeps every timeout of the sockets from running out,
    and a read from it need never return: so it runs in a thread, which is left behind.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            get()
        except BaseException as error:  # noqa: BLE001 - it is raised in the caller
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        before = len(sink.payload)
        thread.join(WINDOW)
        if thread.is_alive() and len(sink.payload) - before < LEAST:
            sink.given_up = True
            raise _RefusedError(f"is too slow: less than {LEAST:,} bytes in {WINDOW:g} seconds")
    if raised:
        raise raised.pop()  # nothing else may hold it, or sockets stay open


REASONS = {
    "ConnectTimeout": "stopped answering",
    "Timeout": "stopped answering",
    "ChunkedEncodingError": "broke off",
    "SSLError": "has no valid certificate",
    "ConnectionError": "cannot be reached",
}
"""What the exceptions of requests mean, by the names of their classes."""


def _reason(error: OSError) -> str:
    """Return a short reason in place of the long messages of requests."""
    response = getattr(error, "response", None)
    if type(error).__name__ == "HTTPError" and response is not None:
        return f"answered {response.status_code} {response.reason}"
    if "Read timed out" in str(error):
        return REASONS["Timeout"]
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((REASONS[name] for name in names if name in REASONS), f"failed ({error})")


def _guess(payload: bytes | bytearray) -> str:
    """Nothing for what is gzip at least, else what the bytes look like."""
    return "" if payload.startswith(GZIP_MAGIC) else f"; {looks_like(bytes(payload[:80]))}"


def _progress_bars() -> Progress:
    """Bars on a terminal; elsewhere one line per file is printed instead."""
    console = Console(stderr=True)
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise EnvironmentFault(
            f"cannot make the folder {folder}: {fault.strerror or fault}. {WAY_OUT}"
        ) from fault
