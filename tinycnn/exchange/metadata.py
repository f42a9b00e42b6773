"""What goes along with exported numbers: how images are prepared, what the classes are called.

Notes are short texts under names, which is what ONNX keeps beside a graph.
"""

import json
from typing import Any

import tinycnn
from tinycnn.data.catalogue import DIGITS
from tinycnn.nn import Sequential
from tinycnn.nn.classifier import calibration_of, names_of
from tinycnn.nn.model import GRAY

Notes = dict[str, str]

NOTES = "notes"
"""Where all notes stand as one JSON text, in files that are no ONNX."""

PRODUCER = f"tinycnn {tinycnn.__version__}"

FRAME = "light digit on dark, 20 of 28 pixels high or wide, center of mass at index 14.0 both ways"
"""How a drawn digit has to lie in its image, because MNIST's lie so."""


def notes_of(model: Sequential, layout: str) -> Notes:
    """Return what a stranger has to know to use the numbers of ``model``.

    ``layout`` is the order of the axes of an image there: NCHW or NHWC. Raises WeightsError if the
    model's description is nonsense.
    """
    notes = {
        "producer": PRODUCER,
        "layout": layout,
        "scale": repr(float(GRAY)),
        "preparation": "float32 input = gray levels (0 to 255) * scale",
    }
    if model.description.get("classes"):
        notes["classes"] = json.dumps(names_of(model))
        if names_of(model) == DIGITS:
            notes["frame"] = FRAME
    notes |= {name: repr(z) for name, z in calibration_of(model).items()}
    return notes


def notes_text(model: Sequential, layout: str) -> str:
    """Return ``notes_of`` as one JSON text."""
    return json.dumps(notes_of(model, layout), sort_keys=True)


def our_notes(text: str | None) -> Notes:
    """Return the notes in ``text``, or none if they are not ours."""
    try:
        notes = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return notes if isinstance(notes, dict) and is_ours(notes) else {}


def is_ours(notes: dict[str, Any]) -> bool:
    """Whether ``notes`` are texts, and written by this library."""
    texts = all(isinstance(text, str) for text in notes.values())
    return texts and notes.get("producer", "").startswith("tinycnn ")


def description_of(notes: Notes) -> dict[str, Any]:
    """Return what ``notes`` say, as a weights file says it; ValueError if it is damaged."""
    calibration = {z: float(notes[z]) for z in ("temperature", "threshold") if z in notes}
    known = {"calibration": calibration} if calibration else {}
    return known | ({"classes": json.loads(notes["classes"])} if "classes" in notes else {})
