"""The metadata of an exported network: the preparation of images and the names of classes.

ONNX keeps short texts by name beside a graph; safetensors keeps them as one JSON text.
"""

import json
from typing import Any

import tinycnn
from tinycnn.data.catalogue import DIGITS
from tinycnn.nn import Sequential
from tinycnn.nn.checks import GRAY
from tinycnn.nn.classifier import calibration_of, names_of

Metadata = dict[str, str]

KEY = "notes"
"""The name of the JSON text in safetensors."""

PRODUCER = f"tinycnn {tinycnn.__version__}"

FRAME = "light digit on dark, 20 of 28 pixels high or wide, center of mass at index 14.0 both ways"


def metadata_of(model: Sequential) -> Metadata:
    """Return what another program must know to run ``model``.

    Raises WeightsError if the classes or the calibration in the model's description make no sense.
    """
    metadata = {
        "producer": PRODUCER,
        "layout": "NCHW",
        "scale": repr(float(GRAY)),
        "preparation": "float32 input = gray levels (0 to 255) * scale",
    }
    if model.description.get("classes"):
        metadata["classes"] = json.dumps(names_of(model))
        if names_of(model) == DIGITS:
            metadata["frame"] = FRAME
    return metadata | {name: repr(z) for name, z in calibration_of(model).items()}


def parsed(text: str) -> Metadata:
    """Return the metadata in a JSON ``text``; none if it is another program's."""
    try:
        return {str(name): str(z) for name, z in dict(json.loads(text)).items()}
    except (TypeError, ValueError, RecursionError):
        return {}


def description_from(metadata: Metadata) -> dict[str, Any]:
    """Return the part of a weights file's description that ``metadata`` tells.

    None of it unless tinycnn wrote them; ValueError if they are damaged.
    """
    if not metadata.get("producer", "").startswith("tinycnn "):
        return {}
    calibration = {z: float(metadata[z]) for z in ("temperature", "threshold") if z in metadata}
    known: dict[str, Any] = {"calibration": calibration} if calibration else {}
    return known | ({"classes": json.loads(metadata["classes"])} if "classes" in metadata else {})
