"""What learners run is imported from docs and docs/exercises."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="package", autouse=True)
def on_the_path():
    before = sys.path[:]
    sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "docs/exercises"), str(ROOT)]
    yield
    sys.path[:] = before
