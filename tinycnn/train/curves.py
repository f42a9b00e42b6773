"""The two curves of a training run, as a chart and in a notebook."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinycnn.plots import Series, draw, or_warn, plot_lines, set_log_scale
from tinycnn.train.state import EpochRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class History(list[EpochRecord]):
    """A list of epochs, which a notebook shows as curves if matplotlib is there."""

    def _repr_html_(self) -> str | None:
        svg = or_warn("the history", lambda: draw_curves(self).decode())
        return svg and svg[svg.index("<svg") :]


def draw_curves(history: Sequence[EpochRecord]) -> bytes:
    """Return loss and validation error over epochs as an SVG file."""
    training = Series("training", [(r.epoch, r.loss) for r in history])
    validation = Series("validation", [(r.epoch, r.validation_loss) for r in history])
    wrong = Series("", [(r.epoch, 100 * (1 - r.validation_accuracy)) for r in history])

    def paint(figure: "Figure") -> None:
        losses, errors = figure.subplots(1, 2, sharex=True)
        losses.xaxis.get_major_locator().set_params(integer=True)
        plot_lines(losses, [training, validation])
        set_log_scale(losses)
        losses.set(xlabel="epoch", ylabel="loss (nats)")
        losses.legend()
        plot_lines(errors, [wrong])
        errors.set(xlabel="epoch", ylabel="validation errors (%)", ylim=(0, None))

    return draw(paint, 9, 3.5)
