"""What every command shares: how an error is told, how a command ends, and ``tinycnn COMMAND``.

A door is a module with ``main(argv) -> exit code`` that parses, calls the library and prints.
``run_door`` is the frame around it. Exit codes: 0 done, 1 some inputs failed, 2 bad input or
usage, 3 the environment refuses, 130 stopped by Ctrl-C.
"""

import argparse
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from tinycnn.errors import TinyCNNError

Door = Callable[[Sequence[str] | None], int]

DOORS = {
    "train": ("tinycnn.train", "train a network on a data set"),
    "evaluate": ("tinycnn.evaluate", "measure a trained network on a test set"),
    "predict": ("tinycnn.predict", "read the digits in pictures or drawings"),
    "data": ("tinycnn.data.__main__", "list, fetch, verify and look at data sets"),
    "report": ("tinycnn.report", "turn training runs into one HTML page"),
    "compare": ("tinycnn.compare", "other classifiers beside the network"),
    "export": ("tinycnn.export", "hand a trained network to another program"),
    "convert": ("tinycnn.convert", "take a network from another program"),
    "explain": ("tinycnn.explain", "show what a layer does, step by step"),
    "sweep": ("tinycnn.sweep", "try several settings and compare them"),
    "sketchpad": ("apps.sketchpad.__main__", "draw digits and see what the network sees"),
    "gradcheck": ("tinycnn.nn.gradcheck", "hold every gradient to finite differences"),
}


class Parser(argparse.ArgumentParser):
    """Complains in one sentence, like everything else here, and not with the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise TinyCNNError(f"{message}; {self.prog} --help tells more")


def run_door(main: Door, argv: Sequence[str] | None = None) -> int:
    """Call ``main`` and turn whatever ends it into an exit code.

    An error of ours is one sentence on stderr; ``--debug``, anywhere on the line, adds the
    traceback. Anything else is a bug and keeps its traceback.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = main([word for word in arguments if word != "--debug"])
        sys.stdout.flush()  # a reader who left is noticed here rather than at interpreter exit
        return code
    except TinyCNNError as error:
        if "--debug" in arguments:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _silence_stdout()
        return 141  # what the shell reports for SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """``tinycnn COMMAND ...``: the same as ``python -m tinycnn.COMMAND ...``."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments:
        print(_usage(), file=sys.stderr)
        return 2
    if arguments[0] in ("-h", "--help"):
        print(_usage())
        return 0
    command, *rest = arguments
    return run_door(lambda words: _open(command)(words), rest)


def _open(command: str) -> Door:
    """The ``main`` of one command; only its own module is imported."""
    if command not in DOORS:
        raise TinyCNNError(f"there is no command {command!r}; choose from {', '.join(DOORS)}")
    module, _ = DOORS[command]
    if importlib.util.find_spec(module) is None:
        raise TinyCNNError(f"this version of tinycnn does not have the command {command!r} yet")
    return importlib.import_module(module).main


def _usage() -> str:
    lines = [f"  {name:<10} {purpose}" for name, (_, purpose) in DOORS.items()]
    return "\n".join(
        ["usage: tinycnn COMMAND ...", "", *lines, "", "tinycnn COMMAND --help tells more."]
    )


def _silence_stdout() -> None:
    """Nobody reads on; send the rest nowhere, so that the exit does not complain either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
