"""What is drawn when, the ink, and what the mouse and the keys do: on surfaces without a screen."""

import numpy as np
import pygame
import pytest
import sketching

from apps.sketchpad import overlays, theme
from apps.sketchpad.commands import do
from apps.sketchpad.document import Stroke
from apps.sketchpad.ink_renderer import Paper
from apps.sketchpad.tabs import tabs


def pixels(surface):
    return pygame.surfarray.array3d(surface).swapaxes(0, 1)


def post(app, kind, **values):
    app.handle(pygame.event.Event(kind, **values))
    app.session.tick()
    app.view.draw(app.surface)


def press(app, x, y, button=1):
    post(app, pygame.MOUSEBUTTONDOWN, pos=(x, y), button=button)


def move(app, x, y):
    post(app, pygame.MOUSEMOTION, pos=(x, y))


def release(app, x, y, button=1):
    post(app, pygame.MOUSEBUTTONUP, pos=(x, y), button=button)


def key(app, name, mod=0, unicode=""):
    code = pygame.key.key_code(name)
    post(app, pygame.KEYDOWN, key=code, mod=mod, unicode=unicode)
    post(app, pygame.KEYUP, key=code, mod=mod)


@pytest.fixture(autouse=True, scope="module")
def display(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDL_VIDEODRIVER", "dummy")
        pygame.display.init()
        pygame.display.set_mode((100, 100))
        yield
        pygame.display.quit()


@pytest.fixture
def app():
    made = sketching.app(sketching.session(tabs()))
    made.view.draw(made.surface)
    return made


# ------------------------------------------------------------------------------------- the window


def test_drawing_only_what_changed_gives_the_same_as_drawing_everything(app):
    session = app.session
    twice = ("dark", "dark", "ask", "ask", "enlarged", "enlarged")
    for name in ("clear", "undo", "redo", "undo", *twice):
        sketching.write(session, "5", at=(200.0, 200.0))
        do(session, (name,))
        session.tick()
        for hurry in (2, 1, 0):
            app.view.draw(app.surface, hurry)
    assert app.view.draw(app.surface) == [], "nothing changed"
    everything = sketching.app(session)
    everything.view.draw(everything.surface)
    np.testing.assert_array_equal(pixels(app.surface), pixels(everything.surface))


def test_a_complete_redraw_covers_the_whole_window(app):
    """What lies between the panels too: a window begins black, and a list of keys leaves traces."""
    whole = [app.surface.get_rect()]
    assert sketching.app().view.draw(app.surface) == whole
    for command in (("popup", "help"), ("popup", "help"), ("enlarged",), ("enlarged",)):
        do(app.session, command)
        assert app.view.draw(app.surface) == whole
    app.handle(pygame.event.Event(pygame.WINDOWEXPOSED))
    assert app.surface is pygame.display.get_surface(), "as when the window was covered"
    assert app.view.draw(app.surface) == [app.surface.get_rect()]


def test_a_fault_while_a_panel_is_drawn_is_told_there_and_ends_nothing(app, monkeypatch, capsys):
    def broken(canvas, context):
        raise ZeroDivisionError("one tab's bug")

    with monkeypatch.context() as patch:
        patch.setattr(app.session.tabs[0], "draw", broken)
        for letter in "12":
            sketching.write(app.session, letter)
            app.view.draw(app.surface)
        assert list(app.view.faults.values()) == [
            "this cannot be drawn (ZeroDivisionError: one tab's bug)"
        ]
        patch.setitem(overlays.MODAL, "help", broken)
        do(app.session, ("popup", "help"))
        app.view.draw(app.surface)
        assert len(app.view.faults) == 2
    assert capsys.readouterr().err.count("Traceback") == 2, "not with every frame"
    do(app.session, ("popup", "help"))
    sketching.write(app.session, "3")
    app.view.draw(app.surface)
    assert app.view.faults == {}


# -------------------------------------------------------------------------------------------- ink


def strokes(*lines, brush=14.0):
    return [Stroke(k + 1, np.array(line, float), brush) for k, line in enumerate(lines)]


def ink(lines, live=(), size=(300, 200), zoom=1.0, paper=None):
    paper = paper or Paper()
    return pixels(paper.surface(size, zoom, lines, live)).astype(int)


def test_a_line_is_as_wide_as_the_brush_with_round_ends_and_clean_edges():
    image = ink(strokes([(100, 100), (200, 100)], brush=20.0))
    cover = (255 - image[..., 0]) / (255 - theme.INK[0])
    assert cover[:, 150].sum() == pytest.approx(20, abs=0.6)
    assert cover[100].sum() == pytest.approx(120, abs=1.5)
    assert cover[91, 91] < 0.2, "the corner of a square end would be inked"


def test_a_dot_is_round():
    image = ink(strokes([(100, 100)], brush=30.0))
    cover = (255 - image[..., 0]) / (255 - theme.INK[0])
    assert cover[80:120, 80:120].sum() == pytest.approx(np.pi * 15**2, rel=0.03)


def test_a_stroke_that_grows_looks_like_one_drawn_at_once():
    turns = np.linspace(0, 9, 80)
    line = np.column_stack([150 + 70 * np.sin(turns), 100 + 60 * np.cos(turns * 1.3)])
    paper = Paper()
    for count in range(1, len(line) + 1):
        ink([], [Stroke(0, line[:count], 12.0)], paper=paper)
    grown = ink([Stroke(1, line, 12.0)], paper=paper)
    np.testing.assert_array_equal(grown, ink([Stroke(1, line, 12.0)]))


def test_taking_strokes_away_leaves_no_trace():
    some = strokes([(20, 20), (280, 180)], [(20, 180), (280, 20)], [(150, 5), (150, 195)])
    paper = Paper()
    ink(some, paper=paper)
    np.testing.assert_array_equal(ink(some[:2], paper=paper), ink(some[:2]))
    ink([], [Stroke(0, np.array([(30.0, 90.0), (270.0, 90.0)]), 14.0)], paper=paper)
    np.testing.assert_array_equal(ink([], paper=paper), ink([]))
    ink(some, paper=paper)
    np.testing.assert_array_equal(ink(some, zoom=0.5, paper=paper), ink(some, zoom=0.5))


# ------------------------------------------------------------------------------- mouse and keys


def test_the_mouse_writes_and_the_right_button_erases(app):
    press(app, 100, 200)
    move(app, 200, 200)
    move(app, 150, 350)
    release(app, 150, 350)
    assert len(app.session.pad.page.strokes) == 1
    x, y, *_ = app.view.layout.paper
    np.testing.assert_allclose(
        app.session.pad.page.strokes[0].points + (x, y), [(100, 200), (200, 200), (150, 350)]
    )
    for button, tool in ((3, "pen"), (1, "eraser")):
        do(app.session, ("tool", tool))
        press(app, 120, 150, button=button)
        move(app, 180, 420)
        release(app, 180, 420, button=button)
        assert len(app.session.pad.page.strokes) > 1
        do(app.session, ("undo",))


def test_a_click_on_a_tag_selects_and_a_stroke_through_it_is_a_stroke(app):
    sketching.write(app.session, "12", at=(100.0, 200.0))
    app.view.draw(app.surface)
    tag = next(hit for hit in app.view.hits if hit.command == ("ask", 0))
    x, y = tag.area[0] + 5, tag.area[1] + 5
    press(app, x, y)
    release(app, x, y)
    assert app.session.selected == 0
    before = len(app.session.pad.page.strokes)
    press(app, x, y)
    move(app, x + 30, y - 30)
    release(app, x + 30, y - 30)
    assert len(app.session.pad.page.strokes) == before + 1


def test_a_click_closes_the_list_of_keys_and_a_slider_is_dragged(app):
    key(app, "f1")
    press(app, 5, 5)
    release(app, 5, 5)
    assert app.session.screen.popup == ""
    slider = next(hit for hit in app.view.hits if hit.slides)
    x, y, width, height = slider.area
    press(app, x, y + height / 2)
    assert app.session.pad.brush == 6
    move(app, x + width + 50, y)
    assert app.session.pad.brush == 48
    release(app, x, y)
    assert app.session.pad.page.empty


def test_keys_do_what_the_list_says(app):
    sketching.write(app.session, "1")
    key(app, "z", pygame.KMOD_CTRL)
    assert app.session.pad.page.empty
    key(app, "y", pygame.KMOD_CTRL)
    assert app.session.text == "1"
    key(app, "7", unicode="7")
    assert app.session.context().label == "7"
    key(app, "n", unicode="n")
    assert app.session.context().label == ""
    key(app, "f1")
    assert app.session.screen.popup == "help"
    key(app, "c", unicode="c")
    assert app.session.text == ""
    key(app, "q", pygame.KMOD_CTRL)
    assert app.done


def test_a_key_that_is_held_down_toggles_once_but_goes_back_step_by_step(app):
    sketching.write(app.session, "12")
    for _ in range(3):
        post(app, pygame.KEYDOWN, key=pygame.K_RETURN, mod=0, unicode="\r")
    assert app.session.screen.enlarged
    post(app, pygame.KEYUP, key=pygame.K_RETURN, mod=0)
    for _ in range(2):
        post(app, pygame.KEYDOWN, key=pygame.K_z, mod=pygame.KMOD_CTRL, unicode="")
    assert app.session.pad.page.empty


def test_the_window_can_be_made_larger_and_everything_in_it_too(app):
    before = app.session.pad.size
    for number, name in enumerate(("=", "=", "[+]")):  # "+" needs Shift on many keyboards
        code = pygame.K_KP_PLUS if name == "[+]" else pygame.key.key_code(name)
        mod = pygame.KMOD_CTRL | pygame.KMOD_SHIFT * (number == 1)
        post(app, pygame.KEYDOWN, key=code, mod=mod, unicode="+")
        assert app.view.scale == pytest.approx(1.1 + 0.1 * number)
        post(app, pygame.KEYUP, key=code, mod=mod)
    assert app.session.pad.size != before
    app.surface = pygame.Surface((700, 400))
    app._fit()
    app.view.draw(app.surface)
    assert app.view.scale == pytest.approx(400 / 560)
