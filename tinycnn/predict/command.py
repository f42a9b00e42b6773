"""Read the files that the arguments name, one after the other, and print each result at once."""

import csv
import io
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from rich.progress import track

from tinycnn.cli import print_error
from tinycnn.console import log_console
from tinycnn.errors import ImageError, TinyCNNError
from tinycnn.files import refuse_to_overwrite, to_json, write_bytes
from tinycnn.ink import Drawing, Reading, Recognizer
from tinycnn.ink.pictures import MOST_BYTES, read_file
from tinycnn.ink.results import CERTAIN, as_record, draw_trace, percent
from tinycnn.nn import Sequential
from tinycnn.predict.sources import MOST_ROWS, Item, one_input, read_items
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.folder import find_weights

STDIN = "-"
MANY = 20  # files: from here on, a terminal shows the progress
COLUMNS = ("file", "index", "text", "confidence", "error")  # of a table


def run(arguments: Namespace) -> int:
    """Read every file; return 1 if one cannot be read, else 0."""
    if not arguments.files and not arguments.strokes:
        raise TinyCNNError("name a picture, an IDX file or a stroke file; --help shows how")
    weights = find_weights(arguments.weights)
    folders = (_in_folder(file, arguments.recursive) for file in arguments.files)
    arguments.files = [name for folder in folders for name in folder]
    inputs = [weights, *(0 if f == STDIN else f for f in arguments.files + arguments.strokes)]
    refuse_to_overwrite([arguments.boxes, arguments.steps, arguments.csv], inputs)
    recognizer = Recognizer.of(Sequential.load(weights))
    table: list[dict[str, Any]] = []
    try:
        return 0 if _read_all(arguments, inputs, recognizer, table) else 1
    finally:  # an interrupt keeps what was read so far
        if arguments.csv:
            sheet = io.StringIO(newline="")  # in which several lines of digits are one cell
            writer = csv.DictWriter(sheet, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(table)
            write_bytes(arguments.csv, sheet.getvalue().encode(errors="backslashreplace"))


def _read_all(
    arguments: Namespace, inputs: list[Any], recognizer: Recognizer, table: list[dict[str, Any]]
) -> bool:
    """Read and report every item, and add it to the table; return whether all could be read."""
    rows: list[Any] = []
    all_read = True
    with compilation_shown(log_console()):
        for number, item in enumerate(_items(arguments, recognizer)):
            all_read &= _report(item, arguments)
            table += [_as_dict(item)] if arguments.csv else []
            if arguments.boxes and (page := item.framed()):
                stem = f"{arguments.boxes.stem}-{number + 1}" if number else arguments.boxes.stem
                path = arguments.boxes.with_stem(stem)
                refuse_to_overwrite([path], inputs)
                _write_png(path, page)
            if arguments.steps:
                rows += item.trace(MOST_ROWS - len(rows))
    if arguments.steps:
        _write_png(arguments.steps, draw_trace(rows))
    return all_read


def _items(arguments: Namespace, recognizer: Recognizer) -> Iterator[Item]:
    """Yield the items of all files, in the order of the command line."""
    named = [(file, False) for file in arguments.files]
    named += [(file, True) for file in arguments.strokes]
    many = len(named) >= MANY and sys.stderr.isatty()
    for file, strokes in track(named, "reading", console=log_console(), disable=not many):
        name = "standard input" if file == STDIN else file
        try:
            with one_input():
                payload = _payload(file)
        except ImageError as error:
            yield Item(name, error=str(error), cause=error)
        else:
            single = arguments.single
            yield from read_items(name, payload, recognizer, strokes=strokes, single=single)


def _in_folder(file: str, recursive: bool) -> list[str]:
    """Return the files in a folder, by name, without hidden ones; or the file itself."""
    if file == STDIN or not Path(file).is_dir():
        return [file]
    found = Path(file).rglob("*") if recursive else Path(file).iterdir()
    return sorted(str(p) for p in found if p.is_file() and not p.name.startswith(".")) or [file]


def _payload(file: str) -> bytes:
    if file != STDIN:
        if Path(file).is_dir():
            raise ImageError("there is no file in this folder; --recursive looks below it")
        return read_file(file)
    payload = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(payload) > MOST_BYTES:
        raise ImageError(f"it is longer than {MOST_BYTES // 2**20} MB")
    return payload


def _report(item: Item, arguments: Namespace) -> bool:
    """Print an item; return False if there was nothing to read."""
    fault = item.error
    if item.reading is not None and not item.reading.inked:
        fault = "there is no ink in it, or it is too faint"
    if fault:
        print_error(item.name, fault, item.cause)
    if item.note:
        print(f"{item.file}: {item.note}", file=sys.stderr)
    if arguments.json:
        print(to_json(_as_dict(item)))
    elif item.reading and not fault:
        print(f"{item.name}: {_sentence(item.reading)}")
    return not fault


def _as_dict(item: Item) -> dict[str, Any]:
    label = item.page.label if isinstance(item.page, Drawing) else None
    record = {"file": item.file, "index": item.index, "label": label}
    record |= as_record(item.reading) if item.reading else {"error": item.error}
    record["note"] = item.note
    return {key: value for key, value in record.items() if value is not None}


def _sentence(reading: Reading) -> str:
    """Return the number that was read, and the confidence of each of its digits."""
    if not reading.digits:
        return "there is ink, but no digit"
    parts = []
    for digit in reading.digits:
        part = f"{digit.name} {percent(digit.confidence)}"
        if digit.rejected:
            part += ", perhaps no digit"
        elif digit.confidence < CERTAIN:
            part += f" or {digit.second[0]}"
        parts.append(part)
    left_out = sum(not mark.read for mark in reading.marks)
    if left_out:
        parts.append(f"{left_out} {'mark' if left_out == 1 else 'marks'} left out")
    if reading.doubtful:
        parts.append("unsure: most of it is no digit")
    return f"{' / '.join(reading.text.splitlines())}  ({'; '.join(parts)})"


def _write_png(path: Path, image: Image.Image) -> None:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    write_bytes(path, buffer.getvalue())
