"""The benchmarks of reading: what they count, what they print, what they draw."""

import json

import numpy as np
import pytest
from PIL import Image
from template_network import model, recognizer

from benchmarks import drawings
from benchmarks.quality.forms import AMOUNTS
from benchmarks.quality.handwriting import DIGITS, tremble
from benchmarks.quality.pages import GAPS
from benchmarks.quality.reading import outcome
from docs import pictures
from tinycnn.cli import run_command

READER = recognizer()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A stroke file of four writers, one of letters, and weights."""
    folder = tmp_path_factory.mktemp("drawings")
    rng = np.random.default_rng(0)
    names = [str(digit) for digit in range(10)]
    model().save(folder / "weights.safetensors", classes=names, calibration={"threshold": 1.0})
    with open(folder / "digits.jsonl", "w") as file:
        for number in range(40):
            digit = str(number % 10)
            strokes = [stroke.tolist() for stroke in tremble(DIGITS[digit], rng, 0.5)]
            record = {"strokes": strokes, "label": int(digit), "writer": f"w{number // 10}"}
            print(json.dumps(record), file=file)
    letter = {"strokes": [[[0, 100], [30, 0], [60, 100]], [[15, 60], [45, 60]]], "label": "A"}
    (folder / "letters.jsonl").write_text(json.dumps(letter) + "\n")
    return folder


def test_the_command_measures_everything(folder, capsys, monkeypatch):
    monkeypatch.setattr(drawings, "SCRIBBLES", 5)
    monkeypatch.setattr(drawings, "BRUSHES", (12,))
    monkeypatch.setattr(drawings, "HANDS", 1)
    monkeypatch.setattr(drawings, "CELLS", 5)
    words = [folder / "digits.jsonl", "--weights", folder / "weights.safetensors"]
    words += ["--letters", folder / "letters.jsonl", "--rows", 3, "--json", folder / "out.json"]
    assert run_command(drawings.main, [str(word) for word in words]) == 0
    (figures,) = json.loads((folder / "out.json").read_text()).values()
    assert "digits.jsonl, 40 digits" in capsys.readouterr().out
    assert figures["singles"]["strokes"]["n"] == 40
    assert figures["singles"]["strokes"]["accuracy"] > 0.8
    assert figures["singles"]["naive, brush 16"]["accuracy"] < 0.7
    assert set(figures["rows"]) == set(GAPS)
    assert figures["forms"]["amounts, strokes"]["n"] == len(AMOUNTS)
    assert figures["forms"]["amounts, strokes"]["right"] > 4
    assert figures["forms"]["cells of a form"]["n"] == 5
    assert figures["refusal"]["letters"]["n"] == 1
    for kind in ("dots", "blank"):
        assert set(figures["refusal"][kind]["accepted"].values()) == {0}


def test_outcomes_are_counted_by_answer_and_by_writer():
    labels = np.array(list("1112"))
    counted = outcome(["1", "7", "7", "2"], labels, np.array(["a", "a", "a", "b"]))
    assert (counted.n, counted.errors, counted.accuracy) == (4, 2, 0.5)
    assert counted.by_writer == pytest.approx((1 / 3 + 1) / 2)
    assert counted.worst_tenth == pytest.approx(1 / 3)
    assert counted.kinds == [("1", "7", 2)]


def test_every_step_of_reading_is_drawn(tmp_path):
    pictures.draw_steps(tmp_path, READER)
    for name in ("drawing-steps.png", "photo-steps.png", "touching-steps.png", "photo-boxes.jpg"):
        with Image.open(tmp_path / name) as picture:
            assert np.asarray(picture).std() > 10
