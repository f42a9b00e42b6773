"""The window shows and copies the present drawing, as far as it has been read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pygame
import pytest
import sketching
from sketching import draw, write

from apps.sketchpad.__main__ import main
from apps.sketchpad.commands import do
from apps.sketchpad.document import Sheet
from apps.sketchpad.engine import Engine
from apps.sketchpad.inspector import Inspector
from apps.sketchpad.phrases import UNREAD, spelled
from apps.sketchpad.session import PATIENCE, READ, Session
from apps.sketchpad.tabs.steps import StepsTab
from apps.sketchpad.worker import Inline


class Slow(Inline):
    """Reads, and does what a tab asks, only when it is let go."""

    def __init__(self):
        super().__init__()
        self.free, self.held = True, {}

    def submit(self, kind, key, work, *arguments):
        if self.free or not (kind == READ or kind.startswith("ask")):
            super().submit(kind, key, work, *arguments)
        else:
            self.held[kind] = key, work, arguments

    def let_go(self):
        self.free = True
        for kind, (key, work, arguments) in self.held.items():
            super().submit(kind, key, work, *arguments)


@pytest.fixture
def session():
    now = [0.0]
    made = Session(Slow(), sketching.engine, [StepsTab()], clock=lambda: now[0])
    made.pass_time = lambda seconds: now.__setitem__(0, now[0] + seconds)
    made.tick()
    made.tick()
    return made


def colors(app):
    """All colors of paper and reading."""
    app.view.draw(app.surface)
    pixels = pygame.surfarray.array3d(app.surface)[
        :, round(app.view.layout.paper[1]) : round(app.view.layout.bar[1])
    ]
    return set(map(tuple, pixels[::2, ::2].reshape(-1, 3).tolist()))


BLUE = (0, 98, 178)


def test_an_answer_older_than_the_drawing_is_pale_and_not_copied(session):
    write(session, "1")
    for step in range(20):  # answers that keep coming are not old while the pen moves
        session.pass_time(0.6 * PATIENCE)
        draw(session, [(300.0 + step, 300.0)])
        assert not session.late
        do(session, ("undo",))
    app = sketching.app(session)
    session.tick()
    assert BLUE in colors(app)
    session.worker.free = False
    write(session, "2", at=(250.0, 80.0))
    assert not session.late, "a short wait is not shown"
    session.pass_time(2 * PATIENCE)
    assert session.late
    assert BLUE not in colors(app)
    assert do(session, ("copy",)) is None
    assert "still reading" in session.screen.note
    do(session, ("save",))
    assert "still being read" in session.screen.note
    session.worker.let_go()
    session.tick()
    assert not session.late
    assert do(session, ("copy",)) == ("copy", "12")


def test_a_picture_does_not_show_the_answer_of_the_page_before(session):
    write(session, "1")
    session.worker.free = False
    session.pad.show(Sheet("photo", np.full((28, 28), 255, np.uint8), np.zeros((28, 28), np.uint8)))
    session.tick()
    assert session.digits == ()
    assert session.text == ""
    do(session, ("undo",))
    session.worker.let_go()
    session.tick()
    assert session.text == "1"


def test_a_reading_that_fails_leaves_no_answer(session, monkeypatch, capsys):
    write(session, "1")
    monkeypatch.setattr(session.engine, "read", lambda *paper: 1 / 0)
    write(session, "2", at=(250.0, 80.0))
    assert session.digits == ()
    assert not session.late
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_correction_changes_the_number_and_what_is_copied(session):
    write(session, "42")
    do(session, ("label", "7"))
    assert session.text == "47"
    assert do(session, ("copy",)) == ("copy", "47")
    do(session, ("label", ""))
    assert session.text == "4", "what is no digit is none of the number"


def test_refused_ink_is_not_copied_as_a_digit(session):
    engine = session.engine
    engine.recognizer = engine._plain = replace(engine.recognizer, threshold=20.0)
    write(session, "3")
    assert [digit.rejected for digit in session.digits] == [True]
    assert do(session, ("copy",)) == ("copy", UNREAD)
    assert "not read" in session.screen.note


def test_a_mark_that_is_not_read_is_framed_and_told_of(session):
    write(session, "34", at=(150.0, 80.0))
    assert session.unread == []
    draw(session, [(100, 330), (450, 331)])
    assert session.text == "34"
    (mark,) = session.unread
    assert mark.box[:2] == (100, 330)
    do(session, ("copy",))
    assert "1 mark not read" in session.screen.note


def test_signs_around_the_digits_are_spelled(session):
    write(session, "34", at=(150.0, 80.0))
    draw(session, [(60, 150), (110, 151)])
    assert session.text == "-34"
    reading = replace(session.answer.reading, text="3\n4%")
    assert spelled(reading) == [("3", 0), ("\n", None), ("4", 1), ("%", None)]


def test_no_kernel_is_used_before_all_are_compiled(monkeypatch):
    engine, used = Engine(sketching.engine().model, Path("tidy.safetensors")), []
    monkeypatch.setattr(Inspector, "warm_up", lambda self: used.append(engine.asked))
    engine.compile()
    assert used == [engine._plain]
    assert engine.asked is engine.recognizer


def test_a_tab_keeps_its_picture_pale_while_the_next_is_awaited(session):
    write(session, "1")
    app = sketching.app(session)

    def tab():
        session.tick()
        app.view.draw(app.surface)
        x, y, width, height = app.view.layout.tab
        area = pygame.Rect(x, y, width, height)
        return pygame.surfarray.array3d(app.surface.subsurface(area)).astype(int)

    tab()
    before = tab()
    session.worker.free = False
    session.screen.tab = 0
    session._answers.clear()
    session.changes += 1
    awaited = tab()
    dark = before < 60
    assert dark.any()
    assert (awaited[dark] > 100).all(), "paler"
    assert awaited.std() > 0.2 * before.std(), "but still there"


def test_the_window_is_gone_as_soon_as_it_is_left(monkeypatch, tmp_path):
    """The process may take longer: something is being learned, or kernels are unloaded."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    seen = []
    monkeypatch.setattr(
        "apps.sketchpad.app.App.run", lambda app: seen.append(pygame.display.get_init())
    )
    assert main([]) == 0
    assert seen == [True]
    assert not pygame.display.get_init()
