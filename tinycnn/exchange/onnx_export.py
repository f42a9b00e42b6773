"""Write a network as an ONNX model: a node for every layer, arrays under PyTorch's names."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tinycnn import nn
from tinycnn.exchange.chain import Settings
from tinycnn.exchange.layout import Arrays, in_pytorch, to_channels_first
from tinycnn.exchange.metadata import PRODUCER, metadata_of

OPSET, IR_VERSION = 17, 9  # old enough for every runtime of recent years, in browsers too

INPUT, LOGITS, PROBABILITIES = "images", "logits", "probabilities"


def onnx_bytes(model: nn.Sequential, softmax: bool = False) -> bytes:
    """Return the ONNX file of ``model``: images (N,C,H,W) -> logits (N,K), float32, any N.

    ``softmax``: the output is probabilities (N,K), of logits divided by the temperature that was
    measured with these weights, if any. Equal models give equal bytes.
    """
    if softmax:
        nn.Softmax().shapes(model.output_shape)  # raises ShapeError if the outputs are not classes
    arrays, metadata = in_pytorch(model), metadata_of(model)
    names = defaultdict(list)
    for name in arrays:
        names[int(name.split(".")[0])].append(name)
    nodes, x = [], INPUT
    for index, layer in enumerate(model.layers):
        constants = {f"{index}.{key}": z for key, z in _constants(layer).items()}
        arrays |= constants
        inputs, y, name = [x, *names[index], *constants], f"{index}.y", type(layer).__name__
        kind, settings = _NODES.get(name, (name, lambda layer: {}))
        nodes.append(helper.make_node(kind, inputs, [y], f"{index}_{name}", **settings(layer)))
        x = y
    if softmax and not isinstance(model.layers[-1], nn.Softmax):
        if (temperature := float(metadata.get("temperature", 1))) != 1:
            arrays["temperature"] = np.array(temperature, np.float32)
            nodes.append(helper.make_node("Div", [x, "temperature"], ["calibrated"], "calibration"))
            x = "calibrated"
        nodes.append(helper.make_node("Softmax", [x], [PROBABILITIES], PROBABILITIES, axis=1))
    ends_in_softmax = nodes[-1].op_type == "Softmax"
    nodes[-1].output[0] = PROBABILITIES if ends_in_softmax else LOGITS
    return _file(model, nodes, arrays, metadata)


def _pool(layer: Any) -> Settings:
    return {"kernel_shape": [layer.size] * 2, "strides": [layer.size] * 2}


_NODES: dict[str, tuple[str, Callable[[Any], Settings]]] = {
    "AveragePool2D": ("AveragePool", _pool),
    "BatchNorm": ("BatchNormalization", lambda layer: {"epsilon": layer.EPSILON}),
    "Conv2D": ("Conv", lambda layer: {"kernel_shape": [layer.kernel_size] * 2}),
    "Dense": ("Gemm", lambda layer: {"transB": 1}),
    "GlobalAveragePool2D": ("ReduceMean", lambda layer: {"axes": [2, 3], "keepdims": 0}),
    "LeakyReLU": ("LeakyRelu", lambda layer: {"alpha": layer.slope}),
    "MaxPool2D": ("MaxPool", _pool),
    "ReLU": ("Relu", lambda layer: {}),
    "Softmax": ("Softmax", lambda layer: {"axis": 1}),
    "ZeroPad2D": ("Pad", lambda layer: {}),
}
"""The kind of node that computes a layer, where it has another name or settings."""


def _constants(layer: nn.Layer) -> Arrays:
    """Return the inputs of a node besides the arrays of its layer."""
    match layer:
        case nn.Dropout():  # does nothing when run, but allows training to go on elsewhere
            return {"ratio": np.array(layer.rate, np.float32)}
        case nn.ZeroPad2D(before=before, after=after):
            return {"pads": np.array([0, 0, before, before, 0, 0, after, after])}
    return {}


def _file(
    model: nn.Sequential, nodes: list[onnx.NodeProto], arrays: Arrays, metadata: dict[str, str]
) -> bytes:
    shapes = {INPUT: model.input_shape, nodes[-1].output[0]: model.output_shape}
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *to_channels_first(shape)])]
        for name, shape in shapes.items()
    )
    constants = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    described = f"gray levels / 255 of a network of {PRODUCER}, image by image"
    graph = helper.make_graph(nodes, "tinycnn", inputs, outputs, constants, described)
    opset = helper.make_opsetid("", OPSET)
    file = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
    file.producer_name, file.producer_version = PRODUCER.split()
    helper.set_model_props(file, metadata)
    onnx.checker.check_model(file, full_check=True)
    payload: bytes = file.SerializeToString(deterministic=True)
    return payload
