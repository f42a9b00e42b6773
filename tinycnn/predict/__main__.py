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

    from tinycnn.ink import Reading, Recognizer, Steps
    from tinycnn.predict.sources import Answer

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
    from tinycnn.ink import Recognizer, Steps
    from tinycnn.nn import Sequential
    from tinycnn.train.compile_progress import compilation_shown
    from tinycnn.train.folder import find_weights

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    weights = find_weights(arguments.weights)
    inputs = [weights, *(0 if f == STDIN else f for f in arguments.files + arguments.strokes)]
    refuse_to_overwrite(filter(None, (arguments.boxes, arguments.steps)), inputs)
    recognizer = Recognizer.of(Sequential.load(weights))
    steps = Steps() if arguments.steps else None
    everything_read = True
    with compilation_shown(console):
        for number, answer in enumerate(_answers(arguments, recognizer, steps)):
            everything_read &= _report(answer, arguments)
            if arguments.boxes and answer.framed:
                path = _numbered(arguments.boxes, number)
                refuse_to_overwrite([path], inputs)
                everything_read &= _write_page(path, answer.name, answer.framed)
    if steps:
        _write_png(arguments.steps, steps.picture())
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


def _answers(
    arguments: argparse.Namespace, recognizer: "Recognizer", steps: "Steps | None"
) -> Iterator["Answer"]:
    """The answers for all files, in the order of the command line."""
    from tinycnn.predict.sources import Answer, answers, drawings, one_input

    for files, reader in ((arguments.files, answers), (arguments.strokes, drawings)):
        for file in files:
            name = "standard input" if file == STDIN else file
            try:
                with one_input():
                    payload = _payload(file)
            except ImageError as error:
                yield Answer(name, error=str(error), cause=error)
            else:
                yield from islice(reader(name, payload, recognizer, steps), arguments.limit)


def _payload(file: str) -> bytes:
    from tinycnn.ink.pictures import MOST_BYTES, read_file

    if file != STDIN:
        return read_file(file)
    payload = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(payload) > MOST_BYTES:
        raise ImageError(f"it is longer than {MOST_BYTES // 2**20} MB")
    return payload


def _report(answer: "Answer", arguments: argparse.Namespace) -> bool:
    """Print an answer; False if there was nothing to read."""
    fault = answer.error
    if answer.reading is not None and not answer.reading.inked:
        fault = "there is no ink in it"
    if fault:
        _tell(answer.name, fault, answer.cause)
    if answer.note:
        print(f"{answer.file}: {answer.note}", file=sys.stderr)
    if arguments.json:
        print(to_json(_record(answer)))
    elif answer.reading and not fault:
        print(f"{answer.name}: {_sentence(answer.reading)}")
    if arguments.ascii and answer.reading:
        _draw_digits(answer.reading, sys.stderr if arguments.json else sys.stdout)
    return not fault


def _record(answer: "Answer") -> dict[str, Any]:
    record: dict[str, Any] = {"file": answer.file}
    if answer.index is not None:
        record["index"] = answer.index
    if answer.label is not None:
        record["label"] = answer.label
    if answer.reading is None:
        return {**record, "error": answer.error}
    from tinycnn.ink import as_record

    note = {"note": answer.note} if answer.note else {}
    return {**record, **as_record(answer.reading), **note}


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
    """The page of an answer with its frames; False if it cannot be drawn."""
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
