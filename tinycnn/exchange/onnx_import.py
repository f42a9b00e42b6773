"""Read an ONNX model that is a chain of layers; other graphs are refused.

In ONNX, images usually have their channels first, and Flatten makes rows in another order. So the
chain remembers the order that our axes (H,W,C) have in the graph, or the order of a row's numbers,
until the rows of a matrix are put into our order.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tinycnn.errors import WeightsError
from tinycnn.exchange.layout import flattened_order
from tinycnn.exchange.metadata import own_metadata
from tinycnn.exchange.reading import (
    ExternalLayer,
    ImportedModel,
    Settings,
    refuse,
    shown,
    simplified,
)
from tinycnn.nn import Conv2D, Dense, Dropout, MaxPool2D, ReLU, Softmax
from tinycnn.nn.checks import Shape

_MOST_NODES = 1000

CHANNELS_LAST, CHANNELS_FIRST = (0, 1, 2), (2, 0, 1)
"""The order of our axes (H,W,C) in the graph."""

_NOT_AN_IMAGE = "of an input that is not (N,C,H,W)"


@dataclass(frozen=True)
class Node(ExternalLayer):
    """A node that takes the output of the one before it, and ``constants``."""

    constants: Sequence[np.ndarray]


def read_onnx(payload: bytes) -> ImportedModel:
    """Return the network in an ONNX file.

    Raises WeightsError for unsupported parts, and any exception if the payload is not ONNX. Opens
    no other file, even if the model names one.
    """
    model = onnx.ModelProto.FromString(payload)
    graph = model.graph
    if not 0 < len(graph.node) <= _MOST_NODES:
        raise WeightsError(f"it is not an ONNX model of 1 to {_MOST_NODES:,} nodes")
    constants = {z.name: z for z in graph.initializer}
    inputs = [z for z in graph.input if z.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        refuse(f"a model with {len(inputs)} inputs and {len(graph.output)} outputs")
    chain = Chain(metadata=own_metadata({z.key: z.value for z in model.metadata_props}))
    chain.start(tuple(z.dim_value for z in inputs[0].type.tensor_type.shape.dim[1:]))
    output = inputs[0].name
    for node in graph.node:
        if not _is_constant(node, constants):
            chain.add_node(_read_node(node, output, constants))
            output = node.output[0]
    if output != graph.output[0].name:
        refuse("a model whose output is not that of its last node")
    chain.end()
    return chain


def _is_constant(node: onnx.NodeProto, constants: dict[str, TensorProto]) -> bool:
    """Whether a node only makes or renames a constant; if so, add it to ``constants``."""
    if node.op_type == "Constant" and node.attribute[0].name == "value":
        constants[node.output[0]] = node.attribute[0].t
    elif node.op_type == "Identity" and node.input[0] in constants:
        constants[node.output[0]] = constants[node.input[0]]
    else:
        return False
    return True


def _read_node(proto: onnx.NodeProto, x: str, constants: dict[str, TensorProto]) -> Node:
    """Return a node whose only input besides constants must be ``x``."""
    others = [name for name in proto.input if name and name != x]
    known = [name for name in others if name in constants]
    node = Node(
        proto.op_type,
        proto.name or proto.output[0],
        {z.name: helper.get_attribute_value(z) for z in proto.attribute},
        [_array(constants[name]) for name in known],
    )
    node.require(proto.domain in ("", "ai.onnx"), f"of the domain {shown(proto.domain)}")
    takes_x = len(others) == sum(map(bool, proto.input)) - 1 and len(known) == len(others)
    node.require(takes_x, "with another input than the output of the node before, and constants,")
    commutes = proto.op_type in ("Add", "Mul")
    node.require(commutes or proto.input[0] == x, "with a constant as first input")
    return node


def _array(tensor: TensorProto) -> np.ndarray:
    if tensor.data_location == TensorProto.EXTERNAL:
        raise WeightsError(f"the numbers of {shown(tensor.name)} are in another file; save them in")
    if tensor.data_type not in (TensorProto.FLOAT, TensorProto.INT64):
        refuse(f"{shown(tensor.name)} of the type {TensorProto.DataType.Name(tensor.data_type)}")
    return np.asarray(numpy_helper.to_array(tensor))


@dataclass
class Chain(ImportedModel):
    """The layers read so far, and how the graph lays out their output."""

    axes: tuple[int, ...] = ()
    order: np.ndarray | None = None
    """For every number of a row in the graph, its index here; None if they are the same."""

    temperature: float | None = None
    """The divisor of the logits before a last Softmax, which then is not made a layer."""

    ended: bool = False
    """Whether that Softmax has been read."""

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
        if self.order is not None or self.axes not in ((0,), CHANNELS_FIRST):
            refuse("an output that is neither (N,C,H,W) nor (N,K)")

    def add_node(self, node: Node) -> None:
        """Append what ``node`` does; WeightsError if that is not supported."""
        if node.kind not in NODES:
            refuse(f"the node {node}")
        add, supported = NODES[node.kind]
        if simplified(node.settings.get("auto_pad")) == "VALID":  # another name for no padding
            supported = supported | {"auto_pad": "VALID"}
        node.require_settings(supported)
        if self.temperature is not None and node.kind != "Identity":
            last_softmax = node.kind == "Softmax" and not self.ended
            node.require(last_softmax, "after a division, other than one last Softmax,")
        try:
            inspect.signature(add).bind(self, node, *node.constants)
        except TypeError:
            refuse(f"{node} with {len(node.constants)} constant inputs")
        add(self, node, *node.constants)

    def add_conv(self, node: Node, w: np.ndarray, b: np.ndarray | None = None) -> None:
        node.require(self.axes == CHANNELS_FIRST, _NOT_AN_IMAGE)
        F, _, KH, KW = w.shape
        layer = Conv2D(F, node.square([KH, KW]))
        b = np.zeros(F, np.float32) if b is None else b
        self.add(layer, w=w.transpose(0, 2, 3, 1), b=b)

    def add_max_pool(self, node: Node) -> None:
        node.require(self.axes == CHANNELS_FIRST, _NOT_AN_IMAGE)
        size = node.square(node.settings["kernel_shape"])
        strides = simplified(node.settings.get("strides", 1))
        node.require(strides == size, f"with strides {shown(strides)} instead of {size}")
        self.add(MaxPool2D(size))

    def add_dense(self, node: Node, w: np.ndarray, b: np.ndarray | None = None) -> None:
        w = w.T if node.settings.get("transB") else w
        D, K = w.shape
        b = np.zeros(K, np.float32) if b is None else b.reshape(-1)
        self.add(Dense(K), w=self.in_our_order(w), b=b)
        self.order = None

    def add_to_bias(self, node: Node, b: np.ndarray) -> None:
        """Add to the bias of the matrix or the filters before."""
        after = bool(self.layers) and isinstance(self.layers[-1], Dense | Conv2D)
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
        epsilon = _decimal(node.settings.get("epsilon", 1e-5))
        self.add_batch_norm(epsilon, **{key: self.in_our_order(z) for key, z in arrays.items()})

    def add_dropout(self, node: Node, ratio: np.ndarray | None = None) -> None:
        self.add(Dropout(_decimal(node.settings.get("ratio", 0.5) if ratio is None else ratio)))

    def add_softmax(self, node: Node) -> None:
        node.require(node.settings.get("axis", -1) in (1, -1), "over another axis than the classes")
        if self.temperature is None:
            self.add(Softmax())
        else:
            self.ended = True

    def scale(self, node: Node, z: np.ndarray) -> None:
        """At the start this is the preparation of gray levels, at the end the temperature."""
        node.require(z.size == 1, f"by an array {shown(z.shape)}")
        scale = float(z.item()) if node.kind == "Mul" else 1 / float(z.item())
        if self.layers:
            self.temperature = _decimal(1 / scale)
        else:
            self.prepare(node, _decimal(scale))

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
        if len(self.shape) > 1:
            order = flattened_order(self.shape, self.axes)
            self.order = None if np.array_equal(order, np.arange(len(order))) else order
            self.axes = (0,)
        super().flatten()

    def in_our_order(self, z: np.ndarray) -> np.ndarray:
        """Return z (D, ...) with its rows in our order."""
        return z if self.order is None else z[np.argsort(self.order)]


def _decimal(z: float | np.ndarray) -> float:
    """Return the shortest number that is this float32: 0.2, not 0.20000000298."""
    return float(str(np.float32(z)))


_WINDOW = {"auto_pad": "NOTSET", "pads": 0, "dilations": 1}

NODES: dict[str, tuple[Callable[..., None], Settings]] = {
    "Add": (Chain.add_to_bias, {}),
    "BatchNormalization": (Chain.add_normalization, {"training_mode": 0, "spatial": 1}),
    "Cast": (Chain.cast, {"to": TensorProto.FLOAT}),
    "Conv": (Chain.add_conv, {"strides": 1, "group": 1, **_WINDOW}),
    "Div": (Chain.scale, {}),
    "Dropout": (Chain.add_dropout, {}),
    "Flatten": (lambda chain, node: chain.flatten(), {"axis": 1}),
    "Gemm": (Chain.add_dense, {"alpha": 1.0, "beta": 1.0, "transA": 0}),
    "Identity": (lambda chain, node: None, {}),
    "MatMul": (Chain.add_dense, {}),
    "MaxPool": (Chain.add_max_pool, {"ceil_mode": 0, "storage_order": 0, **_WINDOW}),
    "Mul": (Chain.scale, {}),
    "Relu": (lambda chain, node: chain.add(ReLU()), {}),
    "Reshape": (lambda chain, node, z: chain.reshape(node, z.tolist()[1:]), {}),
    "Softmax": (Chain.add_softmax, {}),
    "Transpose": (Chain.transpose, {}),
    "Unsqueeze": (Chain.unsqueeze, {}),
}
"""For each kind of node the function that adds it, called with the chain, the node and its
constants, and the settings that our layers can express."""
