"""The whole network on a strip: image, maps, numbers, answer; what depends on what; and a play."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad import primitives, theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.document import Place
from apps.sketchpad.layout import Area
from apps.sketchpad.phrases import percent
from apps.sketchpad.session import Session
from apps.sketchpad.tabs.mosaic import Cell, Mosaic, as_maps, index_of
from apps.sketchpad.tabs.parts import MINUS, largest, number
from apps.sketchpad.tabs.sums import draw_sum

if TYPE_CHECKING:
    from apps.sketchpad.context import Request
    from tinycnn.interpret import BackwardPass, Link, Spot, Trace

MARGIN, TOP = 14.0, 32.0
FOOT = 26.0  # height of the line of words, where there is room
ROOMY = 150.0  # height from which there is
BARS = 0.13, 104.0  # width of the answer: its part, and the least
SUM = 470.0, 156.0  # size of the sum
BRIGHT = 0.8  # of the strongest curve
MOST_BARS = 10


@dataclass
class Moment:
    """What a play shows: ``stage`` is being computed, and ``part`` of it is there."""

    stage: int  # number of a stage, and as many as there are stages for the answer
    part: float
    back: bool = False  # gradients flow


class Strip:
    """Draws the network; remembers where its maps are, and which number the mouse asks."""

    def __init__(self) -> None:
        self.asked: tuple[int, Cell] | None = None
        self._trace: Trace | None = None
        self._links: list[Link] = []
        self._mosaics: dict[int, Mosaic] = {}
        self._image: Area = (0.0, 0.0, 0.0, 0.0)
        self._answer: Area = (0.0, 0.0, 0.0, 0.0)

    def update(self, session: Session, mouse: Place | None) -> Hashable:
        """Take the newest answer of the worker; returns everything that the picture depends on."""
        context = session.context()
        engine = context.engine
        if engine is None or not engine.compiled or context.image is None:
            self._trace, self._links, self.asked = None, [], None
            return engine and engine.compiled, mouse
        key: Request = ("flow", context.moment)
        seen = context.ask(key, engine.inspector.flow, context.image)
        if session.screen.popup == "sum" and self.asked is None:
            index, i, j, f = session.screen.asked
            self.asked = (index, (i, j, f)) if index in engine.inspector.stages else None
        if self.asked and seen:
            index, cell = self.asked
            place = index_of(seen[0].outputs[index], cell)
            key = ("why", context.moment, index, place)
            seen = context.ask(key, engine.inspector.flow, context.image, (index, place)) or seen
        if seen:
            self._trace, self._links = seen
        asked = session.screen.popup == "sum" and session.screen.asked
        return id(self._trace), id(self._links), mouse, session.moment, session.late, asked

    def draw(self, canvas: Canvas, session: Session) -> None:
        """Draw all stages, and the strongest ways through them."""
        canvas.fill((0, 0, canvas.width, canvas.height), theme.NIGHT, theme.ROUND)
        context, trace = session.context(), self._trace
        if context.engine is None or trace is None:
            self.asked = None
            _invite(canvas, session)
            return
        stages = context.inspector.stages
        self._arrange(canvas, trace, stages)
        moment, gradient = self._playing(session, stages)
        self._draw_image(canvas, trace, context.inspector.tracer.image_shape)
        self.asked = None
        for place, index in enumerate(stages[:-1]):
            self._draw_stage(canvas, session, index, place, moment, gradient)
        if moment is None or moment.stage >= len(stages) - 1 or moment.back:
            self._draw_answer(canvas, session, gradient if moment and moment.back else None)
        if moment is None:
            self._draw_links(canvas)
        self._draw_words(canvas, session, moment, stages, gradient)
        if session.late:
            canvas.veil(theme.NIGHT, 120)

    def draw_sum(self, canvas: Canvas, session: Session) -> None:
        """The sum behind the number under the mouse."""
        context = session.context()
        canvas.fill((0, 0, canvas.width, canvas.height), theme.CARD, theme.ROUND, theme.EDGE)
        if self._trace is not None and self.asked is not None and context.engine:
            inner = canvas.part((14, 8, canvas.width - 28, canvas.height - 14))
            draw_sum(inner, context.inspector.tracer, self._trace, *self.asked)

    def sum_area(self, whole: Area, strip: Area) -> Area:
        """Above the strip, near the map of the number."""
        assert self.asked is not None
        width, height = SUM
        x = strip[0] + self._mosaics[self.asked[0]].square(self.asked[1])[0] - width / 2
        x = min(max(x, theme.GAP), whole[2] - width - theme.GAP)
        return x, strip[1] - height - 6, width, height

    def _arrange(self, canvas: Canvas, trace: "Trace", stages: list[int]) -> None:
        """Find room for the image, the stages and the answer."""
        foot = FOOT if canvas.height >= ROOMY else 8.0
        height = canvas.height - TOP - foot
        self._image = (MARGIN, TOP, height, height)
        answer = max(BARS[0] * canvas.width, BARS[1])
        self._answer = (canvas.width - MARGIN - answer, TOP - 4, answer, height + 8)
        gap = 0.028 * canvas.width
        parts = [1.0 if trace.outputs[k].ndim == 3 else 0.4 for k in stages[:-1]]
        room = canvas.width - 2 * MARGIN - height - answer - gap * (len(parts) + 1)
        x, self._mosaics = MARGIN + height + gap, {}
        for index, part in zip(stages[:-1], parts, strict=True):
            width = room * part / sum(parts)
            shape = as_maps(trace.outputs[index]).shape
            mosaic = Mosaic.fitted((x, TOP, width, height), shape, height)
            wide, high = mosaic.size
            at = x + (width - wide) / 2, TOP + (height - high) / 2
            self._mosaics[index] = replace(
                mosaic,
                at=at,
                gap=mosaic.side / (shape[0] * _fine(shape[0], mosaic.side * canvas.scale)),
            )
            x += width + gap

    def _playing(
        self, session: Session, stages: list[int]
    ) -> "tuple[Moment | None, BackwardPass | None]":
        """What the play shows now; with the gradients, for a digit that has a label."""
        context, part = session.context(), session.moment
        label = context.label
        if part is None or context.image is None:
            return None, None
        gradient, count = None, len(stages)
        if label in context.classes:
            key = ("trained", context.moment, label, ())
            job, truth = context.inspector.train, context.classes.index(label)
            trained = context.ask(key, job, context.image, truth, ())
            gradient = trained[0] if trained else None
        steps = 2 * count if label in context.classes else count
        stage, within = divmod(part * steps, 1)
        if stage >= count:
            return Moment(2 * count - 1 - int(stage), within, back=True), gradient
        return Moment(int(stage), within), gradient

    def _draw_image(self, canvas: Canvas, trace: "Trace", shape: tuple[int, int, int]) -> None:
        H, W, _ = shape
        image = trace.x.reshape(H, W, -1).mean(axis=2)
        canvas.picture(self._image, (255 * np.clip(image, 0, 1)).astype(np.uint8))
        canvas.frame(self._image, theme.GLOW[1], 1)

    def _draw_stage(
        self,
        canvas: Canvas,
        session: Session,
        index: int,
        place: int,
        moment: Moment | None,
        gradient: "BackwardPass | None",
    ) -> None:
        """The maps of one stage, as far as they are computed; or their gradients."""
        from tinycnn.interpret import activation

        assert self._trace is not None
        mosaic, trace = self._mosaics[index], self._trace
        values = trace.outputs[activation(session.context().inspector.tracer, index)]
        maps, most = as_maps(values), largest(values)
        if moment and moment.back and gradient and place >= moment.stage:
            maps, most = -as_maps(gradient.doutputs[index]), largest(gradient.doutputs[index])
        elif moment and not moment.back and place >= moment.stage:
            maps = _begun(maps, moment.part if place == moment.stage else 0.0)
        fine = _fine(len(maps), mosaic.side * canvas.scale)
        canvas.picture((*mosaic.at, *_size(mosaic)), _tiled(maps, most, mosaic, fine), True)
        if moment and place == moment.stage:
            x, y, wide, high = (*mosaic.at, *_size(mosaic))
            canvas.frame((x - 3, y - 3, wide + 6, high + 6), theme.SPOT, 1.5)
        cell = mosaic.cell_at(canvas.mouse)
        if cell is not None:
            canvas.hit((*mosaic.at, *_size(mosaic)), ("look", index, *cell))
        pinned = session.screen.asked if session.screen.popup == "sum" else ()
        if cell is None and canvas.mouse is None and pinned[:1] == (index,):
            cell = pinned[1], pinned[2], pinned[3]
        if cell is not None and moment is None:
            self.asked = index, cell
            mosaic.mark(canvas, cell, theme.SPOT, theme.CARD)

    def _draw_answer(
        self, canvas: Canvas, session: Session, gradient: "BackwardPass | None"
    ) -> None:
        """A bar for each class; or by how much each is wrong."""
        context = session.context()
        p = context.probabilities
        if p is None:
            return
        order = np.sort(np.argsort(-p, kind="stable")[:MOST_BARS]).tolist()
        x, y, width, height = self._answer
        row = height / max(len(order), 1)
        size = min(theme.SMALLEST, row)
        for place, k in enumerate(order):
            middle, best = y + (place + 0.5) * row, k == int(p.argmax())
            color = theme.GLOW[2] if best else theme.STARS
            name = context.classes[k]
            label = canvas.text(x, middle, name, color, size, best)
            start, part = x + max(label, 10) + 8, float(p[k])
            if gradient is not None:
                part = float(gradient.dlogits[k])
                color = theme.GLOW[2] if part < 0 else theme.GLOW[0]
            long = abs(part) * (width - 76 - label)
            canvas.fill(
                (start, middle - row * 0.28, width - 76 - label, row * 0.56), theme.GLOW[1], 3
            )
            if long >= 1:
                canvas.fill((start, middle - row * 0.28, long, row * 0.56), color, 3)
            if best or abs(part) > 0.01:
                words = percent(part) if gradient is None else f"{MINUS if part > 0 else '+'}"
                words += "" if gradient is None else f"{abs(part):.2f}"
                canvas.text(x + width, middle, words, color, size, best, "right")

    def _center(self, spot: "Spot", shape: tuple[int, ...]) -> Place:
        """Where a number, or a pixel, is on the strip."""
        index, place = spot
        if index in self._mosaics:
            cell = place if len(place) == 3 else (0, 0, place[0])
            x, y, width, height = self._mosaics[index].square((cell[0], cell[1], cell[2]))
            return x + width / 2, y + height / 2
        x, y, side, _ = self._image
        row, column = place[:2] if len(place) == 3 else divmod(place[0], shape[1])
        return x + side * (column + 0.5) / shape[1], y + side * (row + 0.5) / shape[0]

    def _draw_links(self, canvas: Canvas) -> None:
        """Curves along which most of a number came: blue adds to it, orange takes away."""
        assert self._trace is not None
        shape = self._trace.x.shape if self._trace.x.ndim == 3 else (28, 28, 1)
        most: dict[int, float] = {}  # of each stage
        for link in self._links:
            most[link.target[0]] = max(most.get(link.target[0], 1e-9), abs(link.share))
        curves = []
        for link in self._links:
            start, end = self._center(link.source, shape), self._end(link.target, shape)
            part = link.share / most[link.target[0]]
            curves.append((start, end, BRIGHT * (0.25 + 0.75 * abs(part)) * np.sign(part)))
        canvas.light(_glow((round(canvas.width), round(canvas.height)), curves))
        pixels = {link.source for link in self._links if link.source[0] < 0}
        canvas.dots([self._center(spot, shape) for spot in pixels], 2, theme.SPOT)

    def _end(self, spot: "Spot", shape: tuple[int, ...]) -> Place:
        """Where a curve ends: at a number, or at the bar of a class."""
        if spot[0] in self._mosaics:
            return self._center(spot, shape)
        x, y, _, height = self._answer
        return x - 4, y + height * (min(spot[1][-1], MOST_BARS - 1) + 0.5) / MOST_BARS

    def _draw_words(
        self,
        canvas: Canvas,
        session: Session,
        moment: Moment | None,
        stages: list[int],
        gradient: "BackwardPass | None",
    ) -> None:
        """What each stage is, a button, and what happens now."""
        playing = moment is not None
        label = "stop" if playing else "\N{BLACK RIGHT-POINTING TRIANGLE} play"
        hint = "watch the network compute, layer by layer (Space)"
        canvas.buttons(MARGIN, 5, (label, ("play",), hint, playing), height=22)
        named = 0
        for mosaic in self._mosaics.values():
            named += (kind := mosaic.shape[:2] != (1, 1))
            F = mosaic.shape[2]
            what = "look for strokes" if named == 1 else "combine them"
            names = (f"{F} filters {what}", f"{F} maps") if kind else (f"{F} numbers vote", f"{F}")
            room = _size(mosaic)[0] + 0.02 * canvas.width
            fits = [one for one in names if canvas.text_width(one, theme.SMALLEST) < room]
            if fits:
                canvas.text(mosaic.at[0], 16, fits[0], theme.STARS, theme.SMALLEST)
        x, _, width, _ = self._answer
        canvas.text(x + width, 16, "the answer", theme.STARS, theme.SMALLEST, anchor="right")
        if canvas.height >= ROOMY:
            words = "point at a number to see what it depends on; a click looks closer"
            if moment is not None and self._trace is not None:
                words = _story(moment, self._trace, stages, gradient)
            used = canvas.text(MARGIN, canvas.height - 13, words, theme.STARS, theme.SMALLEST)
            engine = session.engine
            about = f"{engine.name}   {engine.accuracy}".strip() if engine else ""
            if used + canvas.text_width(about, theme.SMALLEST) + 3 * MARGIN < canvas.width:
                place = canvas.width - MARGIN, canvas.height - 13
                canvas.text(*place, about, theme.STARS, theme.SMALLEST, anchor="right")


def _invite(canvas: Canvas, session: Session) -> None:
    """What to do while there is nothing to show."""
    ready = session.engine is not None and session.engine.compiled
    words = "Write a digit, and watch it run through the whole network here."
    if not ready:
        words = "The network is getting ready. The first time, this takes some seconds."
    middle = canvas.height / 2
    for k in range(24):  # a network that sleeps
        x = canvas.width * (k + 0.5) / 24
        canvas.dots([(x, middle + 30 * (k % 3 - 1))], 3 + k % 4, theme.GLOW[1])
    canvas.text(canvas.width / 2, middle, words, theme.STARS, theme.NORMAL, anchor="center")


def _story(
    moment: Moment, trace: "Trace", stages: list[int], gradient: "BackwardPass | None"
) -> str:
    """One sentence about what is being computed."""
    index = stages[min(moment.stage, len(stages) - 1)]
    values = trace.outputs[index]
    if moment.back and gradient is not None:
        size = float(np.abs(gradient.doutputs[index]).max())
        return (
            f"backward: the error {gradient.loss:.2f} flows back; here a number "
            f"should change by up to {number(size)} for each unit of it"
        )
    maps = as_maps(values)
    row = min(int(moment.part * maps.shape[0]), maps.shape[0] - 1)
    f = int(moment.part * maps.shape[2]) % maps.shape[2]
    value, terms = float(maps[row, maps.shape[1] // 2, f]), _terms(trace, index)
    kind = "map" if values.ndim == 3 else "number"
    return f"forward: {terms} products are summed for each number; {kind} {f} gets {number(value)}"


def _terms(trace: "Trace", index: int) -> str:
    """How many products a number of a stage sums, as far as shapes tell."""
    x, y = trace.input_of(index), trace.outputs[index]
    if x.ndim == 3 and y.ndim == 3:
        size = x.shape[0] - y.shape[0] + 1
        return f"{size * size * x.shape[2]:,}"
    return f"{x.size:,}"


def _begun(maps: np.ndarray, part: float) -> np.ndarray:
    """The rows of maps that are computed, or the first numbers of a row."""
    known = maps.copy()
    if maps.shape[:2] == (1, 1):
        known[..., round(part * maps.shape[2]) :] = 0
    else:
        known[round(part * len(maps)) :] = 0
    return known


def _fine(height: int, pixels: float) -> int:
    """How many pixels a number gets before they are shrunk to the size of the window."""
    return max(-(-int(pixels) // height), 1)


def _size(mosaic: Mosaic) -> tuple[float, float]:
    """Width and height of all tiles with a gap after each."""
    rows = -(-mosaic.shape[2] // mosaic.columns)
    return mosaic.columns * mosaic.pitch, rows * mosaic.pitch


def _tiled(maps: np.ndarray, most: float, mosaic: Mosaic, fine: int) -> np.ndarray:
    """Maps (H,W,F) as one picture, a dark line after each; small numbers are lit up a little."""
    (H, W, F), columns = maps.shape, mosaic.columns
    rows = -(-F // columns)
    colors = np.empty((rows * columns, fine * H + 1, fine * W + 1, 3), np.uint8)
    colors[:] = theme.NIGHT
    lit = np.sign(maps) * np.sqrt(np.abs(maps) / most)
    tiles = primitives.diverging(lit.transpose(2, 0, 1), 1.0, night=True)
    colors[:F, :-1, :-1] = tiles.repeat(fine, axis=1).repeat(fine, axis=2)
    grid = colors.reshape(rows, columns, *colors.shape[1:]).swapaxes(1, 2)
    return grid.reshape(rows * colors.shape[1], columns * colors.shape[2], 3)


def _glow(size: tuple[int, int], curves: list[tuple[Place, Place, float]]) -> np.ndarray:
    """Curves as light (H,W,3): blue for a positive strength, else orange; they add up."""
    W, H = size
    count = int(max((b[0] - a[0] for a, b, _ in curves), default=0) * 1.4) + 2
    t = np.linspace(0, 1, count)
    ease, light = 3 * t**2 - 2 * t**3, np.zeros((H, W, 3))
    for color, sign in ((theme.GLOW[2], 1), (theme.GLOW[0], -1)):
        ways = np.array([(*a, *b, s) for a, b, s in curves if s * sign > 0]).reshape(-1, 5)
        x = ways[:, :1] + (ways[:, 2:3] - ways[:, :1]) * t
        y = ways[:, 1:2] + (ways[:, 3:4] - ways[:, 1:2]) * ease
        strength = np.abs(ways[:, 4:]) * np.hypot(ways[:, 2:3] - ways[:, :1], 1) / count * 0.6
        left, top = np.floor(x - 0.5).astype(int), np.floor(y - 0.5).astype(int)
        for right, down in np.ndindex(2, 2):  # each point lights the four pixels around it
            u, v = np.clip(left + right, 0, W - 1), np.clip(top + down, 0, H - 1)
            share = (1 - np.abs(u + 0.5 - x)).clip(0) * (1 - np.abs(v + 0.5 - y)).clip(0)
            lit = np.bincount((v * W + u).ravel(), (share * strength).ravel(), H * W)
            light += lit.reshape(H, W, 1) * np.array(color)
    return np.minimum(light, 255).astype(np.uint8)
