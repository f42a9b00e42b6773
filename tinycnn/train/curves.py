"""The two curves of a training run, drawn if matplotlib is there."""

import importlib.util
import io
from collections.abc import Sequence

from tinycnn.train.trainer import EpochRecord


def can_draw() -> bool:
    """Whether matplotlib is installed; it may be broken all the same."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_curves(history: Sequence[EpochRecord]) -> bytes:
    """Loss and validation error over epochs as an SVG file."""
    import matplotlib as mpl
    from matplotlib.figure import Figure  # the figure alone: no window, no global state

    epochs = [record.epoch for record in history]
    # A fixed salt and no date: the same run draws the same bytes.
    with mpl.rc_context({"svg.hashsalt": "tinycnn", "font.size": 10}):
        figure = Figure(figsize=(9, 3.5), layout="constrained")
        losses, errors = figure.subplots(1, 2)
        losses.plot(epochs, [r.loss for r in history], "o-", label="training")
        losses.plot(epochs, [r.validation_loss for r in history], "o-", label="validation")
        losses.set(xlabel="epoch", ylabel="loss (nats)", yscale="log")
        losses.legend()
        wrong = [100 * (1 - r.validation_accuracy) for r in history]
        errors.plot(epochs, wrong, "o-", color="C1")
        errors.set(xlabel="epoch", ylabel="validation errors (%)", ylim=(0, None))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
