"""The layout of the window: areas in logical pixels, computed from its size alone."""

from dataclasses import dataclass, replace

from apps.sketchpad.theme import GAP

Area = tuple[float, float, float, float]
"""x, y, width, height."""

USUAL = (1280, 800)
SMALLEST = (760.0, 560.0)  # of a window in which all has room: in a smaller one, all shrinks
NARROWEST = (540.0, 760.0)  # the same of a window that is taller than wide
WIDE = 940.0, 700.0  # from here on, paper and tab are beside each other
TALL = 980.0  # height from which a tall window shows paper and tab
TOOLBAR, FOOT, TAB_BAR = 50.0, 38.0, 36.0
STRIP = 0.235, 122.0  # height of the network: its part, and the least
READING = 0.24, 124.0, 220.0  # of the height beside the paper; least and most


@dataclass(frozen=True)
class Layout:
    """The areas of a window: x, y, width, height."""

    toolbar: Area
    paper: Area
    reading: Area
    bar: Area
    tab: Area
    strip: Area
    foot: Area
    compact: bool  # the tab lies over paper and reading, or is not seen


def is_tall(width: float, height: float) -> bool:
    """Whether a window is taller than wide."""
    return height > 1.1 * width


def arrange(width: float, height: float, enlarged: bool = False) -> Layout:
    """The areas of a window of that size; ``enlarged`` gives all room to the tab."""
    tall = is_tall(width, height)
    least = NARROWEST if tall else SMALLEST
    width, height = max(width, least[0]), max(height, least[1])
    wide = width - 2 * GAP
    part, smallest = STRIP
    strip = round(max(part * (width if tall and part * width < height / 4 else height), smallest))
    foot = height - FOOT
    body = foot - strip - GAP - TOOLBAR
    compact = height < TALL if tall else width < WIDE[0] or height < WIDE[1]
    room: Area = (GAP, TOOLBAR, wide, body)
    if compact or enlarged:
        bar: Area = (GAP, TOOLBAR, wide, TAB_BAR)
        tab: Area = (GAP, TOOLBAR + TAB_BAR, wide, body - TAB_BAR)
    if compact:
        room = (GAP, TOOLBAR + TAB_BAR + 4, wide, body - TAB_BAR - 4)
    paper, reading, rest = _stacked(room, compact) if tall else _beside(room, compact)
    if not (compact or enlarged):
        bar, tab = (*rest[:3], TAB_BAR), (rest[0], rest[1] + TAB_BAR, rest[2], rest[3] - TAB_BAR)
    return Layout(
        toolbar=(0, 0, width, TOOLBAR),
        paper=paper,
        reading=reading,
        bar=bar,
        tab=tab,
        strip=(GAP, foot - strip, wide, strip),
        foot=(0, foot, width, FOOT),
        compact=compact,
    )


def card(width: float, height: float, _enlarged: bool = False) -> Layout:
    """The areas of a card to share: nothing to click on it."""
    usual, nothing = arrange(width, height), (0.0, 0.0, 0.0, 0.0)
    room = (GAP, GAP, width - 2 * GAP, usual.strip[1] - 2 * GAP)
    paper, reading, _ = _beside(room, compact=True)
    return replace(usual, toolbar=nothing, bar=nothing, tab=nothing, paper=paper, reading=reading)


def _beside(room: Area, compact: bool) -> tuple[Area, Area, Area]:
    x, y, width, height = room
    left = round((width - GAP) * (0.58 if compact else 0.5))
    right, width = x + left + GAP, width - left - GAP
    part, least, most = READING
    reading = height if compact else round(min(max(part * height, least), most))
    rest = (right, y + reading + GAP, width, height - reading - GAP)
    return (x, y, left, height), (right, y, width, reading), rest


def _stacked(room: Area, compact: bool) -> tuple[Area, Area, Area]:
    x, y, width, height = room
    reading = READING[1]
    paper = height - reading - GAP if compact else round(min(0.4 * height, 1.1 * width))
    below = y + paper + GAP
    rest = (x, below + reading + GAP, width, height - paper - reading - 2 * GAP)
    return (x, y, width, paper), (x, below, width, reading), rest


def zoom_of(area: Area, paper: tuple[float, float]) -> float:
    """Logical pixels for one paper unit: 1, or less if more is written than fits."""
    return min(area[2] / paper[0], area[3] / paper[1])
