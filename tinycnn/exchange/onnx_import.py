"""Read an ONNX model that is a chain of layers; other graphs are refused.

In ONNX, images usually have their channels first, and Flatten makes rows in another order. So the
chain remembers the order that our axes (H,W,C) have in the graph, or the order of a row's numbers,
until the rows of a matrix are put into our order.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from tinycnn import nn
from tinycnn.errors import WeightsError
from tinycnn.exchange.layout import flattened_order
from tinycnn.exchange.metadata import own_metadata
from tinycnn.exchange.onnx_graph import Constants, Node, decimal
from tinycnn.exchange.reading import (
    ImportedModel,
    Settings,
    refuse,
    same_padding,
    shown,
    simplified,
)
from tinycnn.nn.checks import Shape

_MOST_NODES = 1000
CHANNELS_LAST, CHANNELS_FIRST = (0, 1, 2), (2, 0, 1)
"""The order of our axes (H,W,C) in the graph."""

_NOT_AN_IMAGE = "of an input that is not (N,C,H,W)"


def read_onnx(payload: bytes, folder: Path) -> ImportedModel:
    """Return the network in an ONNX file that is in ``folder``, perhaps with a file of arrays.

    Raises WeightsError for unsupported parts, and any exception if the payload is not ONNX.
    """
    model = onnx.ModelProto.FromString(payload)
    graph = model.graph
    if not 0 < len(graph.node) <= _MOST_NODES:
        raise WeightsError(f"it is not an ONNX model of 1 to {_MOST_NODES:,} nodes")
    constants = Constants({z.name: z for z in graph.initializer}, folder)
    inputs = [z for z in graph.input if z.name not in constants.known]
    if len(inputs) != 1 or len(graph.output) != 1:
        refuse(f"a model with {len(inputs)} inputs and {len(graph.output)} outputs")
    chain = Chain(metadata=own_metadata({z.key: z.value for z in model.metadata_props}))
    chain.start(tuple(z.dim_value for z in inputs[0].type.tensor_type.shape.dim[1:]))
    output = inputs[0].name
    for node in graph.node:
        if node.op_type == "Shape" and list(node.input) == [output]:
            marks = {z.name: z.i for z in node.attribute}
            sizes = chain.graph_shape()[marks.get("start", 0) : marks.get("end")]
            constants.known[node.output[0]] = np.array(sizes)
        elif not constants.takes(node):
            chain.add_node(constants.read_node(node, output))
            output = node.output[0]
    if output != graph.output[0].name:
        refuse("a model whose output is not that of its last node")
    chain.end()
    return chain


@dataclass
class Chain(ImportedModel):
    """The layers read so far, and how the graph lays out their output."""

    axes: tuple[int, ...] = ()
    order: np.ndarray | None = None
    """For every number of a row in the graph, its index here; None if they are the same."""

    temperature: float | None = None
    """The divisor of the logits before a last Softmax, which then is not made a layer."""

    pooled: bool = False
    """Whether the graph has still two axes of size 1 behind the channels."""

    def start(self, shape: Shape) -> None:
        """Set the input shape, given the graph's: (C,H,W), (H,W), (H,W,1) or (D,)."""
        if len(shape) not in (1, 2, 3) or not all(type(z) is int and z > 0 for z in shape):
            refuse(f"an input of the shape {shape}")
        self.axes = (0,) if len(shape) == 1 else CHANNELS_LAST
        if len(shape) == 3 and shape[2] > 1:
            self.axes, shape = CHANNELS_FIRST, (*shape[1:], shape[0])
        super().start(shape)

    def end(self) -> None:
        """Refuse a chain that needs another node to make sense; keep the temperature."""
        if self.temperature is not None:
            if not self.ended:
                refuse("a division at the end")
            self.metadata = {"temperature": repr(self.temperature), **self.metadata}
        if self.order is not None or self.pooled or self.axes not in ((0,), CHANNELS_FIRST):
            refuse("an output that is neither (N,C,H,W) nor (N,K)")

    def add_node(self, node: Node) -> None:
        """Append what ``node`` does; WeightsError if that is not supported."""
        if node.kind not in NODES:
            refuse(f"the node {node}")
        add, supported = NODES[node.kind]
        node.require_settings(supported)
        if self.temperature is not None and node.kind != "Identity":
            last_softmax = node.kind == "Softmax" and not self.ended
            node.require(last_softmax, "after a division, other than one last Softmax,")
        node.require(not self.ended or node.kind == "Identity", "after the last softmax")
        try:
            inspect.signature(add).bind(self, node, *node.constants)
        except TypeError:
            refuse(f"{node} with {len(node.constants)} constant inputs")
        add(self, node, *node.constants)

    def graph_shape(self) -> list[int]:
        """Return the shape of the output so far in the graph, with 0 for N."""
        return [0, *(self.shape[axis] for axis in self.axes), *([1, 1] if self.pooled else [])]

    def add_conv(self, node: Node, w: np.ndarray, b: np.ndarray | None = None) -> None:
        node.require(self.axes == CHANNELS_FIRST, _NOT_AN_IMAGE)
        F, _, KH, KW = w.shape
        layer = nn.Conv2D(F, node.square([KH, KW]))
        b = np.zeros(F, np.float32) if b is None else b
        before, after = same_padding(KH)
        upper, lower = [before, before, after, after], [after, after, before, before]
        named = {"SAME_UPPER": upper, "SAME_LOWER": lower, "VALID": [0] * 4}
        given = node.settings.get("pads", [0] * 4)
        pads = named.get(str(simplified(node.settings.get("auto_pad"))), given)
        self.add_padding(node, np.array(pads))
        self.add(layer, w=w.transpose(0, 2, 3, 1), b=b)

    def add_padding(self, node: Node, pads: np.ndarray, value: np.ndarray | None = None) -> None:
        """Pad by [..., above, left, ..., below, right], the same for rows and columns."""
        starts, ends = np.split(pads, 2)  # of all axes, or of rows and columns
        (above, left), (below, right) = starts[-2:], ends[-2:]
        others = starts[:-2].any() or ends[:-2].any() or value
        sound = above == left and below == right and not others
        node.require(sound and self.axes == CHANNELS_FIRST, f"with pads {shown(pads.tolist())}")
        self.pad(int(above), int(below))

    def add_window_pool(self, node: Node, kind: Callable[[int], nn.Layer]) -> None:
        node.require(self.axes == CHANNELS_FIRST, _NOT_AN_IMAGE)
        size = node.square(node.settings["kernel_shape"])
        pads = simplified(node.settings.get("pads", 0))
        node.require(pads == 0, f"with pads {shown(pads)} instead of 0")
        same = str(simplified(node.settings.get("auto_pad"))).startswith("SAME")
        whole = not any(z % size for z in self.shape[:2])
        node.require(whole or not same, f"with padding of an image {self.shape[:2]}")
        self.add_pool(node, kind, size, node.settings.get("strides", 1))

    def add_mean(self, node: Node, axes: np.ndarray | None = None) -> None:
        """Add a GlobalAveragePool or a ReduceMean over rows and columns."""
        node.require(len(self.shape) == 3, _NOT_AN_IMAGE)
        over = node.settings.get("axes", (2, 3)) if axes is None else axes.tolist()
        rows_and_columns = {1 + self.axes.index(0), 1 + self.axes.index(1)}
        node.require({z % 4 for z in over} == rows_and_columns, f"over the axes {shown(over)}")
        self.add(nn.GlobalAveragePool2D())
        self.axes, self.pooled = (0,), bool(node.settings.get("keepdims", 1))

    def squeeze(self, node: Node, axes: np.ndarray | None = None) -> None:
        node.require(self.pooled, "that is not after a mean over the image")
        self.pooled = False

    def add_dense(self, node: Node, w: np.ndarray, b: np.ndarray | None = None) -> None:
        w = w.T if node.settings.get("transB") else w
        D, K = w.shape
        b = np.zeros(K, np.float32) if b is None else b.reshape(-1)
        self.add(nn.Dense(K), w=self.in_our_order(w), b=b)
        self.order = None

    def add_to_bias(self, node: Node, b: np.ndarray) -> None:
        """Add to the bias of the matrix or the filters before, or to the input."""
        if not self.layers:
            self.shift(node, b)
            return
        after = bool(self.layers) and isinstance(self.layers[-1], nn.Dense | nn.Conv2D)
        node.require(after, "that does not add a bias")
        axis = -3 if len(self.shape) == 3 else -1  # that of the channels
        fits = b.size == 1 or (b.ndim >= -axis and b.size == b.shape[axis])
        node.require(fits, f"of an array {shown(b.shape)}")
        name = f"{len(self.layers) - 1}.b"
        self.arrays[name] = self.arrays[name] + b.reshape(-1)

    def add_normalization(
        self, node: Node, w: np.ndarray, b: np.ndarray, mean: np.ndarray, variance: np.ndarray
    ) -> None:
        node.require(len(self.shape) == 1 or self.axes == CHANNELS_FIRST, _NOT_AN_IMAGE)
        arrays = {"w": w, "b": b, "mean": mean, "variance": variance}
        epsilon = decimal(node.settings.get("epsilon", 1e-5))
        self.add_batch_norm(epsilon, **{key: self.in_our_order(z) for key, z in arrays.items()})

    def add_dropout(self, node: Node, ratio: np.ndarray | None = None) -> None:
        self.add(nn.Dropout(decimal(node.settings.get("ratio", 0.5) if ratio is None else ratio)))

    def add_leaky_relu(self, node: Node) -> None:
        self.add(nn.LeakyReLU(decimal(node.settings.get("alpha", 0.01))))

    def add_softmax(self, node: Node) -> None:
        node.require(node.settings.get("axis", -1) in (1, -1), "over another axis than the classes")
        if node.kind == "LogSoftmax":
            self.activate(node, "log_softmax")
        elif self.temperature is None:
            self.add(nn.Softmax())
        else:
            self.ended = True

    def scale_by(self, node: Node, z: np.ndarray) -> None:
        """At the start this is the preparation of gray levels, at the end the temperature."""
        node.require(z.size == 1, f"by an array {shown(z.shape)}")
        scale = float(z.item()) if node.kind == "Mul" else 1 / float(z.item())
        if self.layers:
            self.temperature = decimal(1 / scale)
        else:
            self.prepare(node, decimal(scale))

    def shift(self, node: Node, z: np.ndarray) -> None:
        """Add a number to the input, or subtract one."""
        node.require(z.size == 1, f"of an array {shown(z.shape)}")
        self.prepare(node, 1.0, float(z.item()) * (-1 if node.kind == "Sub" else 1))

    def transpose(self, node: Node) -> None:
        first, *perm = node.settings["perm"]
        node.require(first == 0 and len(self.shape) == 3, f"to the axes {shown([first, *perm])}")
        if not self.layers and self.axes == CHANNELS_FIRST and perm == [3, 1, 2]:
            C, (H, W) = self.shape[2], self.shape[:2]  # the input had channels last after all
            self.input_shape = self.shape = (C, H, W)
            self.axes = CHANNELS_LAST
        self.axes = tuple(self.axes[axis - 1] for axis in perm)

    def unsqueeze(self, node: Node, constant: np.ndarray | None = None) -> None:
        """Add the axis for the channel of a gray image."""
        axes = node.settings["axes"] if constant is None else constant.tolist()
        H, W, C = self.shape
        gray = not self.layers and C == 1 and axes in ([1], [3], [-1])
        node.require(gray, f"at the axes {shown(axes)}")
        self.start((1, H, W) if axes == [1] else (H, W, 1))

    def cast(self, node: Node) -> None:
        node.require(not self.layers, "between layers")

    def flatten(self) -> None:
        """Append a Flatten, and remember the order in which the graph writes the row."""
        if self.pooled:
            self.pooled = False
            return
        if len(self.shape) > 1:
            order = flattened_order(self.shape, self.axes)
            self.order = None if np.array_equal(order, np.arange(len(order))) else order
            self.axes = (0,)
        super().flatten()

    def in_our_order(self, z: np.ndarray) -> np.ndarray:
        """Return z (D, ...) with its rows in our order."""
        return z if self.order is None else z[np.argsort(self.order)]


_WINDOW = {"ceil_mode": 0, "storage_order": 0, "dilations": 1}

NODES: dict[str, tuple[Callable[..., None], Settings]] = {
    "Add": (Chain.add_to_bias, {}),
    "AveragePool": (lambda chain, node: chain.add_window_pool(node, nn.AveragePool2D), _WINDOW),
    "BatchNormalization": (Chain.add_normalization, {"training_mode": 0, "spatial": 1}),
    "Cast": (Chain.cast, {"to": TensorProto.FLOAT}),
    "Conv": (Chain.add_conv, {"strides": 1, "group": 1, "dilations": 1}),
    "Div": (Chain.scale_by, {}),
    "Dropout": (Chain.add_dropout, {}),
    "Flatten": (lambda chain, node: chain.flatten(), {"axis": 1}),
    "Gemm": (Chain.add_dense, {"alpha": 1.0, "beta": 1.0, "transA": 0}),
    "GlobalAveragePool": (Chain.add_mean, {}),
    "Identity": (lambda chain, node: None, {}),
    "LeakyRelu": (Chain.add_leaky_relu, {}),
    "LogSoftmax": (Chain.add_softmax, {}),
    "MatMul": (Chain.add_dense, {}),
    "MaxPool": (lambda chain, node: chain.add_window_pool(node, nn.MaxPool2D), _WINDOW),
    "Mul": (Chain.scale_by, {}),
    "Pad": (Chain.add_padding, {"mode": "constant"}),
    "ReduceMean": (Chain.add_mean, {}),
    "Reshape": (lambda chain, node, z: chain.reshape(node, z.tolist()[1:]), {}),
    "Softmax": (Chain.add_softmax, {}),
    "Squeeze": (Chain.squeeze, {}),
    "Sub": (Chain.shift, {}),
    "Transpose": (Chain.transpose, {}),
    "Unsqueeze": (Chain.unsqueeze, {}),
    **dict.fromkeys(
        ("Relu", "Sigmoid", "Tanh"),
        (lambda chain, node: chain.activate(node, node.kind.lower()), {}),
    ),
}
"""For each kind of node the function that adds it, called with the chain, the node and its
constants, and the settings that our layers can express."""
