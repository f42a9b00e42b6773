"""Hypothesis draws no more than there is time for, and the same examples each time in CI.

HYPOTHESIS_PROFILE=long python -m pytest       looks twenty times as hard
"""

import os

import numpy as np
import pytest
from hypothesis import settings

from tinycnn.data import write_idx

# No deadlines: a loaded machine is no bug, and the first call of a kernel compiles it.
settings.register_profile("default", deadline=None, max_examples=30)
settings.register_profile("ci", deadline=None, max_examples=30, derandomize=True)
settings.register_profile("short", deadline=None, max_examples=8, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=600)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="module")
def one_thread():
    """Run kernels on one thread: waking others takes longer than the small arrays of a test."""
    from tinycnn.nn import get_threads, set_threads

    before = get_threads()
    set_threads(1)
    yield
    set_threads(before)


@pytest.fixture
def easy_arrays():
    """Four arrays by file name: 100 and 40 noisy 16 x 16 images of three easy classes."""
    rng = np.random.default_rng(3)
    patterns = rng.integers(0, 200, (3, 16, 16))
    arrays = {}
    for part, count in (("train", 100), ("t10k", 40)):
        labels = (np.arange(count) % 3).astype(np.uint8)
        noise = rng.integers(0, 56, (count, 16, 16))
        arrays[f"{part}-images-idx3-ubyte"] = (patterns[labels] + noise).astype(np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = labels
    return arrays


@pytest.fixture
def easy_folder(tmp_path, easy_arrays):
    """The same as a folder with four IDX files."""
    folder = tmp_path / "easy"
    folder.mkdir()
    for name, array in easy_arrays.items():
        write_idx(folder / name, array)
    return folder
