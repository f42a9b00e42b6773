"""The whole network on a strip: image, maps, numbers, answer; what depends on what; and a play."""

from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad import primitives, theme
from apps.sketchpad.canvas import Canvas
from apps.sketchpad.document import Place
from apps.sketchpad.layout import Area
from apps.sketchpad.phrases import percent
from apps.sketchpad.session import Session
from apps.sketchpad.tabs.answer import RATE
from apps.sketchpad.tabs.mosaic import Cell, Mosaic, as_maps, index_of
from apps.sketchpad.tabs.parts import MINUS, inked, largest, number
from apps.sketchpad.tabs.sums import draw_sum

if TYPE_CHECKING:
    from apps.sketchpad.context import Request
    from tinycnn.interpret import BackwardPass, Link, Spot, Trace

MARGIN, TOP = 14.0, 32.0
FOOT = 26.0  # height of the line of words, where there is room
ROOMY = 150.0  # height from which there is
BARS = 0.13, 132.0  # width of the answer: its part, and the least
SUM = 470.0, 156.0  # size of the sum
BRIGHT = 0.55  # of the strongest curve
MOST_BARS, LEAST_ROW, LETTER = 10, 13.0, theme.SMALLEST


class Strip:
    """Draws the network; remembers where its maps are, and which number the mouse asks.

    In a play, ``_stage`` is the stage that is computed now, and ``_part`` of it is there; from
    ``_gradient`` on, gradients flow back.
    """

    def __init__(self) -> None:
        self.asked: tuple[int, Cell] | None = None
        self._trace: Trace | None = None
        self._links: list[Link] = []
        self._mosaics: dict[int, Mosaic] = {}
        self._image = self._answer = (0.0, 0.0, 0.0, 0.0)
        self._arranged: Hashable = None
        self._order: list[int] = []  # the classes of the answer
        self._stage, self._part = -1, 0.0
        self._gradient: BackwardPass | None = None

    def update(self, session: Session, mouse: Place | None) -> Hashable:
        """Take the newest answer of the worker; returns everything that the picture depends on."""
        context, engine = session.context(), session.engine
        if engine is None or not engine.compiled or context.image is None:
            self._trace, self._links, self.asked = None, [], None
            return engine and engine.compiled, mouse
        key: Request = ("flow", context.moment)
        seen = context.ask(key, engine.inspector.flow, context.image)
        if self.asked and seen:
            index, cell = self.asked
            place = index_of(seen[0].outputs[index], cell)
            key = ("why", context.moment, index, place)
            seen = context.ask(key, engine.inspector.flow, context.image, (index, place)) or seen
        if seen:
            self._trace, self._links = seen
        asked = session.screen.popup == "sum" and session.screen.asked
        look = mouse, session.moment, session.late, asked, context.label
        return id(self._trace), id(self._links), look

    def draw(self, canvas: Canvas, session: Session) -> None:
        """Draw all stages, and the strongest ways through them."""
        canvas.fill((0, 0, canvas.width, canvas.height), theme.NIGHT, theme.ROUND)
        context, trace, self.asked = session.context(), self._trace, None
        if context.engine is None or trace is None:
            _invite(canvas, session)
            return
        stages = context.inspector.stages
        self._arrange(canvas, trace, stages[:-1])
        self._play(session, len(stages))
        H, W, _ = context.inspector.tracer.image_shape
        inked(canvas, self._image, trace.x.reshape(H, W, -1).mean(axis=2))
        for place, index in enumerate(stages[:-1]):
            self._draw_stage(canvas, session, index, place)
        self._order = self._classes(context.probabilities)
        if self._stage < 0:
            self._draw_links(canvas, (H, W))
        self._draw_words(canvas, session, stages)
        if session.late:
            canvas.veil(theme.NIGHT, 120)

    def draw_sum(self, canvas: Canvas, session: Session) -> None:
        """The sum behind the number that is asked."""
        canvas.fill((0, 0, canvas.width, canvas.height), theme.CARD, theme.ROUND, theme.EDGE)
        if self._trace is not None and self.asked is not None and session.engine:
            inner = canvas.part((14, 8, canvas.width - 28, canvas.height - 14))
            draw_sum(inner, session.engine.inspector.tracer, self._trace, *self.asked)

    def sum_area(self, whole: Area, strip: Area) -> Area:
        """Above the strip, near the map of the number."""
        assert self.asked is not None
        width, height = SUM
        x = strip[0] + self._mosaics[self.asked[0]].square(self.asked[1])[0] - width / 2
        x = min(max(x, theme.GAP), whole[2] - width - theme.GAP)
        return x, strip[1] - height - 6, width, height

    def _arrange(self, canvas: Canvas, trace: "Trace", stages: list[int]) -> None:
        key = canvas.width, canvas.height, *(trace.outputs[k].shape for k in stages)
        if self._arranged == key:
            return
        self._arranged = key
        height = canvas.height - TOP - (FOOT if canvas.height >= ROOMY else 8.0)
        self._image = (MARGIN, TOP, height, height)
        answer = max(BARS[0] * canvas.width, BARS[1])
        self._answer = (canvas.width - MARGIN - answer, TOP - 4, answer, height + 8)
        gap = 0.028 * canvas.width
        parts = [1.0 if trace.outputs[k].ndim == 3 else 0.4 for k in stages]
        room = canvas.width - 2 * MARGIN - height - answer - gap * (len(parts) + 1)
        x, self._mosaics = MARGIN + height + gap, {}
        for index, part in zip(stages, parts, strict=True):
            width = room * part / sum(parts)
            shape = as_maps(trace.outputs[index]).shape
            mosaic = Mosaic.fitted((x, TOP, width, height), shape, height)
            _, _, wide, high = mosaic.area
            at = x + (width - wide) / 2, TOP + (height - high) / 2
            self._mosaics[index] = replace(mosaic, at=at)
            x += width + gap

    def _play(self, session: Session, count: int) -> None:
        """See what a play shows now: all stages, and gradients of a digit that has a label."""
        context, part, self._gradient = session.context(), session.moment, None
        if part is None or context.image is None:
            self._stage = -1
            return
        back = count if context.label in context.classes else 0
        stage, self._part = divmod(part * (count + back), 1)
        self._stage = int(min(stage, 2 * count - 1 - stage))
        if back and stage >= count:
            label = context.classes.index(context.label or "")
            key, train = ("trained", context.moment, label), context.inspector.train
            trained = context.ask(key, train, context.image, label, RATE)
            self._gradient = trained[0] if trained else None

    def _draw_stage(self, canvas: Canvas, session: Session, index: int, place: int) -> None:
        """The maps of one stage, as far as they are computed; or their gradients."""
        from tinycnn.interpret import activation

        assert self._trace is not None
        mosaic, values = self._mosaics[index], self._trace.outputs[index]
        values = self._trace.outputs[activation(session.context().inspector.tracer, index)]
        if self._gradient and place >= self._stage:
            values = -self._gradient.doutputs[index]
        maps, most = as_maps(values), largest(values)
        if 0 <= self._stage <= place and not self._gradient:
            maps = _begun(maps, self._part if place == self._stage else 0.0)
        x, y, wide, high = mosaic.area
        mosaic.draw(canvas, np.sign(maps) * np.sqrt(np.abs(maps) / most), 1.0, night=True)
        if place == self._stage:
            canvas.frame((x - 3, y - 3, wide + 6, high + 6), theme.SPOT, 1.5)
        cell = mosaic.cell_at(canvas.mouse)
        if cell is not None:
            canvas.hit(mosaic.area, ("look", index, *cell))
        pinned = session.screen.asked if session.screen.popup == "sum" else ()
        if canvas.mouse is None and pinned[:1] == (index,):
            cell = pinned[1], pinned[2], pinned[3]
        if cell is not None and self._stage < 0:
            self.asked = index, cell
            mosaic.mark(canvas, cell, theme.SPOT, theme.CARD)

    def _classes(self, p: np.ndarray | None) -> list[int]:
        """The classes of the answer: the likeliest for which there is room."""
        rows = min(int(self._answer[3] // LEAST_ROW), MOST_BARS)
        return [] if p is None else np.sort(np.argsort(-p, kind="stable")[:rows]).tolist()

    def answer_area(self, strip: Area) -> Area:
        """Where the answer is: a panel of its own, which need not wait for the rest."""
        x, y, width, height = self._answer
        return strip[0] + x, strip[1] + y, width, height * (self._trace is not None)

    def draw_answer(self, canvas: Canvas, session: Session) -> None:
        """A bar for each class; or how wrong each is."""
        canvas.fill((0, 0, canvas.width, canvas.height), theme.NIGHT)
        context, p, width = session.context(), session.context().probabilities, canvas.width
        order = self._classes(p)
        if p is None or (0 <= self._stage < len(self._mosaics) and not self._gradient):
            return
        row, best = canvas.height / len(order), int(p.argmax())
        for place, k in enumerate(order):
            middle, part = (place + 0.5) * row, float(p[k])
            color, words = theme.GLOW[2] if k == best else theme.STARS, percent(part)
            if self._gradient is not None:
                part = -float(self._gradient.dlogits[k])
                color, words = theme.GLOW[2 * (part > 0)], f"{part:+.2f}".replace("-", MINUS)
            name = max(canvas.text(0, middle, context.classes[k], color, LETTER, k == best), 10)
            room = width - name - 70
            for long, shade in ((room, theme.GLOW[1]), (abs(part) * room, color)):
                canvas.fill((name + 8, middle - row * 0.28, long, row * 0.56), shade, 3)
            if abs(part) > 0.0005:
                canvas.text(width, middle, words, color, LETTER, k == best, "right")
        canvas.hit((0, 0, width, canvas.height), ("ask",), "wrong? say what it really is")

    def _place(self, spot: "Spot", shape: tuple[int, int]) -> Place:
        """Where a number, a pixel or a class is on the strip."""
        index, place = spot
        if index in self._mosaics:
            i, j, f = place if len(place) == 3 else (0, 0, place[0])
            x, y, width, height = self._mosaics[index].square((i, j, f))
            return x + width / 2, y + height / 2
        if index < 0:
            x, y, side, _ = self._image
            row, column = place[:2] if len(place) == 3 else divmod(place[0], shape[1])
            return x + side * (column + 0.5) / shape[1], y + side * (row + 0.5) / shape[0]
        x, y, _, height = self._answer
        at = self._order.index(place[-1]) if place[-1] in self._order else 0
        return x - 4, y + height * (at + 0.5) / max(len(self._order), 1)

    def _draw_links(self, canvas: Canvas, shape: tuple[int, int]) -> None:
        most: dict[int, float] = {}  # of each stage
        for link in self._links:
            most[link.target[0]] = max(most.get(link.target[0], 1e-9), abs(link.share))
        curves = []
        for source, target, share in self._links:
            part = share / most[target[0]]
            bright = BRIGHT * (0.25 + 0.75 * abs(part)) * np.sign(part)
            curves.append((self._place(source, shape), self._place(target, shape), bright))
        canvas.light(primitives.glow((round(canvas.width), round(canvas.height)), curves))
        pixels = {source for source, _, _ in self._links if source[0] < 0}
        canvas.dots([self._place(spot, shape) for spot in pixels], 2, theme.SPOT)

    def _draw_words(self, canvas: Canvas, session: Session, stages: list[int]) -> None:
        playing = self._stage >= 0
        label = "stop" if playing else "\N{BLACK RIGHT-POINTING TRIANGLE} play"
        hint = "watch the network compute, layer by layer (Space)"
        canvas.buttons(MARGIN, 5, (label, ("play",), hint, playing), height=22)
        what = "look for strokes"
        for mosaic in self._mosaics.values():
            F, is_map = mosaic.shape[2], mosaic.shape[:2] != (1, 1)
            name, short = (f"filters {what}", "maps") if is_map else ("numbers vote", "")
            what, room = "combine them", mosaic.area[2] + 0.02 * canvas.width
            name = name if canvas.text_width(f"{F} {name}", LETTER) < room else short
            name = f"{F} {name}"
            canvas.text(mosaic.at[0], 16, name, theme.STARS, LETTER)
        right, low = canvas.width - MARGIN, canvas.height - 13
        canvas.text(right, 16, "the answer", theme.STARS, LETTER, anchor="right")
        if canvas.height < ROOMY or self._trace is None or session.engine is None:
            return
        words = "point at a number to see what it depends on; a click keeps its sum"
        words *= not canvas.still
        if playing:
            words = _story(self._trace, stages[self._stage], self._part, self._gradient)
        used = canvas.text(MARGIN, low, words, theme.STARS, LETTER)
        about = session.engine.about
        if used + canvas.text_width(about, LETTER) + 3 * MARGIN < canvas.width:
            canvas.text(right, low, about, theme.STARS, LETTER, anchor="right")


def _invite(canvas: Canvas, session: Session) -> None:
    middle, places = canvas.height / 2, [(k, k % 3 - 1) for k in range(24)]
    dots = [(canvas.width * (k + 0.5) / 24, middle + 30 * row) for k, row in places]
    canvas.dots(dots, 5, theme.GLOW[1])  # a network that sleeps
    words = "The network is getting ready. The first time, this takes some seconds."
    if session.engine is not None and session.engine.compiled:
        words = "Write a digit, and watch it run through the whole network here."
    canvas.text(canvas.width / 2, middle, words, theme.STARS, anchor="center")


def _story(trace: "Trace", index: int, part: float, gradient: "BackwardPass | None") -> str:
    if gradient is not None:
        most = number(largest(gradient.doutputs[index]))
        loss = f"the error {gradient.loss:.2f} flows back"
        return f"backward: {loss}; here, one more unit of a number changes it by up to {most}"
    values = trace.outputs[index].ravel()
    at = min(int(part * values.size), values.size - 1)
    place = f"{at + 1:,} of {values.size:,}"
    return f"forward: number {place} is a sum of products: {number(values[at])}"


def _begun(maps: np.ndarray, part: float) -> np.ndarray:
    """The rows of maps that are computed, or the first numbers of a row."""
    known = maps.copy() if len(maps) > 1 else maps.copy().transpose(2, 0, 1)
    known[round(part * len(known)) :] = 0
    return known if len(maps) > 1 else known.transpose(1, 2, 0)
