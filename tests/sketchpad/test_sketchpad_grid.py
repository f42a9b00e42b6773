"""Windows of all sizes, scales and colors, every tab in each: all is there, and can be read.

Rules are checked, and no pixels: those depend on the version of the font's renderer. To look at
all windows: ``SHEETS=folder pytest tests/sketchpad/test_sketchpad_grid.py``.
"""

import os
from collections import Counter
from itertools import combinations, product

import numpy as np
import pygame
import pytest
import sketching

from apps.sketchpad import primitives, theme, window
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.commands import do
from apps.sketchpad.engine import Engine
from apps.sketchpad.tabs import tabs

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = [(640, 480), (800, 600), (1280, 800), (1920, 1080), (3840, 2160), (480, 800), (1080, 1920)]
ODD_SIZES = [(200, 150), (400, 300), (960, 700), (960, 1040), (3000, 700), (640, 1400)]
TABS = [tab.title for tab in tabs()]
PAGES = ("nothing", "one digit", "several digits", "a picture", "labeled")
OVERLAYS = [("popup", "help"), ("popup", "games"), ("open",), ("ask",), ("play",), ("game", "fool")]
READABLE, LARGE, DISABLED = 4.5, 3.0, 2.5  # contrast: of text, large text, what cannot be used
CUT = ("\u2502", "./", "../")  # a typed path, and names of files, may go on beyond their field
THUMBNAIL = (320, 240)

BLINDNESS = {  # how the colors of a screen appear: Machado, Oliveira and Fernandes, 2009
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def contrast(one, other):
    """As the guidelines for accessible pages define it."""

    def light(color):
        c = np.array(color) / 255
        linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05

    low, high = sorted((light(one), light(other)))
    return high / low


class Watcher:
    """Sees every text as it is drawn: where, what lies behind it, and what is wrong about it."""

    def __init__(self, patch):
        self.boxes, self.faults, self.plain = [], [], Canvas.text
        watcher = self
        patch.setattr(Canvas, "text", lambda *args, **named: watcher.text(*args, **named))

    def text(self, canvas, x, y, text, color=None, size=theme.NORMAL, bold=False, anchor="left"):
        color = color or theme.TEXT
        image = primitives.text(text, round(size * canvas.scale), color, bold)
        width, height = image.get_size()
        left = x * canvas.scale - {"left": 0.0, "center": 0.5, "right": 1.0}[anchor] * width
        box = image.get_bounding_rect().move(round(left), round(y * canvas.scale - height / 2))
        inside = box.clip(canvas.surface.get_rect())
        if text.strip():
            if not canvas.surface.get_rect().inflate(1, 1).contains(box):
                self.faults += [f"{text!r} is cut off"] * (not text.endswith(CUT))
            else:
                pixels = pygame.surfarray.array3d(canvas.surface.subsurface(inside))[::3, ::3]
                ((behind, _),) = Counter(map(tuple, pixels.reshape(-1, 3).tolist())).most_common(1)
                needed = LARGE if size >= theme.LARGE else READABLE
                seen = contrast(color, behind)
                if seen < (DISABLED if color == theme.FAINT else needed):
                    self.faults.append(f"{text!r} has a contrast of {seen:.1f}")
            self.boxes.append((id(canvas.hits), text, box.move(canvas.surface.get_abs_offset())))
        return self.plain(canvas, x, y, text, color, size, bold, anchor)

    def found(self):
        """All that is wrong in the window that was drawn last."""
        pairs = combinations(self.boxes, 2)
        lying = [(a, b) for (p, a, one), (q, b, two) in pairs if p == q and one.colliderect(two)]
        faults = self.faults + [f"{a!r} lies on {b!r}" for a, b in lying]
        self.boxes, self.faults = [], []
        return faults


@pytest.fixture
def watcher(monkeypatch):
    yield Watcher(monkeypatch)
    theme.use(False)


@pytest.fixture(scope="module")
def pages():
    """A session with each page, read by the network that comes with the package."""
    engine = Engine.load("default")
    engine.compile()
    sessions = {}
    for page in PAGES:
        session = sessions[page] = sketching.session(tabs(), lambda: engine)
        if page == "a picture":
            do(session, ("digit",))
        elif page != "nothing":
            sketching.write(session, "4" if page == "one digit" else "347", height=120)
        if page == "labeled":
            do(session, ("label", "1"))
            do(session, ("developer",))
        do(session, ("course", "run"))
        for _ in range(4):
            session.tick()
        do(session, ("course", "run"))
    return sessions


def drawn(session, tab, watcher, size, scale=1.0, dark=False, overlay=()):
    """An app that has been drawn, and what is wrong with it."""
    app = sketching.app(session, size, scale)
    session.screen.dark = dark
    do(session, ("show", tab, app.view.layout.compact and not overlay))
    for command in overlay:
        do(session, command)
    for _ in range(3):  # tabs ask, are answered, and ask again
        session.tick()
        app.view._general = None
        watcher.found()
        app.view.draw(app.surface)
    faults = watcher.found() + list(app.view.faults.values())
    for name, area, *_ in app.view._panels():
        box = pygame.Rect([round(length * app.view.scale) for length in area])
        part = app.surface.subsurface(box.clip(app.surface.get_rect()))
        pixels = pygame.surfarray.array2d(part).ravel()
        few = len(set(pixels[:: 1 + len(pixels) // 20_000].tolist())) < 4
        faults += [f"{name} is empty"] * (few and not area[2] * area[3] < 1)
    app.effects.clear()  # they hold the app: windows would stay in memory until it is full
    return app, [(size, scale, "dark" * dark, TABS[tab], *overlay, fault) for fault in faults]


def test_every_tab_is_whole_and_readable_in_windows_of_every_size(pages, watcher):
    faults, sheets = [], {}
    looks = ((1.0, False), (1.0, True), (2.0, False))
    for (scale, dark), size, tab in product(looks, SIZES, range(len(TABS))):
        app, found = drawn(pages["several digits"], tab, watcher, size, scale, dark)
        faults += found
        if "SHEETS" in os.environ:
            row = 2 * SIZES.index(size) + (scale > 1)
            whole = THUMBNAIL[0] * len(TABS), THUMBNAIL[1] * 2 * len(SIZES)
            sheet = sheets.setdefault(dark, pygame.Surface(whole))
            part = min(THUMBNAIL[0] / size[0], THUMBNAIL[1] / size[1])
            small = pygame.transform.smoothscale(app.surface, (size[0] * part, size[1] * part))
            sheet.blit(small, (THUMBNAIL[0] * tab, THUMBNAIL[1] * row))
    for dark, sheet in sheets.items():
        pygame.image.save(sheet, f"{os.environ['SHEETS']}/{'dark' if dark else 'light'}.png")
    assert not faults, "\n".join(map(str, faults))


def test_every_page_and_all_that_lies_above_it_is_whole_and_readable(pages, watcher):
    faults = []
    for size, (page, session), tab in product(SIZES[::2], pages.items(), range(len(TABS))):
        faults += drawn(session, tab, watcher, size, dark=page == "a picture")[1]
    for size, overlay in product([*SIZES, (1280, 720)], OVERLAYS):
        overlays = [overlay, ("hover", 30.0, 30.0)]
        faults += drawn(pages["one digit"], 0, watcher, size, overlay=overlays)[1]
        for command in (("popup", ""), ("game", ""), ("undo",)):
            do(pages["one digit"], command)
    assert not faults, "\n".join(map(str, faults))


def test_every_tab_is_drawn_in_windows_of_odd_sizes(pages):
    for size, (tab, page) in product(ODD_SIZES, enumerate([*PAGES, "one digit"])):
        app = sketching.app(pages[page], size)
        do(pages[page], ("show", tab, app.view.layout.compact))
        app.view.draw(app.surface)
        assert app.view.faults == {}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("blindness", list(BLINDNESS))
def test_colors_that_mean_something_can_be_told_apart_by_everybody(blindness, dark):
    """Sure, unsure and rejected; more and less than nothing, on light and on dark ground."""
    theme.use(dark)
    groups = [(theme.BLUE, theme.ORANGE, theme.QUIET), theme.GLOW]
    groups += [(theme.ORANGE, theme.ZERO, theme.BLUE), (theme.SPOT, theme.GLOW[2], theme.NIGHT)]
    for one, other in (pair for group in groups for pair in combinations(group, 2)):
        seen = np.clip(np.array(BLINDNESS[blindness]) @ np.array([one, other]).T, 0, 255).T
        assert np.linalg.norm(seen[0] - seen[1]) > 40, (one, other)
    theme.use(False)


@pytest.mark.parametrize(
    ("desktop", "scale"),
    [((1920, 1080), 1), ((2560, 1440), 1.25), ((3840, 2160), 2), ((800, 600), 1)],
)
def test_on_a_screen_with_small_pixels_everything_is_larger(desktop, scale, monkeypatch):
    monkeypatch.setattr(pygame.display, "get_driver", lambda: "x11")
    monkeypatch.setattr(pygame.display, "get_desktop_sizes", lambda: [desktop])
    assert window.fitting_scale() == scale
