"""Whatever is done in whatever order: no exception, exact undo, frames on the paper."""

import tempfile
from pathlib import Path

import sketching
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from apps.sketchpad import paper_view
from apps.sketchpad.commands import do
from apps.sketchpad.games import GAMES
from apps.sketchpad.layout import zoom_of
from apps.sketchpad.tabs import tabs

xs, ys = st.floats(-100, 800), st.floats(-100, 800)
PLAIN = ["undo", "redo", "clear", "enlarged", "dark", "developer"]
PLAIN += ["play", "press", "save", "up", "single", "paste"]
ENGINE = sketching.engine()


class Sketching(RuleBasedStateMachine):
    @initialize()
    def start(self):
        self.now = 0.0
        folder = tempfile.TemporaryDirectory()
        self.folder = folder  # is deleted with the machine
        self.session = sketching.session(
            tabs(), lambda: ENGINE, folder=Path(folder.name), clock=lambda: self.now
        )
        self.app = sketching.app(self.session, (960, 640))

    def do(self, *command):
        do(self.session, command)
        self.session.tick()

    @rule(text=st.text("0123456789", min_size=1, max_size=3), height=st.floats(20, 250))
    def write(self, text, height):
        sketching.write(self.session, text, height=height)

    @rule(name=st.sampled_from(["down", "move", "rub", "hover"]), x=xs, y=ys)
    def touch(self, name, x, y):
        self.do(name, x, y)

    @rule(name=st.sampled_from(PLAIN))
    def plain(self, name):
        self.do(name)

    @rule(label=st.sampled_from([*"0123456789", "", "x"]))
    def label(self, label):
        self.do("label", label)

    @rule(step=st.integers(-2, 2))
    def select(self, step):
        self.do("next", step)

    @rule(name=st.sampled_from(["help", "open", "games", ""]))
    def popup(self, name):
        self.do("popup", name)

    @rule(number=st.one_of(st.none(), st.integers(-1, 4)))
    def ask(self, number):
        self.do("ask", number)

    @rule(move=st.tuples(*[st.integers(-2, 2)] * 4))
    def look_on(self, move):
        self.do("look_on", *move)

    @rule(kind=st.sampled_from([*GAMES, ""]), seconds=st.floats(0, 12))
    def game(self, kind, seconds):
        self.do("game", kind, 3)
        self.now += seconds

    @rule(tool=st.sampled_from(["pen", "eraser"]), x=st.integers(-90, 90), y=st.integers(-90, 90))
    def tool(self, tool, x, y):
        self.do("tool", tool)
        self.do("step", x, y)

    @rule(way=st.sampled_from([(1, 0), (-1, 0), (0, 1), (0, -1)]), steps=st.integers(1, 9))
    def point_and_click(self, way, steps):
        for _ in range(steps):
            self.app.do(("point", *way))
        hit = self.app.view.hit_at(self.session.screen.hover)
        if hit and hit.command[0] not in ("save", "copy", "course"):  # effects beyond the session
            self.app.do(("click",))

    @rule(width=st.integers(300, 1500), height=st.integers(300, 1000))
    def resize(self, width, height):
        self.app = sketching.app(self.session, (width, height))

    @rule(part=st.floats(0, 1), tab=st.integers(0, 6))
    def settle(self, part, tab):
        self.do("brush_part", part)
        self.do("show", tab)

    @precondition(lambda self: self.session.pad.can_undo)
    @rule()
    def undo_and_redo_are_inverse(self):
        self.do("up")
        before = self.session.pad.page
        self.do("undo")
        self.do("redo")
        assert self.session.pad.page is before

    @invariant()
    def frames_are_on_the_paper(self):
        pad, answer = self.session.pad, self.session.answer
        if answer is None or answer.version != pad.version:
            return
        zoom = zoom_of(self.app.view.layout.paper, pad.size)
        for digit in answer.reading.digits:
            x, y, width, height = digit.box
            assert x >= 0
            assert y >= 0
            assert x + width <= pad.size[0] + 1e-6
            assert y + height <= pad.size[1] + 1e-6
            left, top, wide, high = paper_view.area_of(digit.box, self.session, zoom)
            assert left >= 0
            assert top >= 0
            assert left + wide <= self.app.view.layout.paper[2] + 1e-6
            assert top + high <= self.app.view.layout.paper[3] + 1e-6

    @invariant()
    def empty_paper_has_no_answer(self):
        if self.session.pad.page.empty and not self.session.pad.live and self.session.up_to_date:
            assert self.session.text == ""

    @invariant()
    def everything_can_be_drawn(self):
        self.app.view.draw(self.app.surface)


TestSketching = Sketching.TestCase
TestSketching.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
