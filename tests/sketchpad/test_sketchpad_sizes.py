"""Windows of all sizes: every tab is drawn in each of them, whatever lies on the paper."""

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

from dataclasses import replace
from itertools import cycle, product
from pathlib import Path

import pygame
import pytest
import sketching

from apps.sketchpad import window
from apps.sketchpad.commands import do
from apps.sketchpad.engine import Engine
from apps.sketchpad.tabs import tabs
from tinycnn.nn import BatchNorm, Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = [
    (200, 150),
    (400, 300),
    (640, 480),
    (800, 600),
    (960, 700),
    (960, 1040),
    (768, 1024),
    (500, 1000),
    (1280, 1024),
    (3840, 2160),
]
PAGES = ("nothing", "one digit", "several digits", "refused ink", "a picture")


@pytest.fixture(scope="module")
def engine():
    layers = [Conv2D(6, 5), BatchNorm(), ReLU(), MaxPool2D(2), Flatten(), Dense(10)]
    made = Engine(Sequential(layers, (28, 28, 1), seed=2), Path("test.safetensors"))
    made.compile()
    return made


@pytest.fixture(scope="module")
def sessions(engine):
    return [session_with(page, engine) for page in PAGES]


def session_with(page, engine):
    if page == "refused ink":
        known, engine = engine, Engine(engine.model, engine.weights)
        engine.recognizer = engine._plain = replace(known.recognizer, threshold=20.0)
    session = sketching.session(tabs(), lambda: engine)
    if page == "a picture":
        do(session, ("digit",))
    elif page != "nothing":
        sketching.write(session, "27" if page == "several digits" else "4")
    for _ in range(3):
        session.tick()
    assert bool(session.digits) == (page != "nothing")
    return session


def drawn(session, tab, size, scale):
    """An app that has been drawn, and the colors in its tab."""
    app = sketching.app(session, size, scale)
    do(session, ("show", tab, app.view.layout.compact))
    for _ in range(3):  # tabs ask, are answered, and ask again
        session.tick()
        app.view.draw(app.surface)
    area = [round(length * app.view.scale) for length in app.view.layout.tab]
    part = app.surface.subsurface(pygame.Rect(area).clip(app.surface.get_rect()))
    pixels = pygame.surfarray.array2d(part).ravel()
    return app, set(pixels[:: 1 + len(pixels) // 20_000].tolist())


def assert_all_is_drawn(session, tab, size, scale=1.0):
    app, colors = drawn(session, tab, size, scale)
    assert app.view.faults == {}, (size, scale, session.tabs[tab].title)
    assert len(colors) > 5, (size, scale, session.tabs[tab].title)


def test_every_tab_is_drawn_in_windows_of_every_size(sessions):
    pages = cycle(sessions)
    for size, scale, tab in product(SIZES, (1.0, 2.0), range(len(sessions[0].tabs))):
        assert_all_is_drawn(next(pages), tab, size, scale)


@pytest.mark.parametrize("size", [(400, 300), (960, 700)])
def test_every_tab_is_drawn_of_every_page(size, sessions):
    for session, tab in product(sessions, range(len(sessions[0].tabs))):
        assert_all_is_drawn(session, tab, size)


@pytest.mark.parametrize("size", [(400, 300), (500, 1000), (1280, 800)])
def test_all_classes_to_choose_from_lie_on_their_tab(size, sessions):
    counted = 0
    for tab in range(len(sessions[1].tabs)):
        app, _ = drawn(sessions[1], tab, size, 1.0)
        left, _, room, _ = app.view.layout.tab
        for hit in app.view.hits:
            if hit.command[1:2] in (("other",), ("truth",)):
                counted += 1
                assert left <= hit.area[0] < hit.area[0] + hit.area[2] <= left + room
    assert counted == 20


@pytest.mark.parametrize(
    ("desktop", "scale"),
    [((1920, 1080), 1), ((2560, 1440), 1.25), ((3840, 2160), 2), ((800, 600), 1)],
)
def test_on_a_screen_with_small_pixels_everything_is_larger(desktop, scale, monkeypatch):
    monkeypatch.setattr(pygame.display, "get_driver", lambda: "x11")
    monkeypatch.setattr(pygame.display, "get_desktop_sizes", lambda: [desktop])
    assert window.fitting_scale() == scale
