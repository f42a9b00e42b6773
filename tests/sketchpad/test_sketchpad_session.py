import gzip
import json
import threading
import time
from itertools import pairwise

import numpy as np
import pytest
import sketching
import template_network
from PIL import Image, ImageGrab
from sketching import draw, say, write

from apps.sketchpad import files
from apps.sketchpad.__main__ import main
from apps.sketchpad.commands import COMMANDS, do
from apps.sketchpad.engine import Engine
from apps.sketchpad.keys import KEYS, by_name
from apps.sketchpad.phrases import article, percent, sentence, verdict
from apps.sketchpad.record import is_record, read_record, recorder
from apps.sketchpad.replay import write_drawings
from apps.sketchpad.session import Session
from apps.sketchpad.worker import Inline, Thread
from benchmarks.quality import handwriting
from tinycnn.errors import DataError, EnvironmentFault, TinyCNNError, WeightsError
from tinycnn.ink import Recognizer, read_strokes


@pytest.fixture
def session():
    return sketching.session()


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "tidy.safetensors"
    template_network.model().save(path)
    return path


# ------------------------------------------------------------------------------------- reading


def test_what_is_written_is_read_while_it_is_written(session):
    write(session, "7")
    assert session.text == "7"
    first, second = handwriting.write("5", height=150.0, at=(250.0, 50.0))
    draw(session, first)
    do(session, ("down", *second[0]))
    for place in second[1:]:
        do(session, ("move", *place))
    session.tick()
    assert session.pad.live, "the pen is still down"
    assert session.text == "75"


def test_numbers_written_point_by_point_are_read_as_predict_reads_them():
    rng = np.random.default_rng(5)
    session = Session(Inline(), lambda: Engine.load("default"))
    session.tick()
    session.tick()
    recognizer = Recognizer.of(session.engine.model)
    texts = ["".join(map(str, rng.integers(0, 10, rng.integers(1, 6)))) for _ in range(25)]
    drawings, known = [], []
    for text in texts:
        strokes = handwriting.write(text, rng.uniform(15, 40))
        strokes = handwriting.tremble(strokes, rng, rng.uniform(0, 2.5))
        drawings.append(json.dumps({"strokes": [stroke.tolist() for stroke in strokes]}))
        known.append(read_strokes(strokes, recognizer).text)
    written = [one["text"] for one in write_drawings("\n".join(drawings).encode(), session)]
    assert written == known
    assert np.mean(np.array(known) == texts) > 0.8


def test_too_many_strokes_are_reported_and_can_be_taken_back(session):
    lines = [np.array([(x, y), (x + 3.0, y + 9.0)]) for x in range(40) for y in range(26)]
    session.pad.write([line * 10 for line in lines], 4.0)
    session.tick()
    assert "1,000" in session.screen.note
    assert session.text == ""
    write(session, "1")
    do(session, ("undo",))
    do(session, ("undo",))
    write(session, "1")
    assert session.text == "1"


def test_the_digit_written_last_is_selected_until_another_one_is_chosen(session):
    write(session, "12")
    write(session, "3", at=(10.0, 300.0))
    assert session.context().digit.name == "3"
    do(session, ("select", 0))
    assert session.context().digit.name == "1"
    do(session, ("next", 1))
    assert session.context().digit.name == "2"
    do(session, ("next", -2))
    assert session.context().digit.name == "3", "it goes round"
    write(session, "4", at=(200.0, 300.0))
    assert session.context().digit.name == "4", "writing goes before choosing"


def test_labels_stay_with_their_strokes(session):
    write(session, "12")
    do(session, ("select", 0))
    do(session, ("label", "7"))
    assert session.context().label == "7"
    do(session, ("select", 1))
    assert session.context().label is None
    do(session, ("label", "k"))
    assert "no class k" in session.screen.note
    say(session, ("undo",))
    do(session, ("select", 0))
    assert session.context().label is None


# -------------------------------------------------------------------------------- other ways in


def test_test_digits_are_laid_on_the_paper_and_mistakes_another_one_at_every_turn(session):
    say(session, ("digit",))
    sheet = session.pad.page.sheet
    assert sheet.truth in "0123456789"
    np.testing.assert_array_equal(session.context().image, 255 - sheet.shade)
    shown = []
    for _ in range(3):
        say(session, ("mistake",))
        shown.append(session.pad.page.sheet.name)
        assert session.text != session.pad.page.sheet.truth
    assert len(set(shown)) == 3


def test_all_ink_is_one_digit_if_it_is_said_so_and_a_replay_says_it_too(session):
    write(session, "17", at=(60.0, 80.0))
    assert session.text == "17"
    say(session, ("single",))
    lines = [stroke.points for stroke in session.pad.page.strokes]
    known = read_strokes(lines, template_network.recognizer(), session.pad.brush, single=True)
    (digit,) = session.digits
    np.testing.assert_array_equal(digit.image, known.digits[0].image)
    assert digit.name == known.text
    assert session.answer.groups == (frozenset({1, 2, 3}),)
    assert "single" in {entry.command[0] for entry in session.log}
    say(session, ("single",))
    assert session.text == "17"


def test_a_picture_on_the_clipboard_is_read_and_what_cannot_be_is_one_sentence(
    monkeypatch, tmp_path
):
    session = sketching.session()
    app = sketching.app(session)

    def paste(held):
        monkeypatch.setattr(ImageGrab, "grabclipboard", held)
        app.do(("paste",))
        session.tick()
        session.tick()
        return session.screen.note

    page = Image.new("L", (300, 300), 255)
    page.paste(20, (140, 60, 152, 240))
    assert paste(lambda: page) == ""
    assert (session.text, session.pad.page.sheet.name) == ("1", "clipboard")
    page.save(tmp_path / "one.png")
    assert paste(lambda: [str(tmp_path / "one.png")]) == ""
    assert session.pad.page.sheet.name == "one.png"
    assert "no picture on the clipboard" in paste(lambda: None)
    assert "xclip" in paste(lambda: (_ for _ in ()).throw(NotImplementedError))


def test_pictures_are_read_and_framed_where_they_lie(session, tmp_path):
    page = np.full((300, 400), 255, np.uint8)
    for stroke in handwriting.write("7", height=150.0, at=(120.0, 70.0)):
        for a, b in pairwise(stroke):
            for x, y in np.linspace(a, b, 60):
                page[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5] = 20
    Image.fromarray(page).save(tmp_path / "seven.png")
    say(session, ("open", str(tmp_path / "seven.png")))
    assert session.text == "7"
    assert session.pad.page.sheet.name == "seven.png"


def test_a_stroke_file_is_laid_on_the_paper_its_path_may_begin_at_home(
    session, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    strokes = [stroke.tolist() for stroke in handwriting.write("40")]
    (tmp_path / "forty.jsonl").write_text(json.dumps({"strokes": strokes}))
    say(session, ("open", "~/forty.jsonl"))
    assert session.text == "40"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"{not json", b'{"strokes": 5}'])
def test_a_file_without_a_picture_is_reported(content, session, tmp_path):
    (tmp_path / "strange").write_bytes(content)
    say(session, ("open", str(tmp_path / "strange")))
    assert session.screen.note.startswith("strange: ")
    assert session.pad.page.empty


def test_what_is_saved_is_read_again_as_it_was(session, tmp_path):
    write(session, "385")
    stem = files.save(session, tmp_path)
    assert files.save(session, tmp_path) != stem, "also in the same second"
    saved = {s: stem.with_name(stem.name + s) for s in (".json", ".jsonl", files.REPLAY)}
    assert json.loads(saved[".json"].read_text())["text"] == "385"
    assert is_record(saved[files.REPLAY].read_text())
    drawing = json.loads(saved[".jsonl"].read_text())
    strokes = [np.array(stroke) for stroke in drawing["strokes"]]
    again = read_strokes(strokes, template_network.recognizer(), drawing["pen"])
    assert again.text == "385"


# ------------------------------------------------------------------------------------ commands


def test_a_command_that_does_not_exist_or_has_other_arguments_is_refused(session):
    many = [("explode",), ("down", 1), ("down", "a", "b"), ("select", "x"), ("_take", 1)]
    for command in (*many, ("open", 5), ("undo", 5)):
        with pytest.raises(TinyCNNError):
            do(session, command)
    for command, said in (("popup", "no popup"), ("game", "no game"), ("save", "nothing to save")):
        do(session, (command, "chess") if command != "save" else (command,))
        assert said in session.screen.note
    for name, command in by_name(KEYS).items():
        assert command[0] in COMMANDS
        assert command != ("quit",) or "+" in name, "no single key ends the program"


def test_a_fault_of_a_tab_is_told_and_the_drawing_goes_on(session, capsys):
    def broken():
        raise ZeroDivisionError("one tab's bug")

    assert session.ask(("broken", 1), broken) is None
    assert "one tab's bug" in session.screen.note
    assert "ZeroDivisionError" in capsys.readouterr().err
    write(session, "6")
    assert session.text == "6"


def test_answers_to_tabs_are_computed_once(session):
    calls = []
    for _ in range(3):
        assert session.ask(("sum", 4), lambda x: calls.append(x) or x + 1, 4) == 5
    assert calls == [4]


# ---------------------------------------------------------------------------- words and worker


def test_certainty_is_never_claimed(session):
    assert percent(1.0) == "99.9 %"
    assert percent(0.0) == "0.0 %"
    write(session, "8")
    digit = session.context().digit
    assert verdict(digit) == "sure"
    assert sentence(digit).startswith("Surely an 8 (99")
    names = ("8", "7", "1", "11", "A", "u", "Bag", "ankle boot")
    assert [article(name) for name in names] == ["an", "a", "a", "an", "an", "a", "a", "an"]


def keep_busy(worker):
    """Give it work that lasts until the event that is returned."""
    begun, gate = threading.Event(), threading.Event()
    worker.submit("block", 0, lambda: (begun.set(), gate.wait()))
    begun.wait()
    return gate


def test_in_the_background_the_newest_question_wins_and_reading_goes_before_what_tabs_ask():
    rung, worked = threading.Semaphore(0), []
    worker = Thread(rung.release)
    gate = keep_busy(worker)
    worker.submit("ask layers", 1, worked.append, "layers")
    for number in range(50):
        worker.submit("read", number, worked.append, number)
    gate.set()
    for _ in range(3):
        rung.acquire()
    assert worked == [49, "layers"]
    assert [done.key for done in worker.collect()] == [0, 49, 1]


def test_the_session_never_waits_for_a_slow_worker():
    gate = threading.Event()

    def load():
        gate.wait()
        return sketching.engine()

    session = Session(Thread(lambda: None), load)
    start = time.perf_counter()
    write(session, "25")
    assert time.perf_counter() - start < 1
    assert session.text == ""
    assert len(session.pad.page.strokes) == len(handwriting.write("25"))
    gate.set()
    deadline = time.perf_counter() + 20
    while session.text != "25" and time.perf_counter() < deadline:
        session.tick()
        time.sleep(0.01)
    assert session.text == "25", "nothing written meanwhile is lost"


# --------------------------------------------------------------------------- records and replays


def test_what_is_recorded_can_be_played_again(tmp_path, capsys, weights):
    path = tmp_path / "session.jsonl"
    now = 0.0
    with recorder(path, lambda: now) as note:
        for stroke in handwriting.write("8", height=150.0, at=(50.0, 90.0)):
            (x, y), *rest = stroke.tolist()
            for command in [("down", x, y), *[("move", *place) for place in rest], ("up",)]:
                now += 0.01
                note(command)
    assert is_record(path.read_text())
    picture, film = tmp_path / "end.png", tmp_path / "film.gif"
    arguments = ["--replay", path, "--screenshot", picture, "--film", film, "--weights", weights]
    assert main([*map(str, arguments), "--headless", "--size", "800x640"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == "8"
    with Image.open(picture) as image:
        assert image.size == (800, 640)
    with Image.open(film) as image:
        assert image.n_frames > 1
        assert image.size == (500, 400)


def test_a_replay_saves_nothing_copies_nothing_and_ends_with_its_record(
    tmp_path, monkeypatch, weights, capsys
):
    """The record may come from others."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_DATA_HOME", str(place))
    path = tmp_path / "session.jsonl"
    commands = [["down", 9, 9], ["move", 90, 90], ["up"], ["save"], ["label", "1"], ["copy"]]
    commands += [["quit"], ["clear"]]
    lines = [{"sketchpad": 1}, *({"at": 0.1, "do": command} for command in commands)]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert main(["--replay", str(path), "--headless", "--weights", str(weights)]) == 0
    assert list(place.iterdir()) == []
    seen = capsys.readouterr()
    assert json.loads(seen.out)["text"] == "", "it went on after the command to quit"
    assert seen.err == "", "there is no clipboard to complain of"


AT = [f'{{"at": {at}, "do": ["up"]}}' for at in ("1e999", "NaN", "-1", "1e300", '"x"', "9" * 400)]


@pytest.mark.parametrize("line", [*AT, '{"do": []}', "{", '{"do": [7]}', "[1]", '{"do": "up"}'])
def test_a_record_of_a_day_at_most_is_read_and_a_damaged_one_names_its_line(line):
    with pytest.raises(DataError, match=r"mine\.jsonl, line 3, is no recorded command"):
        read_record('{"sketchpad": 1}\n{"do": ["up"]}\n' + line, "mine.jsonl")


def test_a_stroke_file_is_written_as_by_hand_and_every_drawing_is_answered(
    tmp_path, capsys, weights
):
    lines = []
    for text in ("3", "5"):
        strokes = [stroke.tolist() for stroke in handwriting.write(text, height=7.0)]
        lines.append(json.dumps({"strokes": strokes, "label": text}))
    path = tmp_path / "drawings.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join([*lines, "{broken"]).encode()))
    assert main(["--replay", str(path), "--headless", "--weights", str(weights)]) == 1, "one is bad"
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer.get("text") for answer in answers] == ["3", "5", None]
    assert "no JSON" in answers[2]["error"]


# -------------------------------------------------------------------------------------- the command


def test_what_cannot_be_used_is_refused_before_a_window_is_opened(tmp_path, monkeypatch):
    (tmp_path / "bad.safetensors").write_bytes(b"<html>")
    monkeypatch.setattr("apps.sketchpad.window.open_window", lambda size: pytest.fail("opened"))
    with pytest.raises(WeightsError, match="HTML"):
        main(["--weights", str(tmp_path / "bad.safetensors")])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault, match=r"pip install 'tinycnn\[sketchpad\]'"):
        main([])


REPLAYS = "--replay nowhere.jsonl --headless", "--replay mine.jsonl --record new.jsonl"


@pytest.mark.parametrize("arguments", ["--size 10x10", "--scale large", "--headless", *REPLAYS])
def test_bad_arguments_are_one_sentence(arguments):
    with pytest.raises(TinyCNNError) as caught:
        main(arguments.split())
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("output", ["--screenshot", "--film", "--record"])
@pytest.mark.parametrize("read", ["--replay", "--weights"])
def test_no_output_of_the_sketchpad_is_written_over_what_it_reads(tmp_path, weights, output, read):
    if (output, read) == ("--record", "--replay"):
        return  # these two are refused together
    payload = weights.read_bytes() if read == "--weights" else b'{"sketchpad": 1}\n'
    path, link = tmp_path / "read", tmp_path / "link.gif"
    path.write_bytes(payload)
    link.symlink_to(path)
    replay = [] if output == "--record" or read == "--replay" else ["--replay", "nowhere.jsonl"]
    with pytest.raises(TinyCNNError, match="is an input"):
        main([read, str(path), output, str(link), *replay])
    assert path.read_bytes() == payload


def test_networks_of_other_sizes_and_classes_read_too(tmp_path):
    from tinycnn.nn import Conv2D, Dense, Flatten, ReLU, Sequential

    path = tmp_path / "letters.safetensors"
    layers = [Conv2D(2, 5), ReLU(), Flatten(), Dense(26)]
    model = Sequential(layers, (20, 20, 1), seed=0)
    model.save(path, classes=[chr(ord("A") + k) for k in range(26)])
    session = sketching.session(load=lambda: Engine.load(str(path)))
    write(session, "7")
    app = sketching.app(session)
    app.view.draw(app.surface)
    assert set(session.text) <= {chr(ord("A") + k) for k in range(26)}
    assert session.digits[0].probabilities.shape == (26,)
