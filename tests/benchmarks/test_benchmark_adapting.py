"""Adaptation measured: odd sevens are learned, and a writer who is read well is left out."""

import json

import numpy as np
import pytest
from template_network import DIGITS

from benchmarks.quality import adapting
from tinycnn.errors import DataError

pytestmark = pytest.mark.usefixtures("one_thread")


def stroke_file(path, label):
    """One writer, sixteen sevens."""
    rng = np.random.default_rng(0)
    with open(path, "w") as file:
        for _ in range(16):
            strokes = [(z + rng.normal(0, 2, z.shape)).tolist() for z in DIGITS["7"]]
            print(json.dumps({"strokes": strokes, "label": label, "writer": "w"}), file=file)
    return str(path)


def test_a_writer_is_taught_and_one_who_is_read_well_is_left_out(tmp_path, capsys):
    assert adapting.main([stroke_file(tmp_path / "odd.jsonl", "1")]) == 0
    table = " ".join(capsys.readouterr().out.split())
    assert "1 writers; digits that were not taught: 0 ->" in table
    assert "of 2,000" in table
    with pytest.raises(DataError, match=r"no writer in .* is misread 5 times"):
        adapting.main([stroke_file(tmp_path / "tidy.jsonl", "7")])
