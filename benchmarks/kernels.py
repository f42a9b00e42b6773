"""The kernels, idea by idea: ``python -m benchmarks.kernels``.

First every operation is held to ``reference.py`` on arguments from real training; then
operations, ideas, the stages of a training step, starts and waiting threads are timed. Versions
take turns in one run. ``docs/making-it-fast.md`` explains the ideas in the order of the tables.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import kernel_charts, kernel_tables, machine
from benchmarks.command import check_targets, progress, whole
from benchmarks.kernel_report import TABLES, Report, measure
from tinycnn.cli import Parser, run_command
from tinycnn.files import write_bytes
from tinycnn.nn import set_threads


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, check, measure, print; return the exit code."""
    options = _parse(argv)
    set_threads(options.threads)
    with progress() as tell:
        report = measure(options.tables, options.rounds, options.threads, tell)
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    kernel_tables.print_report(console, report, options)
    if options.json:
        text = json.dumps(_as_json(report, options), indent=1)
        write_bytes(options.json, text.encode() + b"\n")
    if options.charts:
        kernel_charts.draw(report, options.charts)
    return 0


def _as_json(report: Report, options: argparse.Namespace) -> dict[str, Any]:
    return {
        "machine": machine.describe(),
        "threads": options.threads,
        "rounds": options.rounds,
        **asdict(report),
        "stages": {
            str(count): [[*key, values] for key, values in samples.items()]
            for count, samples in report.stages.samples.items()
        },
    }


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m benchmarks.kernels", description=(__doc__ or "").partition("\n\n")[0]
    )
    cores = machine.available_cores()
    add = parser.add_argument
    add("--rounds", type=whole(1, 1000), default=7)
    add("--threads", type=whole(1, cores), default=cores, help="default: one a core")
    add("--tables", type=_tables, default=TABLES, metavar="NAME,...", help=", ".join(TABLES))
    add("--json", type=Path, metavar="OUT", help="write all figures to this file")
    add("--charts", type=Path, metavar="DIR", help="draw SVG charts into this folder")
    options = parser.parse_args(argv)
    check_targets(parser, options)
    return options


def _tables(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(TABLES):
        raise argparse.ArgumentTypeError(
            f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(TABLES)}"
        )
    return names


if __name__ == "__main__":
    sys.exit(run_command(main))
