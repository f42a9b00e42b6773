"""Chapter 13: the loop of working on a kernel."""

from matplotlib.patches import Rectangle

from build.figures import BLUE, ORANGE, PALE, Figure, arrow, paper

STEPS = ("change", ""), ("check", "right at all?"), ("tests", "in every case?"), ("time", "faster?")


def safety() -> Figure:
    """Change, check, test, time, and again."""
    figure, axes = paper(13, 3.2)
    for number, (name, question) in enumerate(STEPS):
        left = 0.3 + 3.35 * number
        axes.add_patch(Rectangle((left, 0.4), 2.3, 1.2, fill=False, edgecolor=PALE, linewidth=1.5))
        axes.text(left + 1.15, 0.85 if question else 1.0, name, ha="center", va="center")
        axes.text(left + 1.15, 1.3, question, ha="center", va="center", fontsize=8)
        if number:
            arrow(axes, (left - 1.0, 1.0), (left, 1.0), BLUE)
            start = left + 1.15, 1.65
            curve = f"arc3,rad={-0.28 + 0.04 * number}"
            arrow(axes, start, (1.45, 1.65), ORANGE, connectionstyle=curve, linewidth=1)
    axes.text(5.4, 2.95, "no: back", ha="center", color=ORANGE, fontsize=8.5)
    return figure
