"""Real training processes on a data set so small that a hundred of them can be killed."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tinycnn.data import write_idx

ROOT = Path(__file__).parents[2]
PLAN = [
    *("--preset", "tiny", "--epochs", "6", "--batch-size", "5", "--augment", "light"),
    *("--average", "0.9", "--validation", "0.2", "--checkpoint-every", "1"),
]


def easy_arrays(training: int, test: int, side: int) -> dict[str, np.ndarray]:
    """Four arrays by file name: noisy square images of three easy classes, and their labels."""
    rng = np.random.default_rng(3)
    patterns = rng.integers(0, 200, (3, side, side))
    arrays = {}
    for part, count in (("train", training), ("t10k", test)):
        labels = (np.arange(count) % 3).astype(np.uint8)
        noise = rng.integers(0, 56, (count, side, side))
        arrays[f"{part}-images-idx3-ubyte"] = (patterns[labels] + noise).astype(np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = labels
    return arrays


def make_data(folder: Path, training: int = 50, test: int = 20, side: int = 28) -> Path:
    """The same as a folder with four IDX files."""
    folder.mkdir()
    for name, array in easy_arrays(training, test, side).items():
        write_idx(folder / name, array)
    return folder


def start(
    data: Path, run: Path, *options: str, folder: Path | None = None, **environment: str
) -> subprocess.Popen:
    """Start the run, or go on with it where there is a checkpoint, in a process of its own."""
    words = [sys.executable, "-m", "tinycnn.train", *options]
    if any(run.glob("checkpoint*.safetensors")):
        words += ["--resume", str(run), "--checkpoint-every", "1"]
    else:
        words += ["--data-dir", str(data), "--run-dir", str(run), *PLAN]
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen, run: Path) -> str:
    """Let a training end without disturbing it; return the SHA-256 of the weights."""
    _, said = process.communicate()
    if process.returncode:
        raise RuntimeError(f"training ended with {process.returncode}: {said[-500:]}")
    return hashlib.sha256((run / "weights.safetensors").read_bytes()).hexdigest()
