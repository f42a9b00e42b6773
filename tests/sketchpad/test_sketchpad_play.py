"""The strip, plays, games, cards, courses and dialogs: what one does beside writing."""

import json
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pygame
import pytest
import sketching
from PIL import Image

from apps.sketchpad import files, share, theme, window
from apps.sketchpad.app import App
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.commands import do
from apps.sketchpad.course import STEPS
from apps.sketchpad.engine import Engine
from apps.sketchpad.games import TIME
from apps.sketchpad.keys import KEYS
from apps.sketchpad.primitives import glow
from apps.sketchpad.record import SAFE, read_record
from apps.sketchpad.session import FOLLOW, PLAY, Session
from apps.sketchpad.tabs import tabs
from apps.sketchpad.worker import Inline
from benchmarks.quality import handwriting
from tinycnn.nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def convolutional():
    layers = [Conv2D(6, 5), ReLU(), MaxPool2D(2), Flatten(), Dense(12), ReLU(), Dense(10)]
    made = Engine(Sequential(layers, (28, 28, 1), seed=2), Path("test.safetensors"))
    made.compile()
    return made


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def session_with(load=sketching.engine, **more):
    clock = Clock()
    session = sketching.session(tabs(), load, clock=clock, **more)
    for _ in range(3):
        session.tick()
    return session, clock


def shown(session, size=(1280, 800)):
    app = sketching.app(session, size)
    for _ in range(3):
        session.tick()
        app.view.draw(app.surface)
    return app


def pixels(app, area):
    box = pygame.Rect([round(length * app.view.scale) for length in area])
    return pygame.surfarray.array3d(app.surface.subsurface(box)).astype(int)


# ---------------------------------------------------------------------------------------- the strip


def test_the_number_under_the_mouse_is_asked_its_sum_shown_and_kept_by_a_click(convolutional):
    session, _ = session_with(lambda: convolutional)
    sketching.write(session, "4")
    app = shown(session)
    x, y, *_ = app.view.layout.strip
    mosaic = app.view._strip._mosaics[0]
    a, b, side, _ = mosaic.square((12, 12, 4))
    place = x + a + side / 2, y + b + side / 2
    do(session, ("hover", *place))
    app.view.draw(app.surface)
    index, (i, j, f) = app.view._strip.asked
    assert (index, i, j, f) == (0, 12, 12, 4)
    hit = app.view.hit_at(place)
    assert hit.command == ("look", 0, 12, 12, 4)
    do(session, hit.command)
    do(session, ("hover", 5.0, 5.0))
    app.view.draw(app.surface)
    assert app.view._strip.asked == (0, (12, 12, 4)), "it stays"
    do(session, ("look_on", 1, 0, 0, 2))
    assert session.screen.asked == (4, 0, 0, 6), "the dense layer, two numbers on"
    do(session, ("popup", ""))
    app.view.draw(app.surface)
    assert app.view._strip.asked is None


def test_the_answer_is_shown_before_the_rest_of_the_strip(convolutional):
    session, _ = session_with(lambda: convolutional)
    sketching.write(session, "4")
    app = shown(session)
    places = app.view.layout.strip, app.view._strip.answer_area(app.view.layout.strip)
    strip, bars = (pixels(app, place) for place in places)
    sketching.write(session, "7", at=(300.0, 80.0))
    app.view.draw(app.surface, hurry=2)
    new_strip, new_bars = (pixels(app, place) for place in places)
    different = (new_bars != bars).any(axis=2).sum()
    assert 0 < different == (new_strip != strip).any(axis=2).sum(), "the bars, and nothing else"
    app.view.draw(app.surface, hurry=1)
    np.testing.assert_array_equal(pixels(app, places[0]), pixels(shown(session), places[0]))


def test_a_play_computes_stage_by_stage_and_gradients_of_a_corrected_digit(convolutional):
    session, clock = session_with(lambda: convolutional)
    do(session, ("play",))
    assert "write a digit first" in session.screen.note
    sketching.write(session, "4")
    do(session, ("label", "7"))
    do(session, ("play",))
    pictures, app = [], sketching.app(session)
    for part in (0.05, 0.3, 0.45, 0.7, 0.95):
        clock.now = part * PLAY
        app.view.draw(app.surface)
        app.view.draw(app.surface)
        pictures.append(pixels(app, app.view.layout.strip))
        strip = app.view._strip
        assert (strip._gradient is not None) == (part > 0.5)
    assert all((one != other).any() for one, other in pairwise(pictures))
    clock.now = PLAY + 1
    app.view.draw(app.surface)
    assert session.moment is None
    assert strip._stage == -1


def test_light_adds_up_along_curves_in_the_color_of_their_sign():
    def light(*strengths):
        curves = [((5, 10), (95, 30), strength) for strength in strengths]
        return pygame.surfarray.array3d(glow((100, 40), curves)).sum(axis=(0, 1))

    up, down = light(0.5), light(-0.5)
    assert up.sum() * 1.9 < light(0.5, 0.5).sum() < up.sum() * 2.1
    assert up[2] > up[0]
    assert down[0] > down[2]


# -------------------------------------------------------------------------------- clicks and keys


def test_a_digit_is_labeled_by_clicks_alone():
    session, _ = session_with()
    sketching.write(session, "4")
    app = shown(session)
    for wanted in (("ask", 0), ("label", "7")):
        x, y, width, height = next(h.area for h in app.view.hits if h.command == wanted)
        for kind in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP):
            place = (x + width / 2) * app.view.scale, (y + height / 2) * app.view.scale
            app.handle(pygame.event.Event(kind, pos=place, button=1))
        app.view.draw(app.surface)
    assert session.text == "7"
    assert session.screen.popup == ""


def test_a_digit_is_written_by_keys_alone():
    session, _ = session_with()
    sketching.write(session, "7", at=(20.0, 20.0))
    do(session, ("next", 1))
    commands = {key.names: key.command for key in KEYS}
    for name in ("d", *["ctrl+down"] * 12, "d"):
        do(session, commands[name])
    session.tick()
    do(session, ("label", "1"))
    assert session.labels == [None, "1"], "of the digit that was written last"
    stroke = session.pad.page.strokes[-1]
    assert len(stroke.points) == 13
    assert np.ptp(stroke.points[:, 0]) == 0


def test_arrows_lead_to_whatever_can_be_clicked_and_x_clicks_it(convolutional):
    session, _ = session_with(lambda: convolutional)
    sketching.write(session, "42")
    app, ways = shown(session), ((1, 0), (-1, 0), (0, 1), (0, -1))
    for popup in ("help", "open", ""):
        do(session, ("popup", popup))
        app.view.draw(app.surface)
        hits = [hit for hit in app.view.hits if app.view.hit_at(hit.middle) is hit]
        new = reached = {(0.0, 0.0)}
        while new:
            new = {app.view.next_place(at, *way) for at in new for way in ways} - reached
            reached = reached | new
        assert {hit.middle for hit in hits if hit.command != ("popup", "")} < reached
    first, second = sorted(hit.middle for hit in hits if hit.command[0] == "ask")[:2]
    do(session, ("hover", *second))
    noted = []
    app.note = noted.append
    for key in (pygame.K_LEFT, pygame.K_x):
        app.handle(pygame.event.Event(pygame.KEYDOWN, key=key, mod=0, unicode=""))
        app.handle(pygame.event.Event(pygame.KEYUP, key=key, mod=0))
    assert noted == [("hover", *first, True), ("ask", 0)], "a record has what it led to"


def test_whatever_lies_over_the_window_is_closed_by_the_next_command():
    session, _ = session_with()
    for name in ("help", "open", "games"):
        do(session, ("popup", name))
        assert session.screen.popup == name
        do(session, ("hover", 1.0, 1.0))
        assert session.screen.popup == name, "the mouse may move"
        do(session, ("down", 5.0, 5.0))
        assert session.screen.popup == ""


def test_a_file_is_chosen_typed_pasted_and_completed(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    Image.new("L", (40, 40), 255).save(tmp_path / "photos" / "one.png")
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    session, _ = session_with()
    app = shown(session)
    do(session, ("open",))
    assert files.listing("")[0] == ("~/", "~/")
    do(session, ("dialog", str(tmp_path) + os.sep))
    assert [name for name, _ in files.listing(session.screen.typed)] == ["../", "photos/"]
    app.handle(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_p, mod=0, unicode="p"))
    app.handle(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_TAB, mod=0, unicode="\t"))
    assert session.screen.typed == str(tmp_path / "photos") + os.sep
    app.view.draw(app.surface)
    (hit,) = (hit for hit in app.view.hits if hit.command[0] == "open" and "one.png" in str(hit))
    do(session, hit.command)
    session.tick()
    assert session.pad.page.sheet.name == "one.png"
    monkeypatch.setattr(window, "paste", lambda: "~/x.png")
    do(session, ("open",))
    do(session, ("dialog", ""))
    app.do(("paste",))
    assert session.screen.typed == "~/x.png"


# ------------------------------------------------------------------------------------ dark and wide


def test_dark_colors_follow_the_system_and_come_back(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("GTK_THEME", "Adwaita")
    assert not window.is_dark(), "a system that says nothing is light"
    monkeypatch.setenv("GTK_THEME", "Adwaita:dark")
    session, _ = session_with()
    app = App(session, pygame.Surface((1280, 800)), theme="system")
    session.tick()
    app.view.draw(app.surface)
    assert sum(app.surface.get_at((2, 790))[:3]) < 150
    do(session, ("dark",))
    app.view.draw(app.surface)
    assert app.surface.get_at((2, 790))[:3] == theme.DESK == (236, 238, 242)


# ----------------------------------------------------------------------------------------- games


def test_a_sprint_counts_what_is_read_in_time_and_its_replay_scores_the_same(tmp_path):
    session, clock = session_with(folder=tmp_path)
    clock.now = 100.0
    do(session, ("game", "sprint", 5))
    while session.game.score < 3:
        clock.now += 0.5
        sketching.write(session, session.game.target)
        session.tick()
    assert session.pad.page.empty
    clock.now += TIME
    session.tick()
    assert (session.game.over, session.game.score) == (True, 3)
    shown(session)
    do(session, ("dialog", "/home/me/private.png"))
    stem = files.save(session, tmp_path)
    replay = stem.with_name(stem.name + files.REPLAY)
    assert "private" not in replay.read_text()
    again, clock = session_with()
    for at, command in read_record(replay.read_text(), "replay"):
        clock.now = at
        do(again, command)
        again.tick()
    assert again.game.score == 3
    assert files.is_replay(str(replay))


def test_memory_hides_its_number_and_grows_until_it_is_wrong():
    session, clock = session_with()
    do(session, ("game", "memory", 1))
    first = session.game.target
    assert session.game.task == f"Write {first}"
    sketching.write(session, first)
    session.tick()
    assert first not in session.game.task, "it hides"
    clock.now += 2
    session.tick()
    assert len(session.game.target) == len(first) + 1
    wrong = session.game.target.translate(str.maketrans("0123456789", "1234567890"))
    sketching.write(session, wrong)
    session.tick()
    clock.now += 2
    session.tick()
    assert session.game.over
    assert session.game.score == len(first)
    do(session, ("clear",))
    assert session.game is None


def test_fool_it_ends_when_another_digit_is_surely_read():
    session, clock = session_with()
    do(session, ("game", "fool", 1))
    target = session.game.target
    for text in (target, "7" if target != "7" else "1"):
        sketching.write(session, text)
        session.tick()
        clock.now += 2
        session.tick()
        over = session.game.over
        assert over == (text != target)
        if not over:
            do(session, ("clear",))
            session.tick()


# ------------------------------------------------------------------------------- cards and replays


def test_a_card_and_a_film_show_the_drawing_and_nothing_to_click(tmp_path):
    session, clock = session_with(folder=tmp_path)
    for line in handwriting.write("42", gap=30.0, height=140.0, at=(60.0, 80.0)):
        clock.now += 0.5
        sketching.draw(session, line)
    do(session, ("show", 2))
    do(session, ("tab", "switch", 1))
    engine, entries = session.engine, list(session.log)
    path = tmp_path / "card"
    said = share.make(entries, session.pad, engine, False, path)
    assert "card, as .png, .gif" in said
    with Image.open(path.with_suffix(".png")) as card:
        assert card.size == share.CARD
        assert (np.asarray(card.convert("L"))[60:400, 30:600] < 60).sum() > 500, "ink"
    with Image.open(path.with_suffix(".gif")) as film:
        assert film.n_frames > 3


def test_the_replay_of_others_only_draws_and_plays(tmp_path, monkeypatch):
    assert not {"save", "copy", "open", "label", "adapt", "keep", "export", "quit"} & set(SAFE)
    commands = [("down", 9.0, 9.0), ("move", 90.0, 90.0), ("up",), ("save",), ("quit",)]
    session, clock = session_with(folder=tmp_path)
    app = App(session, pygame.Surface((1280, 800)), clock=clock)
    path = tmp_path / "theirs.jsonl"
    lines = [{"sketchpad": 1}, *({"at": 0.1, "do": command} for command in commands)]
    path.write_text("\n".join(map(json.dumps, lines)))
    app.do(("open", str(path)))
    clock.now += 1
    app._follow_script()
    assert len(session.pad.page.strokes) == 1
    assert not app.done
    assert list(tmp_path.iterdir()) == [path]
    path.write_text('{"sketchpad": 1}\n{broken')
    app.do(("open", str(path)))
    assert "no recorded command" in session.screen.note


# ---------------------------------------------------------------------------------------- learning


def test_a_course_learns_pauses_steps_and_reads_at_once(convolutional):
    session, _ = session_with(lambda: convolutional)
    do(session, ("course", "run"))
    for _ in range(4):
        session.tick()
    course = session.course
    assert len(course.losses) >= 3 * STEPS
    do(session, ("course", "run"))
    session.tick()
    count = len(course.losses)
    session.tick()
    assert len(course.losses) == count, "it pauses"
    base = session.engine
    do(session, ("course", "rate", 99.0))
    assert course.rate == pytest.approx(0.3)
    do(session, ("course", "live"))
    do(session, ("course", "step"))
    session.tick()
    assert len(course.losses) == count + 1
    assert session.engine is not base
    assert session.engine.model is course.report.model
    shown(session)
    do(session, ("course", "live"))
    assert session.engine is base, "the network that was loaded comes back"
    do(session, ("course", "restart"))
    assert course.losses == []


def test_the_steps_of_a_course_are_those_of_the_command():
    from tinycnn.data import load_dataset
    from tinycnn.nn.fit import train_step
    from tinycnn.train.recipe import Recipe
    from tinycnn.train.trainer import Trainer
    from tinycnn.train.watched import WatchedTraining

    data = load_dataset()
    losses = WatchedTraining(data).learn(3, 0.05).losses
    recipe = Recipe.for_data(
        len(data.train_images), epochs=4, augment="none", schedule="constant", lr=0.05
    )
    trainer = Trainer(recipe, data)
    batches = trainer.batches.of_epoch(1)
    learned = trainer.model, trainer.loss, trainer.optimizer
    assert losses == [train_step(*learned, *next(batches)) for _ in range(3)]


def test_a_training_that_goes_on_is_followed_and_its_metrics_shown(tmp_path, monkeypatch):
    path = tmp_path / "weights.safetensors"
    sketching.engine().model.save(path)
    clock = Clock()
    session = Session(Inline(), lambda: Engine.load(str(path)), clock=clock)
    session.tick()
    clock.now += 2 * FOLLOW
    session.tick()
    loads = session.loads
    os.utime(path, (1, 1))
    session.tick()
    assert session.loads == loads, "not at every moment"
    clock.now += 2 * FOLLOW
    session.tick()
    session.tick()
    assert session.loads == loads + 1
    assert "loaded" in session.screen.note
    assert session.course.epochs == []
    lines = [{"epoch": 1, "loss": 0.9, "validation_accuracy": 0.8}, {"epoch": 2, "loss": 0.5}]
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)))
    clock.now += 2 * FOLLOW
    session.tick()
    assert session.course.epochs == [(0.9, 0.8)], "as far as they are whole"
    session.tabs = tabs()
    do(session, ("show", 5))
    written = []
    plain = Canvas.text
    monkeypatch.setattr(Canvas, "text", lambda *a, **b: written.append(a[3]) or plain(*a, **b))
    shown(session)
    assert "validation right: 80.00 %" in written
