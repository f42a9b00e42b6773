"""Chapter 3: what flows through a row of layers, and back."""

from matplotlib.patches import Rectangle

from build.figures import BLUE, ORANGE, PALE, Figure, arrow, paper

LAYERS = "dense", "ReLU", "dense"
FORWARD = "x", "z", "h", "y"


def row() -> Figure:
    """Three layers: values to the right, gradients to the left."""
    figure, axes = paper(13, 4.2)
    for number, name in enumerate(FORWARD):
        left = 0.3 + 3.6 * number
        arrow(axes, (left, 1.0), (left + 1.5, 1.0), BLUE)
        axes.text(left + 0.7, 0.6, name, color=BLUE, ha="center", style="italic")
        arrow(axes, (left + 1.5, 2.0), (left, 2.0), ORANGE)
        axes.text(left + 0.75, 2.55, f"d{name}", color=ORANGE, ha="center", style="italic")
    for number, name in enumerate(LAYERS):
        left = 1.9 + 3.6 * number
        axes.add_patch(Rectangle((left, 0.5), 1.9, 2.0, fill=False, edgecolor=PALE, linewidth=1.5))
        axes.text(left + 0.95, 1.5, name, ha="center", va="center")
        if name == "dense":
            arrow(axes, (left + 0.95, 2.5), (left + 0.95, 3.3), ORANGE)
            which = 1 + number // 2
            axes.text(left + 0.95, 3.75, f"dw{which}, db{which}", color=ORANGE, ha="center")
    return figure
