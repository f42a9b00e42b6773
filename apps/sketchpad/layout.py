"""The layout of the window: areas in logical pixels, computed from its size alone."""

from dataclasses import dataclass

from apps.sketchpad.theme import GAP

Area = tuple[float, float, float, float]
"""x, y, width, height."""

SMALLEST = (960.0, 700.0)  # of a window in which every tab has room: in a smaller one, all shrinks
USUAL = (1280, 800)
HEADER = 46.0
SHELF = 74.0  # past pages and buttons
STATUS = 30.0
READING = 0.36, 212.0, 300.0  # of the height beside the paper; least and most
TAB_BAR = 40.0


@dataclass(frozen=True)
class Layout:
    """The areas of a window: x, y, width, height."""

    header: Area
    paper: Area
    reading: Area
    bar: Area
    tab: Area
    shelf: Area
    status: Area


def arrange(width: float, height: float, enlarged: bool = False) -> Layout:
    """The areas of a window of that size; ``enlarged`` gives all room to the tab."""
    width, height = max(width, SMALLEST[0]), max(height, SMALLEST[1])
    bottom = height - STATUS
    shelf = bottom - SHELF
    left = round((width - 3 * GAP) / 2)
    right, x = width - 3 * GAP - left, left + 2 * GAP
    body = shelf - HEADER - GAP
    part, least, most = READING
    reading = round(min(max(part * body, least), most))
    inside = HEADER + reading + GAP
    bar: Area = (x, inside, right, TAB_BAR)
    content: Area = (x, inside + TAB_BAR, right, body - reading - GAP - TAB_BAR)
    if enlarged:
        bar = (GAP, HEADER, width - 2 * GAP, TAB_BAR)
        content = (GAP, HEADER + TAB_BAR, width - 2 * GAP, body - TAB_BAR)
    return Layout(
        header=(0, 0, width, HEADER),
        paper=(GAP, HEADER, left, body),
        reading=(x, HEADER, right, reading),
        bar=bar,
        tab=content,
        shelf=(0, shelf, width, SHELF),
        status=(0, bottom, width, STATUS),
    )


def zoom_of(area: Area, paper: tuple[float, float]) -> float:
    """Logical pixels for one paper unit: 1, or less if more is written than fits."""
    return min(area[2] / paper[0], area[3] / paper[1])
