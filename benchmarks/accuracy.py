"""``python -m benchmarks.accuracy``: one seed is luck; train with several, and tell the spread.

Every network is trained by ``python -m tinycnn.train --json`` in a process of its own, as a user
would, with the options that are not this command's. Runs that are finished already count; those
that were stopped go on.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.command import new_parser, whole
from tinycnn.cli import run_command
from tinycnn.errors import TinyCNNError

EXAMPLES = """\
examples:
  python -m benchmarks.accuracy --dataset mnist
  python -m benchmarks.accuracy --dataset mnist --preset best --seeds 3
  python -m benchmarks.accuracy --also DIR      the bundled digits, tested on MNIST's test set too
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Train with every seed, and print a table."""
    options, training = _parser().parse_known_args(argv)
    rows = []
    print(f"{'seed':>4} {'test %':>7} {'errors':>7} {'also %':>7} {'seconds':>8} {'images/s':>9}")
    for seed in range(options.seeds):
        rows.append(_trained(options, training, seed))
        print(_line(str(seed), rows[-1]), flush=True)
    print(_line("mean", {key: statistics.mean(row[key] for row in rows) for key in rows[0]}))
    if len(rows) > 1:
        spread = {key: statistics.stdev(row[key] for row in rows) for key in rows[0]}
        print(_line("+-", spread))
    return 0


def _parser() -> argparse.ArgumentParser:
    sentence = "Train with several seeds; further options are those of tinycnn.train."
    parser = new_parser("accuracy", sentence, EXAMPLES)
    parser.add_argument("--seeds", metavar="N", type=whole(1, 100), default=5)
    parser.add_argument(
        "--folder", metavar="DIR", type=Path, default=Path("runs/accuracy"), help="for the runs"
    )
    parser.add_argument("--also", metavar="DIR", help="IDX files whose test part is read as well")
    return parser


def _trained(options: argparse.Namespace, training: list[str], seed: int) -> dict[str, Any]:
    """What the run of one seed came to."""
    # Named after the options, without paths and dashes.
    names = [Path(word).name.lstrip("-") for word in training] or ["default"]
    folder = options.folder / "-".join([*names, f"s{seed}"])
    if (folder / "checkpoint.safetensors").exists():
        result = _called("train", "--quiet", "--resume", str(folder))
    else:
        command = ["--quiet", "--seed", str(seed), "--run-dir", str(folder), *training]
        result = _called("train", *command)
    row = {name: result[name] for name in ("test_accuracy", "errors", "seconds")}
    row |= {"images_per_second": result["images_per_second"]}
    if options.also:
        row["also"] = _called("evaluate", result["weights"], "--data-dir", options.also)["accuracy"]
    return row


def _called(command: str, *arguments: str) -> dict[str, Any]:
    """What a command of tinycnn prints with ``--json``."""
    words = [sys.executable, "-m", f"tinycnn.{command}", "--json", *arguments]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise TinyCNNError(done.stderr.strip().removeprefix("error: "))
    return json.loads(done.stdout)


def _line(name: str, row: dict[str, Any]) -> str:
    also = f"{100 * row['also']:7.3f}" if "also" in row else f"{'-':>7}"
    return (
        f"{name:>4} {100 * row['test_accuracy']:7.3f} {row['errors']:7.1f} {also} "
        f"{row['seconds']:8.1f} {row['images_per_second']:9,.0f}"
    )


if __name__ == "__main__":
    raise SystemExit(run_command(main))
