"""Write one of the networks as an ONNX file: ``python -m benchmarks.peers.onnx_model NAME DIR``."""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.recipe import NETWORKS, Network, Weights, load_weights, rows_from_chw, shapes


def onnx_model(network: Network, weights: Weights) -> onnx.ModelProto:
    """Return images (N,28,28) uint8 -> p (N,10), with N open."""
    scale = numpy_helper.from_array(np.float32(1 / 255), "scale")
    shape = numpy_helper.from_array(np.array([-1, 1, 28, 28]), "shape")
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "scale"], ["scaled"]),
        helper.make_node("Reshape", ["scaled", "shape"], ["0.x"]),
        *(_node(index, kind, sizes) for index, (kind, *sizes) in enumerate(network)),
        helper.make_node("Softmax", [f"{len(network)}.x"], ["p"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 28, 28])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["N", 10])],
        [scale, shape, *_parameters(network, weights)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _node(index: int, kind: str, sizes: list[int]) -> onnx.NodeProto:
    """Layer ``index`` turns "index.x" into "index+1.x"."""
    x, y = f"{index}.x", f"{index + 1}.x"
    match kind:
        case "conv":
            return helper.make_node("Conv", [x, f"{index}.w", f"{index}.b"], [y])
        case "pool":
            return helper.make_node("MaxPool", [x], [y], kernel_shape=sizes * 2, strides=sizes * 2)
        case "flatten":
            return helper.make_node("Flatten", [x], [y])
        case "dense":
            return helper.make_node("Gemm", [x, f"{index}.w", f"{index}.b"], [y])
        case _:
            return helper.make_node("Relu", [x], [y])


def _parameters(network: Network, weights: Weights) -> list[onnx.TensorProto]:
    """In ONNX's order: filters (F,C,KH,KW), and rows that were flattened from (C,H,W)."""
    found = dict(weights)
    rows = shapes(network)
    for index, (kind, *_) in enumerate(network):
        if kind == "conv":
            found[f"{index}.w"] = weights[f"{index}.w"].transpose(0, 3, 1, 2).copy()
        elif kind == "dense" and network[index - 1][0] == "flatten":
            found[f"{index}.w"] = rows_from_chw(weights[f"{index}.w"], rows[index - 1])  # type: ignore[arg-type]
    return [numpy_helper.from_array(array, name) for name, array in found.items()]


if __name__ == "__main__":
    name, folder = sys.argv[1], Path(sys.argv[2])
    model = onnx_model(NETWORKS[name], load_weights(folder / f"{name}-for-onnx.npz"))
    onnx.save(model, folder / f"{name}.onnx")
