"""From runs to one HTML file that contains everything it shows and fetches nothing.

Templates make the page; they escape all text that comes from files. As a second safeguard, the
content security policy at the top of the page forbids scripts and every request.
"""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tinycnn import __version__
from tinycnn.errors import RunError
from tinycnn.metrics import interval_text, percent
from tinycnn.plots import or_warn
from tinycnn.report import overview
from tinycnn.report.chapters import MOST_MISTAKES, anchor, chapter_of
from tinycnn.report.subject import Subject

MOST_RUNS = 8
"""So many keep the page below three megabytes, and its charts legible."""


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
    environment.globals |= {"anchor": anchor}
    return environment.get_template("page.html").render(_contents(subjects))


def _contents(subjects: Sequence[Subject]) -> dict[str, Any]:
    most = MOST_MISTAKES // len(subjects)
    training = overview.training_charts(subjects)
    confidence = [overview.calibration_chart(subjects), overview.coverage_chart(subjects)]
    strips = overview.robustness_strips(subjects)
    charts = [*training, *confidence, *(chart for chart, _ in strips)]
    return {
        "version": __version__,
        "title": ", ".join(each.name for each in subjects),
        "subjects": subjects,
        "facts": overview.facts(subjects),
        "findings": [overview.findings(each) for each in subjects],
        "pairs": overview.pairs(subjects),
        "training_charts": training,
        "confidence_charts": confidence,
        "strips": strips,
        # Without matplotlib, the page still has the numbers of every chart.
        "svgs": or_warn("a chart", lambda: {each.title: each.svg() for each in charts}) or {},
        "chapters": [chapter_of(each, f"run{k}", most) for k, each in enumerate(subjects)],
    }
