"""Chapter 11: what a name holds while something is saved."""

from matplotlib.patches import Rectangle

from build.figures import BLUE, INK, ORANGE, PALE, Figure, paper

OVERWRITTEN = ("old", 2.4, PALE), ("half a file", 4.6, ORANGE), ("new", 3.2, BLUE)
RENAMED = ("old", 7.0, PALE), ("new", 3.2, BLUE)


def saving() -> Figure:
    """Overwriting, and writing beside and renaming."""
    figure, axes = paper(13.2, 5.6)
    _line(axes, 1.0, "overwrite", OVERWRITTEN, ((2.4, "open"), (7.0, "last byte")))
    steps = (2.4, "write beside"), (4.7, "fsync"), (7.0, "rename")
    _line(axes, 3.7, "rename", RENAMED, steps)
    axes.text(12.9, 5.35, "time →", ha="right", color=PALE)
    return figure


def _line(axes, y, title, spans, marks) -> None:
    """One time line: what the name holds, and what happens when."""
    axes.text(0.2, y + 0.45, title, va="center")
    x = 2.7
    for text, length, color in spans:
        axes.add_patch(Rectangle((x, y), length, 0.9, facecolor=color, alpha=0.5, linewidth=0))
        axes.text(x + length / 2, y + 0.45, text, ha="center", va="center")
        x += length
    for place, text in marks:
        axes.plot([2.7 + place] * 2, [y - 0.2, y + 1.1], color=INK, linewidth=1)
        axes.text(2.7 + place, y - 0.3, text, ha="center", va="bottom", fontsize=8.5)
