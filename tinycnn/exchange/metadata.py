"""The metadata of an exported network: the preparation of images and the names of classes.

ONNX keeps short texts by name beside a graph; safetensors keeps them as one JSON text.
"""

import json

import tinycnn
from tinycnn.data.catalogue import DIGITS
from tinycnn.nn import Sequential
from tinycnn.nn.checks import GRAY
from tinycnn.nn.classifier import calibration_of, names_of

PRODUCER = f"tinycnn {tinycnn.__version__}"

FRAME = "light digit on dark, 20 of 28 pixels high or wide, center of mass at index 14.0 both ways"


def metadata_of(model: Sequential) -> dict[str, str]:
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
