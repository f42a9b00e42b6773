"""How well people's drawings are read: ``python -m benchmarks.drawings DIGITS.jsonl``.

Single digits by how they are prepared, rows of digits by their gaps, amounts, cells of forms, and
what share of letters and scribbles is taken for digits. Any stroke file will do: JSON lines with
"strokes" and "label", and "writer" if it is known.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.command import new_parser, new_table, progress, whole, write_json
from benchmarks.quality import reading, scribbles
from benchmarks.quality.forms import read_forms
from benchmarks.quality.pages import Sample, load_samples
from tinycnn.cli import run_command
from tinycnn.errors import DataError
from tinycnn.ink import Recognizer
from tinycnn.nn import Sequential
from tinycnn.train.folder import find_weights

BRUSHES = (4, 8, 16, 24, 32)
ACCEPTED = (0.99, 0.97, 0.95, 0.90)  # shares of the digits
SCRIBBLES = 500  # of each kind
HANDS, CELLS = 10, 400  # of each amount, and of a form
SEED = 0
MOST_KINDS = 12


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and save the files asked for."""
    options = _parser().parse_args(argv)
    samples = [sample for sample in load_samples(options.digits) if sample.strokes]
    if not samples:
        raise DataError(f"{options.digits} holds no drawings")
    letters = load_samples(options.letters) if options.letters else []
    letters = [letter for letter in letters if letter.strokes]
    results = {}
    for weights in options.weights:
        recognizer = Recognizer.of(Sequential.load(find_weights(weights)))
        title = f"{weights}, {options.digits.name}, {len(samples):,} digits"
        results[weights] = _measure(title, samples, letters, recognizer, options)
    write_json(options.json, results)
    return 0


def _measure(
    title: str,
    samples: Sequence[Sample],
    letters: Sequence[Sample],
    recognizer: Recognizer,
    options: argparse.Namespace,
) -> dict[str, dict]:
    """Measure one recognizer, and print its tables; returns all figures, ready for JSON."""
    with progress() as tell:
        singles = reading.single_digits(samples, recognizer, BRUSHES, SEED, tell)
        rows = reading.digit_rows(samples, recognizer, options.rows, SEED, tell)
        tell("amounts and cells of forms")
        forms = read_forms(samples, recognizer, HANDS, CELLS, SEED)
        tell("what is no digit")
        refusal = _refusal(samples, letters, recognizer)
    console = Console()
    console.print(f"\n{title}", soft_wrap=True)
    tables = _singles_table(singles), _rows_table(rows), _forms_table(forms)
    for table in (*tables, _refusal_table(refusal)):
        console.print(table)
    console.print(_kinds_sentence(singles["strokes"]), soft_wrap=True)
    return {
        "singles": {name: asdict(outcome) for name, outcome in singles.items()},
        "rows": {gap: {way: asdict(o) for way, o in row.items()} for gap, row in rows.items()},
        "forms": forms,
        "refusal": refusal,
    }


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("drawings", __doc__)
    parser.add_argument("digits", type=Path, metavar="DIGITS", help="a stroke file, plain or .gz")
    parser.add_argument("--letters", type=Path, metavar="FILE", help="strokes that are no digits")
    parser.add_argument("--weights", nargs="+", default=["default"], help="one table for each")
    parser.add_argument("--rows", type=whole(1, 10**6), default=1000, help="of each kind of gap")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="all figures")
    return parser


def _refusal(
    samples: Sequence[Sample], letters: Sequence[Sample], recognizer: Recognizer
) -> dict[str, dict]:
    """For every kind of ink that is no digit: the share accepted at several thresholds."""
    rng = np.random.default_rng(SEED)
    digits = [sample.strokes for sample in samples]
    as_pages = reading.acceptance(digits, recognizer, digits=True)
    rows = {"digits": (as_pages, as_pages)}
    for kind in scribbles.KINDS:
        drawings = scribbles.make(kind, SCRIBBLES, rng)
        rows[kind] = as_pages, reading.acceptance(drawings, recognizer, digits=False)
    if letters:
        drawings = [letter.strokes for letter in letters]
        rows["letters"] = as_pages, reading.acceptance(drawings, recognizer, digits=False)
        rows["letters, as one digit"] = (
            reading.image_scores(digits, recognizer),
            reading.image_scores(drawings, recognizer),
        )
    return {kind: _accepted(*scores, recognizer.threshold) for kind, scores in rows.items()}


def _accepted(digits: np.ndarray, others: np.ndarray, threshold: float) -> dict[str, Any]:
    """The share of others that is accepted where certain shares of the digits are, by scores."""
    thresholds = {f"{share:.0%}": float(np.quantile(digits, 1 - share)) for share in ACCEPTED}
    thresholds["weights"] = threshold
    return {
        "n": len(others),
        "auroc": reading.auroc(digits, others) if others is not digits else None,
        "accepted": {name: float((others >= z).mean()) for name, z in thresholds.items()},
    }


def _singles_table(singles: dict[str, reading.Outcome]) -> Table:
    names = ("errors", "right", "95 % interval", "of writers", "worst tenth")
    table = new_table("single digits", *names, words=1)
    for name, o in singles.items():
        low, high = o.interval95
        figures = f"{o.errors:,}", f"{o.accuracy:.2%}", f"{100 * low:.2f}–{100 * high:.2f}"
        table.add_row(name, *figures, f"{o.by_writer:.2%}", f"{o.worst_tenth:.1%}")
    return table


def _rows_table(rows: dict[str, dict[str, reading.Outcome]]) -> Table:
    table = new_table("rows of 2–5, exactly right", "strokes", "bitmap", "digits apart", "cost")
    for name, row in rows.items():
        cost = row["apart"].accuracy - row["strokes"].accuracy
        cells = [f"{row[way].accuracy:.1%}" for way in ("strokes", "bitmap", "apart")]
        table.add_row(f"{name} gaps, n = {row['strokes'].n:,}", *cells, f"{100 * cost:.1f} points")
    return table


def _forms_table(forms: dict[str, dict[str, int]]) -> Table:
    table = new_table("exactly right", "n", "right", "sure", "right of those", words=1)
    table.caption = "sure: said with a confidence of 90 % or more"
    for name, z in forms.items():
        shares = z["right"] / max(z["n"], 1), z["sure_and_right"] / max(z["sure"], 1)
        right, of_sure = (f"{share:.1%}" for share in shares)
        table.add_row(name, f"{z['n']:,}", right, f"{z['sure']:,}", of_sure)
    return table


def _refusal_table(refusal: dict[str, dict]) -> Table:
    shares = [f"{share:.0%}" for share in ACCEPTED]
    table = new_table("accepted at", "n", "AUROC", *shares, "weights", words=1)
    table.caption = "where this share of the digits is accepted, and at the weights' own threshold"
    for kind, figures in refusal.items():
        cells = [f"{figures['accepted'][share]:.1%}" for share in [*shares, "weights"]]
        curve = f"{figures['auroc']:.3f}" if figures["auroc"] is not None else ""
        table.add_row(kind, f"{figures['n']:,}", curve, *cells)
    return table


def _kinds_sentence(outcome: reading.Outcome) -> str:
    kinds = [f"{label} as {answer}: {n}" for label, answer, n in outcome.kinds[:MOST_KINDS]]
    return f"most frequent errors from strokes: {', '.join(kinds) or 'none'}"


if __name__ == "__main__":
    raise SystemExit(run_command(main))
