"""Write a network as an ONNX model: a node for every layer, arrays under PyTorch's names."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tinycnn.exchange.layout import (
    PlacedLayer,
    channels_first,
    external_arrays,
    to_channels_first,
)
from tinycnn.exchange.metadata import PRODUCER, Metadata, metadata_of
from tinycnn.exchange.reading import Arrays
from tinycnn.nn import BatchNorm, Conv2D, Dense, Dropout, MaxPool2D, Sequential, Softmax

OPSET, IR_VERSION = 17, 9
"""Old enough for every runtime of recent years, in browsers too."""

INPUT, LOGITS, PROBABILITIES = "images", "logits", "probabilities"


def onnx_bytes(model: Sequential, softmax: bool = False) -> bytes:
    """Return the ONNX file of ``model``: images (N,C,H,W) -> logits (N,K), float32, any N.

    ``softmax``: the output is probabilities (N,K), of logits divided by the temperature that was
    measured with these weights, if any. Equal models give equal bytes.
    """
    if softmax:
        Softmax().shapes(model.output_shape)  # raises ShapeError if the outputs are not classes
    metadata = metadata_of(model, "NCHW")
    placed = list(channels_first(model.layers, model.input_shape))
    arrays = external_arrays(model, (array for z in placed for array in z.arrays))
    nodes, x = [], INPUT
    for z in placed:
        nodes += _nodes(z, x, arrays)
        x = nodes[-1].output[0]
    if softmax and not isinstance(model.layers[-1], Softmax):
        nodes += _probabilities(x, metadata, arrays)
    ends_in_softmax = nodes[-1].op_type == "Softmax"
    nodes[-1].output[0] = PROBABILITIES if ends_in_softmax else LOGITS
    return _file(model, nodes, arrays, metadata)


def _nodes(placed: PlacedLayer, x: str, arrays: Arrays) -> list[onnx.NodeProto]:
    """Return the nodes that compute a layer from ``x``."""
    index, layer, y = placed.index, placed.layer, f"{placed.index}.y"
    inputs = [x, *(z.external for z in placed.arrays)]
    match layer:
        case Conv2D():
            return [helper.make_node("Conv", inputs, [y], kernel_shape=[layer.kernel_size] * 2)]
        case BatchNorm():
            return [helper.make_node("BatchNormalization", inputs, [y], epsilon=layer.EPSILON)]
        case Dropout():  # does nothing when run, but allows training to go on elsewhere
            arrays[f"{index}.ratio"] = np.array(layer.rate, np.float32)
            return [helper.make_node("Dropout", [x, f"{index}.ratio"], [y])]
        case MaxPool2D():
            size = [layer.size] * 2
            return [helper.make_node("MaxPool", [x], [y], kernel_shape=size, strides=size)]
        case Dense():
            return [helper.make_node("Gemm", inputs, [y], transB=1)]
        case Softmax():
            return [helper.make_node("Softmax", [x], [y], axis=1)]
        case _:
            kind = {"ReLU": "Relu", "Flatten": "Flatten"}[type(layer).__name__]
            return [helper.make_node(kind, [x], [y])]


def _probabilities(x: str, metadata: Metadata, arrays: Arrays) -> list[onnx.NodeProto]:
    """Return the nodes that compute probabilities from the logits ``x``."""
    temperature = np.array(float(metadata.get("temperature", 1.0)), np.float32)
    nodes = []
    if temperature != 1:
        arrays["temperature"] = temperature
        nodes.append(helper.make_node("Div", [x, "temperature"], ["calibrated"]))
        x = "calibrated"
    return [*nodes, helper.make_node("Softmax", [x], [PROBABILITIES], axis=1)]


def _file(
    model: Sequential, nodes: list[onnx.NodeProto], arrays: Arrays, metadata: Metadata
) -> bytes:
    shapes = {INPUT: model.input_shape, nodes[-1].output[0]: model.output_shape}
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *to_channels_first(shape)])]
        for name, shape in shapes.items()
    )
    constants = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "tinycnn", inputs, outputs, constants)
    producer, version = PRODUCER.split()
    file = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name=producer,
        producer_version=version,
    )
    helper.set_model_props(file, metadata)
    onnx.checker.check_model(file, full_check=True)
    payload: bytes = file.SerializeToString(deterministic=True)
    return payload
