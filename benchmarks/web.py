"""Whether the web page answers as tinycnn itself does, and how soon.

    python -m benchmarks.web DRAWINGS.jsonl

The page is built and opened in Chromium. Its own modules read all drawings, and what they say is
compared with what ``predict --strokes`` says, and their 28 x 28 images with Python's. Some drawings
are drawn with a pointer, on the page and in the sketchpad, and the two answers are compared; each
movement of that pointer is timed until its answer is on the page.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from benchmarks.browser import chromium, serve
from benchmarks.command import progress, whole
from benchmarks.machine import describe
from benchmarks.pages import Sample, load_samples
from benchmarks.tables import new_table
from benchmarks.typed_drawings import by_hand, new_session
from benchmarks.webpage import WebPage, build_page
from tinycnn.cli import Parser, run_command
from tinycnn.errors import DataError
from tinycnn.ink import Recognizer, read_strokes, strokes_to_image
from tinycnn.nn import Sequential
from tinycnn.train.folder import find_weights

SOON = 50  # milliseconds that an answer may take

Tell = Callable[[str], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and save what was asked for."""
    options = _parser().parse_args(argv)
    samples = [sample for sample in load_samples(options.drawings) if sample.strokes]
    if not samples:
        raise DataError(f"{options.drawings} holds no drawings")
    with progress() as tell, tempfile.TemporaryDirectory() as folder:
        site, profile = Path(folder) / "site", Path(folder) / "profile"
        tell("building the page")
        build_page(site, options.weights)
        with serve(site) as url, chromium(profile) as browser:
            page = WebPage(browser, url)
            results = {
                "modules": compare_modules(page, samples, options.weights, tell),
                "pointer": compare_by_hand(page, samples, options, tell),
            }
    _print(Console(highlight=False), results)
    if options.json:
        record = {"machine": describe(), **results}
        options.json.write_text(json.dumps(record) + "\n")
    return 0


def compare_modules(
    page: WebPage, samples: Sequence[Sample], weights: str, tell: Tell
) -> dict[str, Any]:
    """All drawings: the page's modules beside ``predict --strokes``."""
    tell(f"the page's modules read {len(samples):,} drawings")
    seen = page.ask([sample.strokes for sample in samples])
    tell("tinycnn reads them")
    recognizer = Recognizer.of(Sequential.load(find_weights(weights)))
    known = [read_strokes(sample.strokes, recognizer) for sample in samples]
    images = np.array([strokes_to_image(sample.strokes) for sample in samples])
    differences = np.abs(images.astype(int) - [one.image for one in seen]).max(axis=(1, 2))
    inked = [d for d, one in zip(differences, seen, strict=True) if one.verdict != "mark"]
    return {
        "n": len(samples),
        "same": sum(a.digit == b.text for a, b in zip(seen, known, strict=True)),
        "images": len(inked),
        "same_images": inked.count(0),
        "largest_difference": int(max(inked)),
    }


def compare_by_hand(
    page: WebPage, samples: Sequence[Sample], options: argparse.Namespace, tell: Tell
) -> dict[str, Any]:
    """Some drawings, drawn with a pointer: the page beside the sketchpad."""
    chosen = samples[:: max(len(samples) // options.by_hand, 1)][: options.by_hand]
    tell(f"drawing {len(chosen):,} of them on the page")
    seen, waits = [], []
    page.waits()
    for sample in chosen:
        seen.append(page.draw(sample.strokes).digit)
        waits.append(page.waits())
        page.click("clear")
    tell("drawing them in the sketchpad")
    session = new_session(options.weights)
    known = [by_hand(sample, session) for sample in chosen]
    return {
        "n": len(chosen),
        "same": sum(one == other for one, other in zip(seen, known, strict=True)),
        "last_movement_ms": _summary([of_one[-1] for of_one in waits]),
        "movement_ms": _summary([wait for of_one in waits for wait in of_one]),
    }


def _summary(waits: Sequence[float]) -> dict[str, float]:
    median, most, longest = np.percentile(waits, (50, 99, 100)).round(1).tolist()
    soon = sum(wait < SOON for wait in waits)
    return {"n": len(waits), "median": median, "p99": most, "longest": longest, "soon": soon}


def _print(console: Console, results: dict[str, dict[str, Any]]) -> None:
    modules, pointer = results["modules"], results["pointer"]
    table = new_table("the page", "beside", "drawings", "same answer")
    table.add_row("its modules", "predict --strokes", f"{modules['n']:,}", f"{modules['same']:,}")
    table.add_row("by pointer", "sketchpad", f"{pointer['n']:,}", f"{pointer['same']:,}")
    console.print(table)
    console.print(
        f"{modules['same_images']:,} of {modules['images']:,} images are Python's, bit for bit; "
        f"the largest difference is {modules['largest_difference']} gray levels of 255"
    )
    titles = "n", "median", "99 of 100 below", "longest", f"below {SOON}"
    table = new_table("milliseconds until the answer to", *titles, words=1)
    for name, key in (("a drawing", "last_movement_ms"), ("a movement", "movement_ms")):
        waits = pointer[key]
        times = [f"{waits[which]:.1f}" for which in ("median", "p99", "longest")]
        table.add_row(name, f"{waits['n']:,}", *times, f"{waits['soon']:,}")
    console.print(table)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m benchmarks.web", description="Does the web page answer as tinycnn does?"
    )
    parser.add_argument("drawings", metavar="DRAWINGS.jsonl", type=Path, help="a stroke file")
    parser.add_argument("--weights", default="default", help="a weights file, a run folder, last")
    parser.add_argument(
        "--by-hand", type=whole(1, 10**6), default=200, help="so many, spread evenly, by pointer"
    )
    parser.add_argument("--json", metavar="OUT.json", type=Path, help="write the results")
    return parser


if __name__ == "__main__":
    raise SystemExit(run_command(main))
