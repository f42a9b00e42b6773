"""Challenges: ten digits in ten seconds, fool it, write what it shows.

A game sees what the session reads, and turns the page when something is done. Its targets follow
from its seed, so its record plays again for others.
"""

from typing import TYPE_CHECKING

import numpy as np

from apps.sketchpad.editor import Pad
from apps.sketchpad.phrases import article, percent, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinycnn.ink import Digit

GAMES = {
    "sprint": ("10 digits in 10 seconds", "Write what is asked for, as fast as you can."),
    "fool": ("Fool it", "Write a digit that a person reads, and the network does not."),
    "memory": ("Write what it shows", "A number hides when you begin to write; each is longer."),
}
TIME, COUNT = 10.0, 10  # of a sprint: seconds, digits
REST = 1.2  # seconds without ink after which a drawing counts as finished
FIRST = 2  # digits of the first number to remember


class Game:
    """One game, from its start to its score."""

    def __init__(self, kind: str, seed: int, now: float) -> None:
        self.kind, self.begun = kind, now
        self._rng = np.random.default_rng(seed)
        self.score = 0
        self.over = False
        self.said = ""  # what came of the last drawing
        self.hidden = False
        self.left = TIME  # seconds
        self._changed = now, -1  # since when the ink is as it is, and its version
        self.target = self._next()

    @property
    def clock(self) -> str:
        """The time that is left, in a sprint."""
        return f"{max(self.left, 0):.1f} s" if self.kind == "sprint" else ""

    @property
    def task(self) -> str:
        """What to do now, or how it ended."""
        if self.over and self.kind == "sprint":
            return f"Time is up: {self.score} of {COUNT}"
        if self.over and self.kind == "memory":
            return f"It was {self.target}. You remembered {self.score} digits"
        if self.over:
            return "Fooled!"
        if self.kind == "fool":
            return f"Write {article(self.target)} {self.target} that it misreads"
        return "Write the number" if self.hidden else f"Write {self.target}"

    def follow(self, now: float, pad: Pad, text: str, digits: "Sequence[Digit]") -> None:
        """See what is on the paper, and what it is read as; called again and again."""
        if self.over:
            return
        if self._changed[1] != pad.version:
            self._changed = now, pad.version
        self.hidden = self.kind == "memory" and bool(pad.writing or pad.page.strokes)
        self.left = TIME - (now - self.begun)
        if self.kind == "sprint" and (self.left <= 0 or self.score == COUNT):
            self.over = True
        if self.over or pad.writing or not text:
            return
        rested = now - self._changed[0] > REST
        if self.kind == "sprint":
            self._count(pad, text == self.target)
        elif rested and self.kind == "memory":
            read = "".join(text.split())
            if len(read) >= len(self.target):
                self.over = read != self.target
                self._count(pad, not self.over)
        elif rested:
            self._judge(digits[-1])

    def _count(self, pad: Pad, right: bool) -> None:
        if right:
            self.score = len(self.target) if self.kind == "memory" else self.score + 1
            self.target = self._next()
            pad.clear()

    def _judge(self, digit: "Digit") -> None:
        read = f"{percent(digit.confidence)} sure it is {article(digit.name)} {digit.name}"
        self.over = digit.name != self.target and verdict(digit) == "sure"
        unsure = "It is not sure. Closer!" if verdict(digit) != "sure" else f"It is {read}."
        self.said = f"It is {read}. Would a friend read {self.target}?" if self.over else unsure
        self.score = int(self.over)

    def _next(self) -> str:
        """The next target: a digit, or a number one digit longer than the last one."""
        count = self.score + 1 if self.score else FIRST
        if self.kind != "memory":
            count = 1
        return "".join(map(str, self._rng.integers(0, 10, count)))
