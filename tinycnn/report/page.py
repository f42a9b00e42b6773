"""From runs to one HTML file: everything is in it, and nothing is fetched when it is opened.

Templates make the page, and whatever comes from files is escaped by them. The policy at its top
forbids scripts and every request, should anything slip through.
"""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tinycnn import __version__
from tinycnn.errors import RunError
from tinycnn.evaluate.tables import duel_sentence, interval_text, percent
from tinycnn.report import charts, overview
from tinycnn.report.chapters import MOST_MISTAKES, anchor, chapter_of
from tinycnn.report.subject import Subject

MOST_RUNS = 8
"""So many keep the page below three megabytes, and charts legible, more or less."""


def render(subjects: Sequence[Subject]) -> str:
    """The page on ``subjects``, one to ``MOST_RUNS``; equal runs give equal pages."""
    if len(subjects) > MOST_RUNS:
        raise RunError(f"a report has room for {MOST_RUNS} runs, not for {len(subjects)}")
    environment = Environment(
        loader=PackageLoader("tinycnn.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "interval": interval_text}
    environment.globals |= {"geometry": charts, "anchor": anchor, "duel_sentence": duel_sentence}
    return environment.get_template("page.html").render(_contents(subjects))


def _contents(subjects: Sequence[Subject]) -> dict[str, Any]:
    most = MOST_MISTAKES // len(subjects)
    return {
        "version": __version__,
        "title": ", ".join(each.name for each in subjects),
        "subjects": subjects,
        "facts": overview.facts(subjects),
        "findings": [overview.findings(each) for each in subjects],
        "matches": overview.matches(subjects),
        "training_charts": overview.training_charts(subjects),
        "confidence_charts": overview.confidence_charts(subjects),
        "strips": overview.robustness_strips(subjects),
        "chapters": [chapter_of(each, f"run{k}", most) for k, each in enumerate(subjects)],
    }
