"""What a writer gains by corrections: ``python -m benchmarks.quality.adapting DIGITS.jsonl``.

Of every writer who is often misread, one half of the digits is for adapting: all that are
misread, and as many (at least five) that are not. The other half is read before and after. Any
stroke file will do that has "label" and "writer".
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.command import new_parser, new_table, progress, whole
from benchmarks.quality.pages import Sample, load_samples
from tinycnn.adapt import Adaptation, Change, Correction, adapt
from tinycnn.cli import run_command
from tinycnn.data import load_dataset
from tinycnn.errors import DataError
from tinycnn.ink import Recognizer, strokes_to_image
from tinycnn.nn import Sequential
from tinycnn.train.folder import find_weights

LEAST = 5  # corrections, and digits of a writer that are confirmed


@dataclass(frozen=True)
class Adapted:
    """One writer: the number of digits adapted to, and the results on the others."""

    writer: str
    corrections: int
    adaptation: Adaptation
    others: Change


def main(argv: Sequence[str] | None = None) -> int:
    """Adapt a copy to every writer, and print a table."""
    options = _parser().parse_args(argv)
    model = Sequential.load(find_weights(options.weights))
    by_writer: dict[str, list[Sample]] = {}
    for sample in load_samples(options.digits):
        if sample.strokes:
            by_writer.setdefault(sample.writer, []).append(sample)
    with progress() as tell:
        outcomes = []
        for writer, samples in by_writer.items():
            tell(f"writer {writer}")
            outcomes += _adapt_to(writer, samples, model, options)
    if not outcomes:
        raise DataError(f"no writer in {options.digits} is misread {options.errors} times")
    _print_table(outcomes)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("quality.adapting", __doc__)
    parser.add_argument("digits", type=Path, metavar="DIGITS", help="a stroke file, plain or .gz")
    parser.add_argument("--weights", default="default")
    parser.add_argument(
        "--errors", type=whole(1, 10**6), default=5, help="that a writer has, least"
    )
    parser.add_argument("--seconds", type=whole(1, 3600), default=60, help="of learning, at most")
    parser.add_argument("--seed", type=whole(0, 2**31), default=0)
    return parser


def _adapt_to(
    writer: str, samples: Sequence[Sample], model: Sequential, options: argparse.Namespace
) -> list[Adapted]:
    """The outcome for a writer; none if there is too little to learn."""
    reader = Recognizer.of(model)
    images = np.stack([strokes_to_image(sample.strokes) for sample in samples])
    said = _answers(reader, images)
    wrong = said != [sample.label for sample in samples]
    order = np.random.default_rng(options.seed).permutation(len(samples))
    mine, others = np.split(order, [len(order) // 2])
    bad, good = mine[wrong[mine]], mine[~wrong[mine]]
    chosen = [*bad, *good[: max(LEAST, len(bad))]]
    if wrong.sum() < options.errors or len(chosen) < LEAST:
        return []
    corrections = [Correction(samples[i].strokes, samples[i].label, said[i]) for i in chosen]
    done = adapt(model, corrections, load_dataset(), options.seed, options.seconds)
    now = _answers(Recognizer.of(done.model), images[others])
    labels = np.array([samples[i].label for i in others])
    return [Adapted(writer, len(chosen), done, Change.of(said[others], now, labels))]


def _answers(reader: Recognizer, images: np.ndarray) -> np.ndarray:
    return np.array(reader.classes)[reader(images).probabilities.argmax(axis=1)]


def _print_table(outcomes: Sequence[Adapted]) -> None:
    table = new_table("writer", "taught", "others", "right before", "after", "bundled", words=1)
    for one in outcomes:
        o, d = one.others, one.adaptation.digits
        counts = (one.corrections, o.n, o.right_before, o.right_after)
        row = [f"{count:,}" for count in counts]
        table.add_row(one.writer[:8], *row, f"{d.right_before:,} to {d.right_after:,} of {d.n:,}")
    others = [one.others for one in outcomes]
    fields = ("n", "only_first", "only_second", "neither")
    total = Change(*(sum(getattr(c, field) for c in others) for field in fields))
    lost = [o.adaptation.digits.right_before - o.adaptation.digits.right_after for o in outcomes]
    table.caption = (
        f"{len(outcomes)} writers; digits that were not taught: {total.right_before:,} -> "
        f"{total.right_after:,} right of {total.n:,}, {total.verdict}; "
        f"of bundled digits {np.mean(lost):.1f} are lost on average"
    )
    Console().print(table)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
