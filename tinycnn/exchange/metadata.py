"""The metadata of an exported network: the preparation of images and the names of classes.

ONNX keeps short texts by name beside a graph; other formats keep them as one JSON text.
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
"""The name of the JSON text, in formats other than ONNX."""

PRODUCER = f"tinycnn {tinycnn.__version__}"

FRAME = "light digit on dark, 20 of 28 pixels high or wide, center of mass at index 14.0 both ways"
"""How a drawn digit has to be placed in its image, because MNIST's digits are."""


def metadata_of(model: Sequential, layout: str) -> Metadata:
    """Return what another program must know to run ``model``.

    ``layout`` is the order of an image's axes there: NCHW or NHWC. Raises WeightsError if the
    classes or the calibration in the model's description make no sense.
    """
    metadata = {
        "producer": PRODUCER,
        "layout": layout,
        "scale": repr(float(GRAY)),
        "preparation": "float32 input = gray levels (0 to 255) * scale",
    }
    if model.description.get("classes"):
        metadata["classes"] = json.dumps(names_of(model))
        if names_of(model) == DIGITS:
            metadata["frame"] = FRAME
    return metadata | {name: repr(z) for name, z in calibration_of(model).items()}


def metadata_json(model: Sequential, layout: str) -> str:
    """Return ``metadata_of`` as one JSON text."""
    return json.dumps(metadata_of(model, layout), sort_keys=True)


def parse_metadata(text: str | None) -> Metadata:
    """Return the metadata in a JSON ``text``; none if tinycnn did not write it."""
    try:
        return own_metadata(json.loads(text or "{}"))
    except (ValueError, RecursionError):
        return {}


def own_metadata(metadata: Any) -> Metadata:
    """Return ``metadata`` if tinycnn wrote it, and none otherwise."""
    if not isinstance(metadata, dict) or not all(isinstance(z, str) for z in metadata.values()):
        return {}
    return metadata if metadata.get("producer", "").startswith("tinycnn ") else {}


def description_from(metadata: Metadata) -> dict[str, Any]:
    """Return the part of a weights file's description that ``metadata`` tells.

    Raises ValueError if it is damaged.
    """
    calibration = {z: float(metadata[z]) for z in ("temperature", "threshold") if z in metadata}
    known: dict[str, Any] = {"calibration": calibration} if calibration else {}
    return known | ({"classes": json.loads(metadata["classes"])} if "classes" in metadata else {})
