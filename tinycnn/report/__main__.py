"""``python -m tinycnn.report RUN`` writes one HTML page about training runs.

Only arguments and printing; the work is done in ``tinycnn.report``.
"""

import argparse
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.cli import Parser, run_command
from tinycnn.errors import EnvironmentFault
from tinycnn.files import refuse_to_overwrite, write_bytes

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for the compiler
    from tinycnn.report.subject import Subject

FILE_NAME = "report.html"

EXAMPLES = """\
examples:
  python -m tinycnn.report last                     the newest run: report.html in its folder
  python -m tinycnn.report runs/A runs/B -o ab.html two runs side by side
  python -m tinycnn.report last --dataset mnist     measured on other digits than its own

The page needs no network and holds all its pictures; open it with any browser.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, measure, write; returns the exit code."""
    arguments = _parser().parse_args(argv)
    if importlib.util.find_spec("jinja2") is None:
        raise EnvironmentFault("a report needs Jinja2: pip install 'tinycnn[report]'")

    from tinycnn.console import Console
    from tinycnn.report.page import render
    from tinycnn.report.subject import Subject
    from tinycnn.train.compile_progress import compilation_shown

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    subjects = [Subject.open(run, arguments.dataset, arguments.data_dir) for run in arguments.runs]
    if len({subject.name for subject in subjects}) < len(subjects):
        subjects = [replace(s, name=run) for s, run in zip(subjects, arguments.runs, strict=True)]
    path = Path(arguments.output) if arguments.output else _default_path(subjects)
    refuse_to_overwrite([path], _read(subjects))
    with compilation_shown(console):
        for subject in subjects:
            console.print(f"measuring {subject.name} ...", markup=False)
            for warning in subject.evaluation.warnings:
                console.print(f"warning: {subject.name}: {warning}", markup=False)
        page = render(subjects).encode(errors="backslashreplace")  # names of files
    write_bytes(path, page)
    print(f"{path} ({len(page) / 1e6:.1f} MB)")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m tinycnn.report",
        description="Write one HTML page about a training run, or about several side by side.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", metavar="RUN", nargs="+", help="a run folder, a weights file, last, default"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help=f"{FILE_NAME} in the run folder by default; of several runs, here",
    )
    parser.add_argument("--dataset", metavar="NAME", help="default: the one trained on")
    parser.add_argument("--data-dir", metavar="DIR", help="a folder with the four IDX files")
    return parser


def _read(subjects: "list[Subject]") -> Iterator[Path]:
    """The files that the page is made from, and all others of their runs but older pages."""
    for each in subjects:
        yield from (each.weights, *map(Path, each.dataset.sources))
        if each.folder:
            yield from (path for path in each.folder.iterdir() if path.suffix != ".html")


def _default_path(subjects: "list[Subject]") -> Path:
    folder = subjects[0].folder if len(subjects) == 1 else None
    return (folder or Path()) / FILE_NAME


if __name__ == "__main__":
    raise SystemExit(run_command(main))
