"""The numbers are right in all three modes: this run's, with bounds checks, and uncompiled.

Without flags, kernels run in parallel and check no index; there, a wrong one could go unnoticed.
So what is said about them is said again, in short, of the same functions compiled for one thread
with every index checked, and of the same functions run as plain Python.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinycnn.kernels.jit import CHECKED, UNCOMPILED

ROOT = Path(__file__).parents[2]

FILES = [
    "tests/kernels/test_kernels.py",
    "tests/nn/test_checks.py",
    "tests/kernels/test_vectors.py",
    "tests/nn/test_gradients.py",
    "tests/nn/test_gradcheck.py",
    "tests/nn/test_layers.py",
    "tests/nn/test_losses.py",
    "tests/nn/test_optimizers.py",
    "tests/nn/test_inference.py",
]

MODES = {
    "with bounds checks": {"TINYCNN_KERNELS": "serial"},
    "uncompiled": {"NUMBA_DISABLE_JIT": "1"},
}


@pytest.mark.skipif(CHECKED or UNCOMPILED, reason="this is one of the other modes already")
@pytest.mark.parametrize("mode", MODES)
def test_the_numbers_are_right_in_the_other_modes_too(mode):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", *FILES],
        cwd=ROOT,
        env={**os.environ, "HYPOTHESIS_PROFILE": "short", **MODES[mode]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
