"""Where the lines of a chart go, in pixels; a template draws them as SVG.

No line is told by its color alone: each has a mark and a dash pattern of its own, and the
numbers stand in a table beside the chart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 222
LEFT, RIGHT, TOP, BOTTOM = 50, 310, 12, 178
"""The chart and the frame inside it, in pixels."""

STYLES = 6  # of lines: marks, dashes and colors; after that they begin anew

Point = tuple[float, float]
Range = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A line to be drawn through ``points``; ``ranges`` are the whiskers of y, if any."""

    name: str
    points: Sequence[Point]
    ranges: Sequence[Range] = ()


@dataclass(frozen=True)
class Axis:
    """Numbers along one side of the frame."""

    label: str
    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    @classmethod
    def over(cls, label: str, values: Sequence[float], log: bool = False) -> "Axis":
        """An axis on which all ``values`` have a place, with round numbers as ticks."""
        low, high = min(values), max(values)
        if log:
            low, high = max(low, 1e-6), max(high, 1e-6)
            decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
            rounds = [m * 10.0**d for d in decades for m in (1, 2, 5)]
            low = max((z for z in rounds if z <= low), default=low)
            high = min((z for z in rounds if z >= high), default=high)
            return cls(
                label, low, high * (1.1 if low == high else 1), _inside(rounds, low, high), log
            )
        step = _round_step((high - low or abs(high) or 1) / 4)
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        last = max(last, first + 1)
        ticks = tuple(round(k * step, 12) for k in range(first, last + 1))
        return cls(label, ticks[0], ticks[-1], ticks)

    @classmethod
    def at(cls, label: str, values: Sequence[float]) -> "Axis":
        """An axis with ticks at rising ``values``, those that there is room for."""
        low, high = min(values), max(values)
        high = high if high > low else low + 1
        ticks = [low]
        for value in values:
            if value - ticks[-1] > 0.095 * (high - low):  # two words side by side
                ticks.append(value)
        return cls(label, low, high, tuple(ticks))

    def place(self, value: float, start: float, end: float) -> float:
        """The pixel of ``value`` on an axis that runs from pixel ``start`` to ``end``."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(max(value, self.low))
        return round(start + (end - start) * (value - low) / (high - low), 1)


@dataclass(frozen=True)
class DrawnLine:
    """A line in pixels: the path, its marks with what they stand for, its whiskers."""

    name: str
    style: int
    path: str
    marks: tuple[tuple[float, float, str], ...]
    whiskers: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Chart:
    """All that the template needs; ``rows`` are the numbers, for those who do not see lines."""

    title: str
    note: str
    x_label: str
    y_label: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    lines: tuple[DrawnLine, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    diagonal: str | None = None

    @property
    def description(self) -> str:
        """The chart in a sentence, for screen readers."""
        names = ", ".join(line.name for line in self.lines)
        return f"{self.y_label} over {self.x_label}: {names}. The numbers are in the table below."


def draw(
    title: str, x: Axis, y: Axis, lines: Sequence[Line], note: str = "", diagonal: bool = False
) -> Chart:
    """Lay out ``lines``; ``diagonal`` adds the line on which y equals x."""
    return Chart(
        title=title,
        note=note,
        x_label=x.label,
        y_label=y.label,
        x_ticks=tuple((x.place(z, LEFT, RIGHT), f"{z:g}") for z in x.ticks),
        y_ticks=tuple((y.place(z, BOTTOM, TOP), f"{z:g}") for z in y.ticks),
        lines=tuple(_drawn(line, k % STYLES, x, y) for k, line in enumerate(lines)),
        **_numbers(x.label, lines),
        diagonal=_diagonal(x, y) if diagonal else None,
    )


def _drawn(line: Line, style: int, x: Axis, y: Axis) -> DrawnLine:
    places = [(x.place(a, LEFT, RIGHT), y.place(b, BOTTOM, TOP)) for a, b in line.points]
    texts = [f"{line.name}: {b:.4g} at {a:g}" for a, b in line.points]
    whiskers = (
        (place[0], y.place(max(low, y.low), BOTTOM, TOP), y.place(min(high, y.high), BOTTOM, TOP))
        for place, (low, high) in zip(places, line.ranges, strict=False)
    )
    path = "M" + " L".join(f"{a} {b}" for a, b in places)
    marks = tuple((*place, text) for place, text in zip(places, texts, strict=True))
    return DrawnLine(line.name, style, path, marks, tuple(whiskers))


def _diagonal(x: Axis, y: Axis) -> str:
    ends = max(x.low, y.low), min(x.high, y.high)
    return "M" + " L".join(f"{x.place(z, LEFT, RIGHT)} {y.place(z, BOTTOM, TOP)}" for z in ends)


def _numbers(x_label: str, lines: Sequence[Line]) -> dict[str, tuple]:
    """A column a line if all have the same x; else a row a point."""
    columns = [[a for a, _ in line.points] for line in lines]
    if all(column == columns[0] for column in columns):
        rows = [
            (f"{a:.4g}", *(f"{line.points[k][1]:.4g}" for line in lines))
            for k, a in enumerate(columns[0])
        ]
        return {"head": (x_label, *(line.name for line in lines)), "rows": tuple(rows)}
    points = [(line.name, f"{a:.4g}", f"{b:.4g}") for line in lines for a, b in line.points]
    return {"head": ("line", x_label, "value"), "rows": tuple(points)}


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, ... times a power of ten that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def _inside(values: Sequence[float], low: float, high: float) -> tuple[float, ...]:
    """Those from ``low`` to ``high``; of many, only the powers of ten."""
    some = [z for z in values if low <= z <= high]
    if len(some) > 7:
        some = [z for z in some if math.isclose(math.log10(z) % 1, 0, abs_tol=1e-6)]
    return tuple(some)
