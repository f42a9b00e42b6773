"""The frame of every command: its arguments, errors and exit codes, and ``tinycnn COMMAND``.

The module of a command has ``main(argv) -> exit code``, in most cases a ``Command``.
Exit codes: 0 done, 1 some inputs failed, 2 bad input or usage, 3 the environment, 130 stopped by
Ctrl-C, 143 by SIGTERM, 141 the reader of the output has left.
"""

import argparse
import atexit
import gc
import importlib
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NoReturn

from tinycnn import __version__
from tinycnn.errors import EnvironmentFault, TinyCNNError, need
from tinycnn.signals import StopSignals, Terminated
from tinycnn.streams import OutputLost, sturdy_streams

Main = Callable[[Sequence[str] | None], int]

COMMANDS = {
    "train": ("tinycnn.train.__main__", "train a network on a data set"),
    "evaluate": ("tinycnn.evaluate.__main__", "measure a trained network on a test set"),
    "predict": ("tinycnn.predict.__main__", "read the digits in pictures or drawings"),
    "data": ("tinycnn.data.__main__", "list, fetch, verify and look at data sets"),
    "report": ("tinycnn.report.__main__", "turn training runs into one HTML page"),
    "compare": ("tinycnn.compare.__main__", "compare the network with other classifiers"),
    "export": ("tinycnn.export", "export a trained network to another program"),
    "convert": ("tinycnn.convert", "import a network from another program"),
    "explain": ("tinycnn.explain.__main__", "show what a layer does, step by step"),
    "sweep": ("tinycnn.sweep.__main__", "try several settings and compare them"),
    "sketchpad": ("apps.sketchpad.__main__", "draw digits and see what the network sees"),
    "gradcheck": ("tinycnn.nn.gradcheck", "compare every gradient with finite differences"),
}

COMPLETING = "_ARGCOMPLETE"
"""The variable with which the shell asks what may be typed next; see argcomplete."""

_debugging = ContextVar("_debugging", default=False)


class Parser(argparse.ArgumentParser):
    """The arguments of a command; it reports an error in one sentence, without the usage."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"formatter_class": argparse.RawDescriptionHelpFormatter, **settings})

    def parse_args(self, *arguments: Any, **options: Any) -> Any:
        if COMPLETING in os.environ:
            # It answers the shell, and ends the process.
            importlib.import_module("argcomplete").autocomplete(self)
        return super().parse_args(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        raise TinyCNNError(f"{message}; {self.prog} --help tells more")


class Command(Parser):
    """The ``main`` of a package: it parses the arguments, and ``PACKAGE.command.run`` takes them.

    That module is imported afterwards, because ``--help`` should not wait for the compiler.
    ``needs`` are packages that it imports, and the extras that have them.
    """

    def __init__(
        self, package: str, description: str, examples: str, needs: dict[str, str] | None = None
    ) -> None:
        super().__init__(prog=f"python -m {package}", description=description, epilog=examples)
        self._package, self._needs = package, needs or {}

    def __call__(self, argv: Sequence[str] | None = None) -> int:
        arguments = self.parse_args(argv)
        for package, extra in self._needs.items():
            need(package, extra, self.prog)
        return int(importlib.import_module(f"{self._package}.command").run(arguments))


Container = argparse._ActionsContainer  # noqa: SLF001 - a parser or one of its groups
DATASET = "mnist10k (default) or another named set"


def add_dataset(parser: Container, meaning: str = DATASET) -> None:
    """Add ``--dataset`` and ``--data-dir``."""
    parser.add_argument("--dataset", metavar="NAME", help=meaning)
    add_data_dir(parser)


def add_data_dir(parser: Container) -> None:
    """Add ``--data-dir``."""
    parser.add_argument("--data-dir", metavar="DIR", help="a folder or file with images and labels")


def add_network(parser: Container, meaning: str = "a file of yours that registers layers") -> None:
    """Add ``--network``, whose file is run; only what a person types is."""

    def run(source: str) -> Any:
        return importlib.import_module("tinycnn.train.parts").import_file(source)

    parser.add_argument("--network", metavar="FILE.py", type=run, help=meaning)


def add_json(parser: Container, what: str = "one JSON object") -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help=f"print {what}")


def option(name: str) -> str:
    """Return the option that sets a parameter: ``--batch-size`` for ``batch_size``."""
    return "--" + name.replace("_", "-")


def run_command(main: Main, argv: Sequence[str] | None = None) -> int:
    """Call ``main`` and turn its result, or the exception that ends it, into an exit code.

    An error of tinycnn or of the system is one sentence on stderr; ``--debug``, anywhere on the
    line, adds the traceback. Any other exception is a bug and keeps its traceback.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = [argument for argument in given if argument != "--debug"]
    before = _debugging.set(len(arguments) < len(given))
    atexit.register(gc.freeze)  # the end need not look through all that a compiler has made
    with sturdy_streams(), StopSignals():
        try:
            try:
                code = main(arguments)
            except BaseException as error:  # noqa: BLE001 - others are raised again
                code = _report(error)
            sys.stdout.flush()  # that a reader has left is noticed here, not at Python's exit
        except OutputLost as lost:
            if not lost.reader_left:
                print(f"error: {lost}", file=sys.stderr)
            code = 141 if lost.reader_left else 3  # as the shell reports SIGPIPE
        finally:
            _debugging.reset(before)
    return code


def print_error(place: str, message: str, cause: BaseException | None = None) -> None:
    """Print one sentence on stderr; with ``--debug``, the traceback of its cause first.

    Parameters, which the library puts in backticks, are written as options.
    """
    if cause and _debugging.get():
        traceback.print_exception(cause)
    sentence = re.sub(r"`([a-z_]+)`", lambda found: option(found[1]), message)
    print(f"{place}: {sentence}", file=sys.stderr)


def _report(error: BaseException) -> int:
    """Report the exception that has ended a command, and return the exit code for it."""
    match error:
        case TinyCNNError() | OSError() | MemoryError():
            print_error("error", _sentence(error), error)
            return getattr(error, "exit_code", EnvironmentFault.exit_code)
        case KeyboardInterrupt() | Terminated():
            print("stopped", file=sys.stderr)
            return 143 if isinstance(error, Terminated) else 130
        case SystemExit():  # after --help
            return error.code if isinstance(error.code, int) else 0
    raise error


def _sentence(error: Exception) -> str:
    """Return the message of an error; that of the system has no file name in it by itself."""
    if isinstance(error, MemoryError):
        return f"there is not enough memory: {error}".removesuffix(": ")
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f"{error.filename} cannot be used: "
        return place + error.strerror
    return str(error)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``tinycnn COMMAND ...``: the same as ``python -m tinycnn.COMMAND ...``."""
    return run_command(_main, argv)


def _main(argv: Sequence[str] | None) -> int:
    lines = [f"  {name:<10} {purpose}" for name, (_, purpose) in COMMANDS.items()]
    commands = "\n".join([*lines, "", "tinycnn COMMAND --help tells more."])
    parser = Parser(prog="tinycnn", usage="tinycnn COMMAND ...", description=commands)
    parser.add_argument("--version", action="version", version=f"tinycnn {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS).required = False
    given = _completed() or parser.parse_args(argv)
    return int(importlib.import_module(COMMANDS[given.command][0]).main(given.rest))


def _completed() -> argparse.Namespace | None:
    """Return the command on the line to complete, whose name argcomplete then skips."""
    line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", "0"))]
    words = f"{line}|".split()  # the last one is being typed
    if COMPLETING not in os.environ or len(words) < 3:
        return None
    os.environ[COMPLETING] = "2"
    return argparse.Namespace(command=words[1], rest=[])
