"""Write a network as an ONNX model: a node for every layer, arrays under PyTorch's names."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tinycnn import nn
from tinycnn.exchange.layout import (
    PlacedLayer,
    channels_first,
    external_arrays,
    to_channels_first,
)
from tinycnn.exchange.metadata import PRODUCER, Metadata, metadata_of
from tinycnn.exchange.reading import Arrays

OPSET, IR_VERSION = 17, 9
"""Old enough for every runtime of recent years, in browsers too."""

INPUT, LOGITS, PROBABILITIES = "images", "logits", "probabilities"


_KINDS: dict[type[nn.Layer], tuple[str, dict[str, Any]]] = {
    nn.Dense: ("Gemm", {"transB": 1}),
    nn.Flatten: ("Flatten", {}),
    nn.GlobalAveragePool2D: ("ReduceMean", {"axes": [2, 3], "keepdims": 0}),
    nn.ReLU: ("Relu", {}),
    nn.Sigmoid: ("Sigmoid", {}),
    nn.Softmax: ("Softmax", {"axis": 1}),
    nn.Tanh: ("Tanh", {}),
}
"""The nodes of layers that need nothing else."""


def onnx_bytes(model: nn.Sequential, softmax: bool = False) -> bytes:
    """Return the ONNX file of ``model``: images (N,C,H,W) -> logits (N,K), float32, any N.

    ``softmax``: the output is probabilities (N,K), of logits divided by the temperature that was
    measured with these weights, if any. Equal models give equal bytes.
    """
    if softmax:
        nn.Softmax().shapes(model.output_shape)  # raises ShapeError if the outputs are not classes
    metadata = metadata_of(model, "NCHW")
    placed = list(channels_first(model.layers, model.input_shape))
    arrays = external_arrays(model, (array for z in placed for array in z.arrays))
    nodes, x = [], INPUT
    for z in placed:
        nodes += _nodes(z, x, arrays)
        x = nodes[-1].output[0]
    if softmax and not isinstance(model.layers[-1], nn.Softmax):
        nodes += _probabilities(x, metadata, arrays)
    ends_in_softmax = nodes[-1].op_type == "Softmax"
    nodes[-1].output[0] = PROBABILITIES if ends_in_softmax else LOGITS
    return _file(model, nodes, arrays, metadata)


def _nodes(placed: PlacedLayer, x: str, arrays: Arrays) -> list[onnx.NodeProto]:
    """Return the nodes that compute a layer from ``x``, named after it: "0_Conv2D"."""
    index, layer, y = placed.index, placed.layer, f"{placed.index}.y"
    name = f"{index}_{type(layer).__name__}"
    inputs = [x, *(z.external for z in placed.arrays)]

    def node(kind: str, *more: str, **settings: Any) -> list[onnx.NodeProto]:
        return [helper.make_node(kind, [*inputs, *more], [y], name, **settings)]

    match layer:
        case nn.Conv2D():
            return node("Conv", kernel_shape=[layer.kernel_size] * 2)
        case nn.BatchNorm():
            return node("BatchNormalization", epsilon=layer.EPSILON)
        case nn.Dropout():  # does nothing when run, but allows training to go on elsewhere
            arrays[f"{index}.ratio"] = np.array(layer.rate, np.float32)
            return node("Dropout", f"{index}.ratio")
        case nn.MaxPool2D() | nn.AveragePool2D():
            kind = type(layer).__name__.removesuffix("2D")
            return node(kind, kernel_shape=[layer.size] * 2, strides=[layer.size] * 2)
        case nn.ZeroPad2D():
            sizes = [0, 0, layer.before, layer.before, 0, 0, layer.after, layer.after]
            arrays[f"{index}.pads"] = np.array(sizes)
            return node("Pad", f"{index}.pads")
        case nn.LeakyReLU():
            return node("LeakyRelu", alpha=layer.slope)
        case _:
            kind, settings = _KINDS[type(layer)]
            return node(kind, **settings)


def _probabilities(x: str, metadata: Metadata, arrays: Arrays) -> list[onnx.NodeProto]:
    """Return the nodes that compute probabilities from the logits ``x``."""
    temperature = np.array(float(metadata.get("temperature", 1.0)), np.float32)
    nodes = []
    if temperature != 1:
        arrays["temperature"] = temperature
        nodes.append(helper.make_node("Div", [x, "temperature"], ["calibrated"], "calibration"))
        x = "calibrated"
    return [*nodes, helper.make_node("Softmax", [x], [PROBABILITIES], PROBABILITIES, axis=1)]


def _file(
    model: nn.Sequential, nodes: list[onnx.NodeProto], arrays: Arrays, metadata: Metadata
) -> bytes:
    shapes = {INPUT: model.input_shape, nodes[-1].output[0]: model.output_shape}
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *to_channels_first(shape)])]
        for name, shape in shapes.items()
    )
    constants = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    described = f"gray levels / 255 of a network of {PRODUCER}, image by image"
    graph = helper.make_graph(nodes, "tinycnn", inputs, outputs, constants, described)
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
