"""Hypothesis draws no more than there is time for, and the same examples each time in CI.

HYPOTHESIS_PROFILE=long python -m pytest       looks twenty times as hard
NUMBA_DISABLE_JIT=1 python -m pytest           kernels as plain Python; slow tests are skipped
"""

import os
import signal
import subprocess
from contextlib import contextmanager

import pytest
from hypothesis import settings

from tests.reliability import small_runs
from tinycnn.cli import run_command
from tinycnn.data import load_dataset, write_idx
from tinycnn.data.catalogue import FILE_NAMES
from tinycnn.kernels.jit import UNCOMPILED

PATIENCE = 10.0
"""Seconds that a test, or what it builds on, may take where kernels are plain Python."""

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
def refused(capfd):
    """Run a command that ends with exit code 2, or another, in one sentence, which is returned."""

    def run(main, *words, code=2):
        assert run_command(main, [str(word) for word in words]) == code
        out, err = capfd.readouterr()
        assert (out, err.count("\n")) == ("", 1), out + err
        return err

    return run


@pytest.fixture(scope="session")
def write_digits():
    """Write a folder with so many of the bundled digits to train on and to test on."""

    def write(folder, training, test):
        digits = load_dataset()
        arrays = digits.train_images, digits.train_labels, digits.test_images, digits.test_labels
        counts = training, training, test, test
        folder.mkdir()
        for name, array, count in zip(FILE_NAMES, arrays, counts, strict=True):
            write_idx(folder / name, array[:count])
        return folder

    return write


EASY = 100, 40, 16  # images to train on and to test on, and the length of their sides


@pytest.fixture
def easy_arrays():
    return small_runs.easy_arrays(*EASY)


@pytest.fixture
def easy_folder(tmp_path):
    return small_runs.make_data(tmp_path / "easy", *EASY)


@contextmanager
def _patience():
    """Skip what takes too long uncompiled: whole trainings would take hours."""

    def give_up(*_):
        # What the test has started would go on, and whatever closes it would wait.
        subprocess.run(["pkill", "-KILL", "-P", str(os.getpid())], check=False)
        pytest.skip(f"more than {PATIENCE:.0f} s in plain Python")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


if UNCOMPILED:

    def pytest_configure(config):
        """A test that is given up leaves files and processes open."""
        ignored = "ignore::pytest.PytestUnraisableExceptionWarning"
        config.addinivalue_line("filterwarnings", ignored)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(item):
        with _patience():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(item):
        with _patience():
            return (yield)
