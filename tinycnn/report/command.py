"""Measure the runs that the arguments name, and write one HTML page about them.

The file contains everything it shows and fetches nothing. Templates make it; they escape all text
that comes from files. As a second safeguard, the content security policy at the top of the page
forbids scripts and every request.
"""

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from tinycnn import __version__
from tinycnn.console import log_console
from tinycnn.errors import DataError
from tinycnn.files import refuse_to_overwrite, write_bytes
from tinycnn.metrics import PairedComparison, interval_text, percent
from tinycnn.report import charts
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
        facts=facts(subjects),
        pairs=pairs(subjects),
        charts=[*charts.training_charts(subjects), charts.calibration_chart(subjects)],
        chapters=[chapter_of(each, f"run{k}", most) for k, each in enumerate(subjects)],
    )


def facts(subjects: Sequence[Subject]) -> list[tuple[str, list[str]]]:
    """Rows of the table: a name, and a value for each run; without rows that are empty."""
    rows: list[tuple[str, Callable[[Subject], str]]] = [
        ("right", lambda s: percent(s.evaluation.score.accuracy)),
        ("95 % interval", lambda s: interval_text(s.evaluation.score.interval)),
        ("errors", lambda s: f"{s.evaluation.score.errors:,} of {s.evaluation.score.n:,}"),
        ("measured on", lambda s: f"{s.dataset.name}, test part"),
        ("mean loss", lambda s: f"{s.evaluation.loss:.4f}"),
        ("calibration error", lambda s: percent(s.evaluation.calibration_error)),
        ("network", lambda s: str(s.recipe.get("preset", "-"))),
        ("parameters", lambda s: f"{s.model.parameter_count():,}"),
        ("trained on", lambda s: _number(s.training.get("images"), "{:,} images")),
        ("epochs", lambda s: str(s.recipe.get("epochs", "-"))),
        ("epoch kept", lambda s: str(s.training.get("best_epoch", "-"))),
        ("training took", lambda s: _number((s.result or {}).get("seconds"), "{:,.0f} s")),
    ]
    found = [(name, [value(each) for each in subjects]) for name, value in rows]
    return [(name, values) for name, values in found if set(values) != {"-"}]


def pairs(subjects: Sequence[Subject]) -> list[tuple[str, str, PairedComparison | None]]:
    """Each run beside each later one, compared if both were measured on the same digits."""
    found = []
    for first, second in combinations(subjects, 2):
        try:
            comparison = first.evaluation.compare(second.evaluation)
        except DataError:
            comparison = None
        found.append((first.name, second.name, comparison))
    return found


def _number(value: object, text: str) -> str:
    return text.format(value) if isinstance(value, int | float) else "-"
