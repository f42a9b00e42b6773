"""The command to reading: ``python -m tinycnn.predict FILES`` says which digits are in them.

Only arguments, files and printing; the work is done in ``tinycnn.ink``.
"""

import argparse
import io
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from tinycnn.cli import Parser, run_command
from tinycnn.errors import ImageError, TinyCNNError
from tinycnn.files import refuse_to_overwrite, to_json, write_bytes

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for the compiler
    from PIL import Image

    from tinycnn.ink import Reading, Recognizer
    from tinycnn.predict.sources import Item

EXAMPLES = """\
examples:
  python -m tinycnn.predict photo.jpg scan.png           read pictures
  python -m tinycnn.predict photo.jpg --boxes seen.png   see what was found where
  python -m tinycnn.predict --strokes drawings.jsonl     read drawings, one a line
  cat photo.jpg | python -m tinycnn.predict - --json     for machines
"""

STDIN = "-"
SURE = 0.9  # below, people are told the second guess too


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, read, report; returns the exit code, 1 if anything could not be read."""
    arguments = _parser().parse_args(argv)
    if not arguments.files and not arguments.strokes:
        raise TinyCNNError("name a picture, an IDX file or a stroke file; --help shows how")

    from tinycnn.console import Console
    from tinycnn.ink import Recognizer, draw_trace
    from tinycnn.nn import Sequential
    from tinycnn.predict.sources import MOST_ROWS
    from tinycnn.train.compile_progress import compilation_shown
    from tinycnn.train.folder import find_weights

    weights = find_weights(arguments.weights)
    inputs = [weights, *(0 if f == STDIN else f for f in arguments.files + arguments.strokes)]
    refuse_to_overwrite(filter(None, (arguments.boxes, arguments.steps)), inputs)
    recognizer = Recognizer.of(Sequential.load(weights))
    rows: list[Any] = []
    everything_read = True
    with compilation_shown(Console(stderr=True, highlight=False, soft_wrap=True)):
        for number, item in enumerate(_items(arguments, recognizer)):
            everything_read &= _report(item, arguments)
            if arguments.boxes and item.framed:
                path = _numbered(arguments.boxes, number)
                refuse_to_overwrite([path], inputs)
                everything_read &= _write_page(path, item.name, item.framed)
            if arguments.steps:
                rows += item.trace(MOST_ROWS - len(rows))
    if arguments.steps:
        _write_png(arguments.steps, draw_trace(rows))
    return 0 if everything_read else 1


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m tinycnn.predict",
        description="Read the digits in pictures, drawings and IDX files.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="*", help="pictures, IDX files, stroke files; - is stdin"
    )
    parser.add_argument(
        "--strokes", metavar="FILE", nargs="+", default=[], help="drawings, one JSON object a line"
    )
    parser.add_argument(
        "--weights", metavar="WEIGHTS", default="default", help="a weights file, a run folder, last"
    )
    parser.add_argument("--limit", metavar="N", type=_count, help="read N of each file at most")
    parser.add_argument("--json", action="store_true", help="one JSON object for each")
    parser.add_argument("--ascii", action="store_true", help="draw what the network saw")
    parser.add_argument(
        "--boxes", metavar="OUT.png", type=_png, help="write each page with what was read where"
    )
    parser.add_argument(
        "--steps", metavar="OUT.png", type=_png, help="write how each digit became 28 x 28"
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number above 0")
    return int(text)


def _png(text: str) -> Path:
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"{text} does not end in .png")
    return Path(text)


def _items(arguments: argparse.Namespace, recognizer: "Recognizer") -> Iterator["Item"]:
    """The items of all files, in the order of the command line."""
    from tinycnn.predict.sources import Item, one_input, read_items

    for files, strokes in ((arguments.files, False), (arguments.strokes, True)):
        for file in files:
            name = "standard input" if file == STDIN else file
            try:
                with one_input():
                    payload = _payload(file)
            except ImageError as error:
                yield Item(name, error=str(error), cause=error)
            else:
                items = read_items(name, payload, recognizer, strokes=strokes)
                yield from islice(items, arguments.limit)


def _payload(file: str) -> bytes:
    from tinycnn.ink.pictures import MOST_BYTES, read_file

    if file != STDIN:
        return read_file(file)
    payload = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(payload) > MOST_BYTES:
        raise ImageError(f"it is longer than {MOST_BYTES // 2**20} MB")
    return payload


def _report(item: "Item", arguments: argparse.Namespace) -> bool:
    """Print an item; False if there was nothing to read."""
    fault = item.error
    if item.reading is not None and not item.reading.inked:
        fault = "there is no ink in it"
    if fault:
        _tell(item.name, fault, item.cause)
    if item.note:
        print(f"{item.file}: {item.note}", file=sys.stderr)
    if arguments.json:
        print(to_json(_record(item)))
    elif item.reading and not fault:
        print(f"{item.name}: {_sentence(item.reading)}")
    if arguments.ascii and item.reading:
        _draw_digits(item.reading, sys.stderr if arguments.json else sys.stdout)
    return not fault


def _record(item: "Item") -> dict[str, Any]:
    record: dict[str, Any] = {"file": item.file}
    if item.index is not None:
        record["index"] = item.index
    if item.label is not None:
        record["label"] = item.label
    if item.reading is None:
        return {**record, "error": item.error}
    from tinycnn.ink import as_record

    note = {"note": item.note} if item.note else {}
    return {**record, **as_record(item.reading), **note}


def _sentence(reading: "Reading") -> str:
    """What people are told: the number, and how sure each of its digits is."""
    from tinycnn.ink import percent

    if not reading.digits:
        return "there is ink, but no digit"
    words = []
    for digit in reading.digits:
        word = f"{digit.name} {percent(digit.confidence)}"
        if digit.rejected:
            word += ", perhaps no digit"
        elif digit.confidence < SURE:
            word += f" or {digit.second[0]}"
        words.append(word)
    return f"{' / '.join(reading.text.splitlines())}  ({'; '.join(words)})"


def _draw_digits(reading: "Reading", out: TextIO) -> None:
    from tinycnn.data.ascii_art import draw

    for digit in reading.digits:
        print(draw(digit.image, out.encoding), file=out)


def _numbered(path: Path, number: int) -> Path:
    """OUT.png for the first page, OUT-2.png for the next one."""
    return path.with_stem(f"{path.stem}-{number + 1}") if number else path


def _write_page(path: Path, name: str, draw: Callable[[], "Image.Image"]) -> bool:
    """The page of an item with its frames; False if it cannot be drawn."""
    from tinycnn.predict.sources import one_input

    try:
        with one_input():
            page = draw()
    except ImageError as error:
        _tell(name, str(error), error)
        return False
    _write_png(path, page)
    return True


def _tell(name: str, fault: str, cause: Exception | None) -> None:
    """One sentence on stderr; its traceback too, for people who look for a fault."""
    if cause and "--debug" in sys.argv:
        traceback.print_exception(cause)
    print(f"{name}: {fault}", file=sys.stderr)


def _write_png(path: Path, image: "Image.Image") -> None:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    write_bytes(path, buffer.getvalue())


if __name__ == "__main__":
    raise SystemExit(run_command(main))
