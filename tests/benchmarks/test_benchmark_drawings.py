"""The benchmarks of reading: what they count, what they print, what they draw."""

import json

import numpy as np
import pytest
from PIL import Image
from template_network import model, recognizer

from benchmarks import drawings
from benchmarks.quality.handwriting import DIGITS, tremble, write
from benchmarks.quality.pages import GAPS, Sample, load_samples, strings
from benchmarks.quality.reading import acceptance, auroc, digit_rows, image_scores, outcome
from benchmarks.speed import preparation
from docs import pictures
from tinycnn.cli import run_command
from tinycnn.ink import read_strokes

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


def run(folder, *words):
    files = [folder / "digits.jsonl", "--weights", folder / "weights.safetensors"]
    return run_command(drawings.main, [str(word) for word in (*files, *words)])


def test_the_command_measures_everything(folder, capsys, monkeypatch):
    monkeypatch.setattr(drawings, "SCRIBBLES", 5)
    options = ["--letters", folder / "letters.jsonl", "--rows", 3, "--brushes", 12]
    code = run(folder, *options, "--json", folder / "out.json", "--errors", folder / "errors.png")
    out = capsys.readouterr().out
    (figures,) = json.loads((folder / "out.json").read_text()).values()
    assert code == 0
    assert "digits.jsonl, 40 digits" in out
    assert figures["singles"]["strokes"]["n"] == 40
    assert figures["singles"]["strokes"]["accuracy"] > 0.8
    assert figures["singles"]["naive, brush 16"]["accuracy"] < 0.7
    assert set(figures["rows"]) == set(GAPS)
    assert figures["refusal"]["letters"]["n"] == 1
    for kind in ("dots", "blank"):
        assert set(figures["refusal"][kind]["accepted"].values()) == {0}
    with Image.open(folder / "errors.png") as picture:
        assert picture.width > 100


def test_the_halves_have_no_writer_in_common(folder):
    samples = load_samples(folder / "digits.jsonl")
    halves = [{s.writer for s in drawings._of_every_other_writer(samples, k)} for k in (1, 2)]
    assert halves == [{"w0", "w2"}, {"w1", "w3"}]


@pytest.mark.parametrize("content", ["", '{"strokes": []}\n'])
def test_a_file_without_drawings_is_refused(tmp_path, capsys, content):
    (tmp_path / "empty.jsonl").write_text(content)
    assert run_command(drawings.main, [str(tmp_path / "empty.jsonl")]) == 2
    assert "holds no drawings" in capsys.readouterr().err


def test_outcomes_are_counted_by_answer_and_by_writer():
    labels = np.array(list("1112"))
    counted = outcome(["1", "7", "7", "2"], labels, np.array(["a", "a", "a", "b"]))
    assert (counted.n, counted.errors, counted.accuracy) == (4, 2, 0.5)
    assert counted.by_writer == pytest.approx((1 / 3 + 1) / 2)
    assert counted.worst_tenth == pytest.approx(1 / 3)
    assert counted.kinds == [("1", "7", 2)]


def test_an_interval_is_wider_where_whole_writers_are_misread():
    labels, writers = np.array(["1"] * 400), np.repeat(np.arange(20), 20)
    spread, clustered = (np.array(["1"] * 400) for _ in range(2))
    spread[::20], clustered[:20] = "7", "7"  # one digit of each writer, or all digits of one
    widths = [np.ptp(outcome(z, labels, writers).interval95) for z in (spread, clustered)]
    assert widths[1] > 3 * widths[0]


def test_segmentation_is_compared_with_reading_the_digits_separately():
    samples = [Sample(strokes, digit) for digit, strokes in DIGITS.items()]
    rows = digit_rows(samples, READER, 6, 0, tell=lambda text: None)
    assert rows["ordinary"]["apart"].accuracy == 1
    assert rows["ordinary"]["strokes"].accuracy > 0.8
    assert rows["touching"]["bitmap"].accuracy <= rows["ordinary"]["bitmap"].accuracy


def test_a_row_knows_the_strokes_of_each_digit():
    samples = [Sample(strokes, digit) for digit, strokes in DIGITS.items()]
    (row,) = strings(samples, 1, GAPS["tight"], np.random.default_rng(3))
    assert [len(strokes) for strokes in row.digits()] == [len(DIGITS[d]) for d in row.label]


def test_a_page_is_as_acceptable_as_its_worst_digit_or_its_best_scribble():
    pages = [write("37"), []]
    scores = [digit.score for digit in read_strokes(pages[0], READER).digits]
    assert acceptance(pages, READER, digits=True).tolist() == [min(scores), -np.inf]
    assert acceptance(pages, READER, digits=False).tolist() == [max(scores), -np.inf]
    assert image_scores([DIGITS["3"]], READER) > image_scores([pages[0]], READER)


def test_auroc_is_the_share_of_pairs_in_the_right_order():
    rng = np.random.default_rng(1)
    accept, refuse = rng.integers(0, 9, 30), rng.integers(-4, 6, 20)
    pairs = accept[:, None] - refuse
    assert auroc(accept, refuse) == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2)


def test_the_preparation_is_timed(folder, capsys, monkeypatch):
    monkeypatch.setattr(preparation, "PHOTO", (1600, 1200))
    words = ["--weights", str(folder / "weights.safetensors"), "--rounds", "1"]
    assert run_command(preparation.main, words) == 0
    assert "a photo of 12 megapixels" in capsys.readouterr().out


def test_every_step_of_reading_is_drawn(tmp_path):
    pictures.draw_steps(tmp_path, READER)
    for name in ("drawing-steps.png", "photo-steps.png", "touching-steps.png", "photo-boxes.jpg"):
        with Image.open(tmp_path / name) as picture:
            assert np.asarray(picture).std() > 10
