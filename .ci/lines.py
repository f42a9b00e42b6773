"""Lines of Python beside the budget, for each part of the house: ``python .ci/lines.py``."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]

CORE = ("reference", "layers", "losses", "optimizers", "model", "presets", "fit")

BUDGET = {
    "nn, the seven files of the core": ([f"tinycnn/nn/{name}.py" for name in CORE], 1_100),
    "kernels": (["tinycnn/kernels/*.py"], 2_300),
    "tinycnn": (["tinycnn/*.py"], 18_800),
    "apps": (["apps/*.py"], 5_400),
    "benchmarks": (["benchmarks/*.py"], 4_500),
    "tests": (["tests/*.py"], None),
    "docs": (["docs/*.py"], None),
    "all Python": (["*.py"], 47_000),
}
"""Patterns of ``git ls-files``, in which a star crosses folders, and lines that are allowed."""


def count(patterns: list[str]) -> int:
    """Return the lines of all files in git that a pattern names."""
    command = ["git", "ls-files", "-z", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    paths = [ROOT / name for name in names.split("\0") if name]
    return sum(path.read_bytes().count(b"\n") for path in paths if path.exists())


def main() -> None:
    """Print the table."""
    print(f"{'':34} {'lines':>7} {'budget':>7}")
    for part, (patterns, budget) in BUDGET.items():
        lines = count(patterns)
        over = f"{lines - budget:+,} over" if budget and lines > budget else ""
        print(f"{part:34} {lines:7,} {f'{budget:,}' if budget else '':>7} {over}".rstrip())


if __name__ == "__main__":
    main()
