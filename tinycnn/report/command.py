"""Measure the runs that the arguments name, and write one HTML page about them.

The file contains everything it shows and fetches nothing. Templates make it; they escape all text
that comes from files. As a second safeguard, the content security policy at the top of the page
forbids scripts and every request.
"""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from tinycnn import __version__
from tinycnn.console import log_console
from tinycnn.files import refuse_to_overwrite, write_bytes
from tinycnn.report import charts, overview
from tinycnn.report.chapters import MOST_MISTAKES, anchor, chapter_of
from tinycnn.report.subject import Subject
from tinycnn.train.compile_progress import compilation_shown


def run(arguments: Namespace) -> int:
    """Write the page and print where it is."""
    console = log_console()
    subjects = [Subject.open(run, arguments.dataset, arguments.data_dir) for run in arguments.runs]
    if len({subject.name for subject in subjects}) < len(subjects):
        subjects = [replace(s, name=run) for s, run in zip(subjects, arguments.runs, strict=True)]
    folder = subjects[0].folder if len(subjects) == 1 else None
    path = Path(arguments.output or (folder or Path()) / "report.html")
    refuse_to_overwrite([path], _inputs(subjects))
    with compilation_shown(console):
        for subject in subjects:
            console.print(f"measuring {subject.name} ...", markup=False)
            for warning in subject.evaluation.warnings:
                console.print(f"warning: {subject.name}: {warning}", markup=False)
        page = render(subjects).encode(errors="backslashreplace")  # for names of files
    write_bytes(path, page)
    print(f"{path} ({len(page) / 1e6:.1f} MB)")
    return 0


def _inputs(subjects: list[Subject]) -> Iterator[Path]:
    """Yield all files of the runs and data sets, except older pages."""
    for each in subjects:
        yield from (each.weights, *map(Path, each.dataset.sources))
        if each.folder:
            yield from (path for path in each.folder.iterdir() if path.suffix != ".html")


def render(subjects: Sequence[Subject]) -> str:
    """The page on ``subjects``; equal runs give equal pages."""
    environment = Environment(
        loader=PackageLoader("tinycnn.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"anchor": anchor}
    most = MOST_MISTAKES // len(subjects)
    return environment.get_template("page.html").render(
        version=__version__,
        title=", ".join(each.name for each in subjects),
        subjects=subjects,
        facts=overview.facts(subjects),
        pairs=overview.pairs(subjects),
        charts=[*charts.training_charts(subjects), charts.calibration_chart(subjects)],
        chapters=[chapter_of(each, f"run{k}", most) for k, each in enumerate(subjects)],
    )
