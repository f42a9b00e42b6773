"""Measure the runs that the arguments name, and write the page about them."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tinycnn.console import log_console
from tinycnn.files import refuse_to_overwrite, write_bytes
from tinycnn.report.page import render
from tinycnn.report.subject import Subject
from tinycnn.train.compile_progress import compilation_shown

FILE_NAME = "report.html"


def run(arguments: Namespace) -> int:
    """Write the page and print where it is."""
    console = log_console()
    subjects = [Subject.open(run, arguments.dataset, arguments.data_dir) for run in arguments.runs]
    if len({subject.name for subject in subjects}) < len(subjects):
        subjects = [replace(s, name=run) for s, run in zip(subjects, arguments.runs, strict=True)]
    path = Path(arguments.output) if arguments.output else _default_path(subjects)
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


def _default_path(subjects: list[Subject]) -> Path:
    folder = subjects[0].folder if len(subjects) == 1 else None
    return (folder or Path()) / FILE_NAME
