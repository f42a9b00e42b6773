"""A network as an ONNX model: a node for every layer, arrays under PyTorch's names."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tinycnn.exchange.layout import Place, channels_first, first, left
from tinycnn.exchange.metadata import PRODUCER, Notes, notes_of
from tinycnn.nn import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    Softmax,
)

OPSET, IR_VERSION = 17, 9
"""Old enough for every runtime of the last years, in browsers too."""

INPUT, LOGITS, PROBABILITIES = "images", "logits", "probabilities"


def onnx_bytes(model: Sequential, softmax: bool = False) -> bytes:
    """Return the ONNX file of ``model``: images (N,C,H,W) -> logits (N,K), float32, any N.

    ``softmax``: the output is probabilities (N,K), of logits divided by the temperature that was
    measured with these weights, if any. Equal models give equal bytes.
    """
    if softmax:
        Softmax().shapes(model.output_shape)  # refuses what are no classes
    notes = notes_of(model, "NCHW")
    places = list(channels_first(model.layers, model.input_shape))
    arrays = left(model, (z for place in places for z in place.arrays))
    nodes, x = [], INPUT
    for place in places:
        nodes += _nodes(place, x, arrays)
        x = nodes[-1].output[0]
    if softmax and not isinstance(model.layers[-1], Softmax):
        nodes += _probabilities(x, notes, arrays)
    by_softmax = nodes[-1].op_type == "Softmax"
    nodes[-1].output[0] = PROBABILITIES if by_softmax else LOGITS
    return _file(model, nodes, arrays, notes)


def _nodes(place: Place, x: str, arrays: dict[str, np.ndarray]) -> list[onnx.NodeProto]:
    """The nodes that turn ``x`` into what this layer makes of it; a Flatten may need two."""
    index, layer, y = place.index, place.layer, f"{place.index}.y"
    inputs = [x, *(z.there for z in place.arrays)]
    match layer:
        case Conv2D():
            return [helper.make_node("Conv", inputs, [y], kernel_shape=[layer.kernel_size] * 2)]
        case BatchNorm():
            return [helper.make_node("BatchNormalization", inputs, [y], epsilon=layer.EPSILON)]
        case Dropout():  # does nothing, but is there for whoever wants to train on
            arrays[f"{index}.ratio"] = np.array(layer.rate, np.float32)
            return [helper.make_node("Dropout", [x, f"{index}.ratio"], [y])]
        case MaxPool2D():
            size = [layer.size] * 2
            return [helper.make_node("MaxPool", [x], [y], kernel_shape=size, strides=size)]
        case Flatten() if place.rearranges:
            rank = len(place.input_shape)
            last = helper.make_node(
                "Transpose", [x], [f"{index}.x"], perm=[0, *range(2, rank + 1), 1]
            )
            return [last, helper.make_node("Flatten", [f"{index}.x"], [y])]
        case Dense():
            return [helper.make_node("Gemm", inputs, [y], transB=1)]
        case Softmax():
            return [helper.make_node("Softmax", [x], [y], axis=1)]
        case _:
            kind = {ReLU: "Relu", Flatten: "Flatten"}[type(layer)]
            return [helper.make_node(kind, [x], [y])]


def _probabilities(x: str, notes: Notes, arrays: dict[str, np.ndarray]) -> list[onnx.NodeProto]:
    temperature = np.array(float(notes.get("temperature", 1.0)), np.float32)
    nodes = []
    if temperature != 1:
        arrays["temperature"] = temperature
        nodes.append(helper.make_node("Div", [x, "temperature"], ["calibrated"]))
        x = "calibrated"
    return [*nodes, helper.make_node("Softmax", [x], [PROBABILITIES], axis=1)]


def _file(
    model: Sequential, nodes: list[onnx.NodeProto], arrays: dict[str, np.ndarray], notes: Notes
) -> bytes:
    shapes = {INPUT: first(model.input_shape), nodes[-1].output[0]: first(model.output_shape)}
    graph = helper.make_graph(
        nodes,
        "tinycnn",
        *(
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])]
            for name, shape in shapes.items()
        ),
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opset = helper.make_opsetid("", OPSET)
    producer, version = PRODUCER.split()
    file = helper.make_model(
        graph,
        opset_imports=[opset],
        ir_version=IR_VERSION,
        producer_name=producer,
        producer_version=version,
    )
    helper.set_model_props(file, notes)
    onnx.checker.check_model(file, full_check=True)
    return file.SerializeToString(deterministic=True)
