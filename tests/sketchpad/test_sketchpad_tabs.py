"""The tabs to look inside: every network, every size, every command; and what they show is true."""

from pathlib import Path

import numpy as np
import pygame
import pytest
import sketching
from template_network import DIGITS

from apps.sketchpad.canvas import Canvas
from apps.sketchpad.commands import do
from apps.sketchpad.engine import Engine
from apps.sketchpad.tabs import tabs
from apps.sketchpad.tabs.answer import RATE
from apps.sketchpad.tabs.filters import strongest_slices
from apps.sketchpad.tabs.mosaic import Mosaic
from apps.sketchpad.tabs.parts import number
from tinycnn.nn import build

pytestmark = pytest.mark.usefixtures("one_thread")

NETWORKS = {
    "convolutions": (
        "Conv2D(6, 5) BatchNorm ReLU MaxPool2D(2) Conv2D(4, 3) ReLU Flatten Dropout(0.2) Dense(10)",
        (28, 28, 1),
    ),
    "no convolution": ("Flatten Dense(12) ReLU Dense(3) Softmax", (20, 16, 1)),
    "a row": ("Dense(12) BatchNorm Dense(2)", (784,)),
    "many classes": ("Conv2D(40, 28) Flatten", (28, 28, 1)),
}
NAMES = [tab.title for tab in tabs()]


def session_of(kind="convolutions"):
    """A session with this network, in which a 7 is written."""
    network = build(*NETWORKS[kind], seed=2)
    session = sketching.session(tabs(), lambda: Engine(network, Path("test.safetensors")))
    session.tick()
    sketching.draw(session, *(3 * stroke + 150 for stroke in DIGITS["7"]))
    return session


@pytest.fixture(scope="module", params=NETWORKS)
def written(request):
    session = session_of(request.param)
    assert session.engine.compiled
    return session


def draw(session, size=(590, 300), mouse=None):
    """Draw the shown tab; returns its pixels and what can be clicked."""
    surface = pygame.Surface(size)
    surface.fill((255, 255, 255))
    canvas = Canvas(surface, 1.0, mouse)
    session.tabs[session.screen.tab].draw(canvas, session.context())
    return pygame.surfarray.array3d(surface), canvas.hits


@pytest.mark.parametrize("tab", range(len(NAMES)), ids=NAMES)
def test_every_tab_shows_every_network_and_whatever_can_be_clicked_or_typed_may_be(tab, written):
    do(written, ("show", tab))
    for size in ((590, 300), (1230, 590), (430, 140), (300, 900)):
        pixels, hits = draw(written, size)
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 5
        commands = [(*hit.command, 0.4) if hit.slides else hit.command for hit in hits]
        for command in [*commands[:12], ("tab", "nonsense"), ("tab", "choose", -99)]:
            do(written, command)
            draw(written, size)
    assert written.screen.note == ""


# ------------------------------------------------------------------------- the tabs tell the truth


def test_the_mouse_asks_the_number_that_lies_under_it():
    mosaic = Mosaic.fitted((10, 20, 300, 100), (4, 5, 7), 40)
    for cell in np.ndindex(4, 5, 7):
        x, y, width, height = mosaic.square(cell)
        assert mosaic.cell_at((x + width / 2, y + height / 2)) == cell
    assert mosaic.cell_at((9, 25)) is None
    assert mosaic.cell_at((11 + mosaic.side, 25)) is None, "gaps belong to no cell"
    assert mosaic.cell_at(None) is None


@pytest.mark.parametrize("scale", [1.0, 1.3, 2.0])
def test_a_mosaic_paints_each_number_where_the_mouse_finds_it(scale):
    maps = np.zeros((4, 5, 7))
    maps[2, 3, 5] = 1
    mosaic = Mosaic.fitted((10, 20, 300, 100), maps.shape, 40)
    canvas = Canvas(pygame.Surface((round(400 * scale), round(200 * scale))), scale)
    mosaic.draw(canvas, maps, 1)
    blue = (0, 98, 178)
    pixels = pygame.surfarray.array3d(canvas.surface)
    painted = np.argwhere((np.abs(pixels.astype(int) - blue) < 40).all(axis=2))
    x, y, width, height = mosaic.square((2, 3, 5))
    assert np.abs(painted.mean(axis=0) / scale - (x + width / 2, y + height / 2)).max() < 1.5
    assert len(painted) == pytest.approx(width * height * scale**2, rel=0.3)


def test_numbers_are_short_and_have_a_real_minus():
    texts = [number(v) for v in (0, 0.1234, -0.01234, 5.678, -56.78, 1234.5, 1e-7)]
    assert texts == ["0", "0.12", "−0.012", "5.68", "−56.8", "1.23e+03", "1e-07"]


def test_the_strongest_slice_is_that_with_the_largest_weights():
    kernels = np.zeros((2, 3, 3, 4))
    kernels[0, 1, 2, 3], kernels[1, 0, 0, 0], kernels[1, 0, 0, 1] = 5, 2, -3
    slices = strongest_slices(kernels)
    assert slices.shape == (3, 3, 2)
    assert slices[1, 2, 0] == 5
    assert slices[0, 0, 1] == -3


def test_the_answer_tells_what_one_step_of_learning_changes():
    session = session_of()
    do(session, ("show", NAMES.index("Answer")))
    do(session, ("tab", "truth", 3))
    said, _ = draw(session)
    context = session.context()
    back, after = context.inspector.train(context.image, 3, RATE)
    assert after[3] > back.p[3]
    assert back.dlogits.argmin() == 3
    do(session, ("tab", "truth", 4))
    assert (draw(session)[0] != said).any()


def test_a_filter_that_is_switched_off_can_be_switched_on_again():
    session = session_of()
    do(session, ("show", NAMES.index("Filters")))
    before, _ = draw(session)
    do(session, ("tab", "switch", 2))
    dark, _ = draw(session)
    assert (before != dark).any()
    do(session, ("tab", "switch", 2))
    again, _ = draw(session)
    np.testing.assert_array_equal(before, again)
