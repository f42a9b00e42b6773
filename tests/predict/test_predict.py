import gzip
import io
import json
import sys

import numpy as np
import pytest
from PIL import Image
from template_network import model, templates

from benchmarks.quality.handwriting import DIGITS, write
from benchmarks.quality.pages import page_of, photograph
from tinycnn.cli import run_command
from tinycnn.data import write_idx
from tinycnn.ink import Recognizer, reading
from tinycnn.predict import command, sources
from tinycnn.predict.__main__ import main
from tinycnn.predict.api import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with weights, a page, a photo, drawings and images."""
    folder = tmp_path_factory.mktemp("predict")
    names = [str(digit) for digit in range(10)]
    model().save(folder / "weights.safetensors", classes=names, calibration={"temperature": 2.0})
    ink = page_of([stroke / 100 for stroke in write("472")], 100, 9)
    Image.fromarray(255 - ink).save(folder / "page.png")
    photo = photograph(page_of([s / 100 for s in write("74")], 160, 12), np.random.default_rng(0))
    (folder / "photo.jpg").write_bytes(photo)
    Image.new("L", (50, 50), 255).save(folder / "blank.png")
    (folder / "broken.png").write_bytes((folder / "page.png").read_bytes()[:200])
    with open(folder / "drawings.jsonl", "w") as file:
        for number, strokes in DIGITS.items():
            # A network that has never seen half a digit needs the 4 in one stroke.
            lines = [np.vstack(strokes)] if number == "4" else strokes
            record = {"strokes": [line.tolist() for line in lines], "label": int(number)}
            print(json.dumps(record), file=file)
    write_idx(folder / "images.idx", templates())
    return folder


@pytest.fixture
def predict(folder, capsys, monkeypatch):
    """Run the command inside the folder: exit code, lines of stdout, lines of stderr."""
    monkeypatch.chdir(folder)

    def run(*arguments):
        code = run_command(main, [*arguments, "--weights", "weights.safetensors"])
        out, err = capsys.readouterr()
        lines = [line for line in err.splitlines() if not line.startswith("compil")]
        return code, out.splitlines(), lines

    return run


def test_an_interrupt_keeps_the_table_of_what_was_read(predict, folder, tmp_path, monkeypatch):
    def read(file):
        if file == "photo.jpg":
            raise KeyboardInterrupt
        return (folder / file).read_bytes()

    monkeypatch.setattr(command, "read_file", read)
    code, _, _ = predict("page.png", "photo.jpg", "--csv", str(tmp_path / "read.csv"))
    assert code == 130
    lines = (tmp_path / "read.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in lines] == ["text", "472"]


def test_files_are_read_one_line_each(predict):
    code, out, err = predict("page.png", "photo.jpg")
    assert (code, err) == (0, [])
    assert [line.split("  ")[0] for line in out] == ["page.png: 472", "photo.jpg: 74"]


def test_json_has_text_boxes_labels_and_confidence(predict):
    code, out, _ = predict("page.png", "--json")
    (record,) = map(json.loads, out)
    assert code == 0
    assert (record["file"], record["text"]) == ("page.png", "472")
    assert [digit["label"] for digit in record["digits"]] == [4, 7, 2]
    for digit in record["digits"]:
        assert 0 < digit["confidence"] <= 1
        assert digit["rejected"] is False
        x, y, width, height = digit["box"]
        assert min(x, y, width, height) > 0
    boxes = [digit["box"] for digit in record["digits"]]
    assert boxes == sorted(boxes)
    (line,) = predict("page.png", "--json", "--single")[1]
    assert len(json.loads(line)["digits"]) == 1


def test_drawings_are_told_by_their_content_and_read_in_the_order_of_the_file(predict, folder):
    (folder / "drawings.bin").write_bytes(gzip.compress((folder / "drawings.jsonl").read_bytes()))
    for arguments in (["--strokes", "drawings.jsonl"], ["drawings.bin"]):
        code, out, _ = predict(*arguments, "--json")
        records = [json.loads(line) for line in out]
        assert code == 0
        assert [record["index"] for record in records] == list(range(10))
        assert [int(record["text"]) for record in records] == [z["label"] for z in records]


def test_a_damaged_drawing_does_not_stop_the_others(predict, folder):
    good = (folder / "drawings.jsonl").read_text().splitlines()
    (folder / "damaged.jsonl").write_text("\n".join([good[7], '{"strokes": 3}', good[2]]))
    code, out, err = predict("--strokes", "damaged.jsonl", "--json")
    records = [json.loads(line) for line in out]
    assert code == 1
    assert [record.get("text") for record in records] == ["7", None, "2"]
    assert "strokes must be a list" in records[1]["error"]
    assert err == [f"damaged.jsonl[1]: {records[1]['error']}"]


def test_idx_images_are_read_one_by_one(predict):
    code, out, _ = predict("images.idx", "--json")
    assert code == 0
    assert [json.loads(line)["text"] for line in out] == list("0123456789")
    assert predict("images.idx")[1][1].startswith("images.idx[1]: 1  (")


def test_standard_input_is_read_and_a_closed_one_reported(predict, folder, monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO((folder / "page.png").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stdin)
    code, out, _ = predict("-")
    assert code == 0
    assert out[0].startswith("standard input: 472")
    monkeypatch.setattr(sys, "stdin", None)
    code, out, err = predict("-", "page.png")
    assert (code, len(out), err) == (1, 1, ["standard input: the file is empty"])


def test_files_that_fail_are_reported_and_the_others_are_read(predict, folder):
    (folder / "empty").mkdir()
    files = ["broken.png", "missing.png", "blank.png", "empty", "weights.safetensors", "page.png"]
    code, out, err = predict(*files)
    assert code == 1
    assert [line.split("  ")[0] for line in out] == ["page.png: 472"]
    assert [line.split(":")[0] for line in err] == files[:-1]
    assert "no ink" in err[2]
    assert all(len(line) < 200 for line in err)
    record = json.loads(predict("blank.png", "--json")[1][0])
    assert (record["text"], record["digits"]) == ("", [])
    (folder / "dot.jsonl").write_text('{"strokes": [[[3, 4]]]}\n')
    code, out, _ = predict("--strokes", "dot.jsonl")
    assert (code, out) == (0, ["dot.jsonl[0]: there is ink, but no digit"])


@pytest.mark.parametrize("fault", [IndexError("x"), MemoryError(), RecursionError("deep")])
def test_after_any_error_inside_one_file_or_drawing_the_others_are_read(
    predict, monkeypatch, fault
):
    once, read = iter([fault]), sources.read_strokes

    def fail(*_, **__):
        raise fault

    def fail_once(*arguments, **options):
        return fail() if next(once, None) else read(*arguments, **options)

    monkeypatch.setattr(sources, "read_picture", fail)
    monkeypatch.setattr(sources, "read_strokes", fail_once)
    code, out, err = predict("page.png", "photo.jpg", "--strokes", "drawings.jsonl")
    assert (code, len(out), len(err)) == (1, 9, 3)
    assert [line.split(":")[0] for line in err] == ["page.png", "photo.jpg", "drawings.jsonl[0]"]
    _, _, err = predict("page.png", "--debug")
    assert err[0] == "Traceback (most recent call last):"
    assert any(line.startswith(type(fault).__name__) for line in err)


def test_all_pages_are_read(predict, folder):
    blank = Image.new("L", (50, 50), 255)
    blank.save(folder / "pages.tif", save_all=True, append_images=[Image.open(folder / "page.png")])
    code, out, err = predict("pages.tif")
    assert (code, len(out), len(err)) == (1, 1, 1)
    assert out[0].startswith("pages.tif[1]: 472")
    assert err[0].startswith("pages.tif[0]: ")


def test_folders_are_read_and_the_folders_in_them_if_asked_for(predict, folder, tmp_path):
    (tmp_path / "below").mkdir()
    for name in ("b.png", "a.png", ".hidden", "below/c.png"):
        (tmp_path / name).write_bytes((folder / "page.png").read_bytes())
    _, out, _ = predict(str(tmp_path))
    assert [line.split(": ")[0] for line in out] == [str(tmp_path / z) for z in ("a.png", "b.png")]
    assert len(predict(str(tmp_path), "--recursive")[1]) == 3


def test_a_page_that_would_take_too_long_is_refused_and_the_others_are_read(
    predict, folder, monkeypatch
):
    ink = page_of([stroke / 100 for stroke in write("472472")], 100, 9)
    Image.fromarray(255 - ink).save(folder / "long.png")
    monkeypatch.setattr(reading, "MOST_CANDIDATES", 5)
    code, out, err = predict("long.png", "--strokes", "drawings.jsonl")
    assert (code, len(out)) == (1, 10)
    assert "more than the 5 that are tried" in err[0]


def test_of_an_idx_file_a_bounded_number_of_images_is_read(predict, folder, monkeypatch):
    write_idx(folder / "blank.idx.gz", np.zeros((20_000, 28, 28), np.uint8))
    code, out, err = predict("blank.idx.gz")
    assert (code, out) == (1, [])
    assert err == ["blank.idx.gz: there is no ink in any of its 20,000 images"]
    monkeypatch.setattr(sources, "MOST_IMAGES", 4)
    code, out, err = predict("images.idx")
    assert (code, len(out), len(err)) == (1, 4, 1)
    assert "the first 4 of its 10 images were read" in err[0]


def test_a_page_that_lies_on_its_side_is_turned_and_that_is_said():
    recognizer = Recognizer.of(load())
    ink = page_of([stroke / 100 for stroke in write("472\n356")], 100, 9)
    for turns, side in (0, None), (1, "left"), (3, "right"):
        Image.fromarray(255 - np.rot90(ink, turns)).save(file := io.BytesIO(), "PNG")
        (item,) = sources.read_items("page.png", file.getvalue(), recognizer)
        assert item.reading.text == "472\n356"
        assert item.note == (side and f"it lies on its {side} side and was turned upright")


def test_of_a_document_a_bounded_number_of_pages_is_read(predict, folder, monkeypatch):
    with Image.open(folder / "page.png") as page:
        page.save(folder / "pages.tiff", save_all=True, append_images=[page, page])
    monkeypatch.setattr(sources, "MOST_PAGES", 2)
    code, out, err = predict("pages.tiff")
    assert (code, len(out), len(err)) == (1, 2, 1)
    assert "the first 2 of its 3 pages were read" in err[0]


def test_images_that_look_inverted_are_warned_of_once(predict, folder):
    write_idx(folder / "inverted.idx", 255 - templates())
    code, out, err = predict("inverted.idx")
    assert (code, len(out), len(err)) == (0, 10, 1)
    assert "inverted.idx: the images look as if they are inverted" in err[0]


@pytest.mark.parametrize(
    ("files", "option", "output", "kept"),
    [
        (["page.png"], "--boxes", "page.png", "page.png"),
        (["page.png"], "--steps", "predict/page.png", "page.png"),
        (["photo.jpg", "seen-2.png"], "--boxes", "seen.png", "seen-2.png"),
    ],
)
def test_inputs_are_never_overwritten(predict, folder, tmp_path, files, option, output, kept):
    for name in ("page.png", "photo.jpg", "seen-2.png"):
        source = folder / name.replace("seen-2", "page")
        (tmp_path / name).write_bytes(source.read_bytes())
    (tmp_path / "predict").symlink_to(tmp_path)
    before = (tmp_path / kept).read_bytes()
    code, _, err = predict(*(str(tmp_path / f) for f in files), option, str(tmp_path / output))
    assert (code, "write to another file" in err[-1]) == (2, True)
    assert (tmp_path / kept).read_bytes() == before


def test_boxes_and_steps_are_written_as_pictures(predict, folder):
    (folder / "two.jsonl").write_text("".join((folder / "drawings.jsonl").open().readlines()[:2]))
    code, _, _ = predict("page.png", "two.jsonl", "--boxes", "seen.png", "--steps", "steps.png")
    assert code == 0
    page = Image.open(folder / "page.png")
    seen = Image.open(folder / "seen.png")
    assert seen.size == page.size
    assert len(seen.getcolors(99_999)) > len(page.getcolors(99_999))
    assert (folder / "seen-2.png").exists()
    assert (folder / "seen-3.png").exists()
    steps = np.asarray(Image.open(folder / "steps.png"))
    assert steps.shape[0] > 5 * 224  # one row for the page, five for digits


@pytest.mark.parametrize(
    "arguments",
    [[], ["page.png", "--boxes", "out.jpg"], ["page.png", "--steps", "out.jpg"], ["--unknown"]],
)
def test_wrong_usage_is_refused(predict, arguments):
    assert predict(*arguments)[0] == 2


def test_bad_weights_are_refused_before_anything_is_read(folder, refused):
    page = folder / "page.png"
    assert "page.png" in refused(main, page, "--weights", page)
