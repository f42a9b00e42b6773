"""What every command shares: how an error is told, how a command ends, and ``tinycnn COMMAND``.

A command is a module with ``main(argv) -> exit code`` that parses, calls the library and prints.
``run_command`` is the frame around it. Exit codes: 0 done, 1 some inputs failed, 2 bad input or
usage, 3 the environment refuses, 130 stopped by Ctrl-C, 143 by SIGTERM, 141 nobody reads on.
"""

import argparse
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from tinycnn import __version__
from tinycnn.errors import EnvironmentFault, TinyCNNError
from tinycnn.signals import StopSignals, Terminated
from tinycnn.streams import OutputLost, sturdy_streams

Command = Callable[[Sequence[str] | None], int]

COMMANDS = {
    "train": ("tinycnn.train.__main__", "train a network on a data set"),
    "evaluate": ("tinycnn.evaluate.__main__", "measure a trained network on a test set"),
    "predict": ("tinycnn.predict.__main__", "read the digits in pictures or drawings"),
    "data": ("tinycnn.data.__main__", "list, fetch, verify and look at data sets"),
    "report": ("tinycnn.report.__main__", "turn training runs into one HTML page"),
    "compare": ("tinycnn.compare.__main__", "other classifiers beside the network"),
    "export": ("tinycnn.export", "hand a trained network to another program"),
    "convert": ("tinycnn.convert", "take a network from another program"),
    "explain": ("tinycnn.explain.__main__", "show what a layer does, step by step"),
    "sweep": ("tinycnn.sweep.__main__", "try several settings and compare them"),
    "sketchpad": ("apps.sketchpad.__main__", "draw digits and see what the network sees"),
    "gradcheck": ("tinycnn.nn.gradcheck", "hold every gradient to finite differences"),
}


class Parser(argparse.ArgumentParser):
    """Complains in one sentence, like everything else here, and not with the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise TinyCNNError(f"{message}; {self.prog} --help tells more")


def run_command(main: Command, argv: Sequence[str] | None = None) -> int:
    """Call ``main`` and turn whatever ends it into an exit code.

    An error of ours, or of the system, is one sentence on stderr; ``--debug``, anywhere on the
    line, adds the traceback. Anything else is a bug and keeps its traceback.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    words = [word for word in arguments if word != "--debug"]
    debug = len(words) < len(arguments)
    with sturdy_streams(), StopSignals():
        code = _exit_code(lambda: main(words), debug)
        # A reader who left, or a full disk, is noticed here rather than at interpreter exit.
        return _exit_code(sys.stdout.flush, debug) or code


def _exit_code(act: Callable[[], int | None], debug: bool) -> int:
    """What ``act`` returns, or the code of whatever ends it, which is told."""
    try:
        try:
            return act() or 0
        except (TinyCNNError, OSError, MemoryError) as error:
            if debug:
                traceback.print_exc()
            print(f"error: {_sentence(error)}", file=sys.stderr)
            return getattr(error, "exit_code", EnvironmentFault.exit_code)
        except (KeyboardInterrupt, Terminated) as stop:
            print("stopped", file=sys.stderr)
            return 143 if isinstance(stop, Terminated) else 130
        except SystemExit as end:  # after --help
            return end.code if isinstance(end.code, int) else 0
    except OutputLost as lost:
        if lost.reader_left:
            return 141  # what the shell reports for SIGPIPE
        print(f"error: {lost}", file=sys.stderr)
        return EnvironmentFault.exit_code


def _sentence(error: Exception) -> str:
    """An error of ours says it itself; others are the system's, mostly on the name of a file."""
    if isinstance(error, MemoryError):
        return f"there is not enough memory: {error}".removesuffix(": ")
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f"{error.filename} cannot be used: "
        return place + error.strerror
    return str(error)


def main(argv: Sequence[str] | None = None) -> int:
    """``tinycnn COMMAND ...``: the same as ``python -m tinycnn.COMMAND ...``."""
    return run_command(_main, argv)


def _main(argv: Sequence[str] | None) -> int:
    if not argv:
        print(_usage(), file=sys.stderr)
        return 2
    command, *rest = argv
    if command in ("-h", "--help"):
        print(_usage())
    elif command == "--version":
        print(f"tinycnn {__version__}")
    else:
        return _open(command)(rest)
    return 0


def _open(command: str) -> Command:
    """The ``main`` of one command; only its own module is imported."""
    if command not in COMMANDS:
        raise TinyCNNError(f"there is no command {command!r}; choose from {', '.join(COMMANDS)}")
    module, _ = COMMANDS[command]
    if importlib.util.find_spec(module) is None:
        raise TinyCNNError(f"this version of tinycnn does not have the command {command!r} yet")
    return importlib.import_module(module).main


def _usage() -> str:
    lines = [f"  {name:<10} {purpose}" for name, (_, purpose) in COMMANDS.items()]
    return "\n".join(
        ["usage: tinycnn COMMAND ...", "", *lines, "", "tinycnn COMMAND --help tells more."]
    )
