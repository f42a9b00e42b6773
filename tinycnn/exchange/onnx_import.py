"""Read an ONNX model that is a chain of layers, with channels first; other graphs are refused.

A node takes the output of the node before it, and constants: they are in the file or beside it, or
follow from others, as the target of a Reshape does.
"""

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tinycnn import nn
from tinycnn.errors import WeightsError
from tinycnn.exchange.chain import Chain, Part, Settings, refuse, same_padding, shown, simplified
from tinycnn.exchange.layout import PYTORCH, to_channels_first
from tinycnn.nn.weights import MAX_BYTES

_MOST_NODES = 1000
_LONGEST_SHAPE = 16

_RESHAPING = {"Cast", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
_GROWING = {"Concat", "Gather", "Slice"}
"""Nodes that are computed while reading; the latter on shapes only, lest a graph grow on its own.

A shape has 0 for N, which is also what Reshape calls "as many as there are"."""


def read_onnx(payload: bytes, folder: Path) -> Chain:
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
    chain = Chain(PYTORCH)
    _start(chain, [z.dim_value for z in inputs[0].type.tensor_type.shape.dim[1:]])
    output = inputs[0].name
    for node in graph.node:
        if node.op_type == "Shape" and list(node.input) == [output]:
            marks = {z.name: z.i for z in node.attribute}
            sizes = [0, *to_channels_first(chain.shape)][marks.get("start", 0) : marks.get("end")]
            constants.known[node.output[0]] = np.array(sizes)
        elif not constants.takes(node):
            _add_node(chain, constants.read_node(node, output))
            output = node.output[0]
    if output != graph.output[0].name:
        refuse("a model whose output is not that of its last node")
    return chain


@dataclass(frozen=True)
class Node(Part):
    """A node that takes the output of the one before it, and ``constants``."""

    constants: Sequence[np.ndarray]


@dataclass
class Constants:
    """The arrays of a graph by name, and those that follow from them without its input."""

    known: dict[str, TensorProto | np.ndarray]
    folder: Path

    def takes(self, node: onnx.NodeProto) -> bool:
        """Whether ``node`` needs constants only; if so, its output is one from now on."""
        if not all(name in self.known for name in node.input if name):
            return False
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            self.known[node.output[0]] = node.attribute[0].t
            return True
        if node.op_type not in _GROWING | _RESHAPING or not node.input:
            return False
        inputs = {name: self[name] for name in node.input if name}
        if node.op_type in _GROWING and sum(z.size for z in inputs.values()) > _LONGEST_SHAPE:
            return False
        self.known[node.output[0]] = ReferenceEvaluator(node).run(None, inputs)[0]
        return True

    def read_node(self, proto: onnx.NodeProto, x: str) -> Node:
        """Return a node whose only input besides constants must be ``x``."""
        names = [name for name in proto.input if name]
        known = [self[name] for name in names if name in self.known]
        settings = {z.name: helper.get_attribute_value(z) for z in proto.attribute}
        node = Node(proto.op_type, proto.name or proto.output[0], settings, known)
        node.require(proto.domain in ("", "ai.onnx"), f"of the domain {shown(proto.domain)}")
        only_x = names.count(x) == 1 and len(known) == len(names) - 1
        node.require(only_x, "with another input than the output before it, and constants,")
        commutes = proto.op_type in ("Add", "Mul")
        node.require(commutes or proto.input[0] == x, "with a constant as first input")
        return node

    def __getitem__(self, name: str) -> np.ndarray:
        tensor = self.known[name]
        if isinstance(tensor, np.ndarray):
            return tensor
        if tensor.data_type not in (TensorProto.FLOAT, TensorProto.INT64):
            kind = TensorProto.DataType.Name(tensor.data_type)
            refuse(f"{shown(tensor.name)} of the type {kind}")
        if tensor.data_location == TensorProto.EXTERNAL:
            return self._read_beside(tensor)
        return np.asarray(numpy_helper.to_array(tensor))

    def _read_beside(self, tensor: TensorProto) -> np.ndarray:
        """Read an array from another file, as PyTorch writes them: one of the same folder only."""
        place = {z.key: z.value for z in tensor.external_data}
        path = self.folder / Path(place["location"]).name
        if path.name != place["location"] or path.is_symlink() or not path.is_file():
            raise WeightsError(
                f"the numbers of {shown(tensor.name)} are in another file, "
                f"{shown(place['location'])}, which is not beside it; put it there"
            )
        dtype = np.dtype("<f4" if tensor.data_type == TensorProto.FLOAT else "<i8")
        size = dtype.itemsize * math.prod(tensor.dims)
        with path.open("rb") as file:
            file.seek(int(place.get("offset", 0)))
            payload = file.read(min(size, MAX_BYTES))
        if len(payload) != size or int(place.get("length", size)) != size:
            raise WeightsError(f"{path.name} does not hold the numbers of {shown(tensor.name)}")
        return np.frombuffer(payload, dtype).reshape(tensor.dims)


def _start(chain: Chain, shape: Sequence[int]) -> None:
    """Set the input shape, given the graph's: (C,H,W), (H,W) or (D,)."""
    if len(shape) not in (1, 2, 3) or not all(type(z) is int and z > 0 for z in shape):
        refuse(f"an input of the shape {tuple(shape)}")
    chain.start((*shape[1:], shape[0]) if len(shape) == 3 else tuple(shape))


def _add_node(chain: Chain, node: Node) -> None:
    if node.kind not in NODES:
        refuse(f"the node {node}")
    add, supported = NODES[node.kind]
    node.require_settings(supported)
    try:
        inspect.signature(add).bind(chain, node, *node.constants)
    except TypeError:
        refuse(f"{node} with {len(node.constants)} constant inputs")
    add(chain, node, *node.constants)


def _decimal(z: float | np.ndarray) -> float:
    """Return the shortest number that is this float32: 0.2, not 0.20000000298."""
    return float(str(np.float32(z)))


def _conv(chain: Chain, node: Node, w: np.ndarray, b: np.ndarray | None = None) -> None:
    F, _, KH, KW = w.shape
    size = node.square([KH, KW])
    before, after = same_padding(size)
    named = {"SAME_UPPER": [before, before, after, after], "VALID": [0] * 4}
    named["SAME_LOWER"] = named["SAME_UPPER"][::-1]
    given = node.settings.get("pads", [0] * 4)
    _pad(chain, node, np.array(named.get(_auto_pad(node), given)))
    chain.add(nn.Conv2D(F, size), w=w, b=b)


def _auto_pad(node: Node) -> str:
    return str(simplified(node.settings.get("auto_pad")))


def _pad(chain: Chain, node: Node, pads: np.ndarray, value: np.ndarray | None = None) -> None:
    """Pad by [..., above, left, ..., below, right], the same for rows and columns."""
    starts, ends = np.split(pads, 2)  # of all axes, or of rows and columns
    (above, left), (below, right) = starts[-2:], ends[-2:]
    others = starts[:-2].any() or ends[:-2].any() or value
    sound = above == left and below == right and not others
    node.require(sound, f"with pads {shown(pads.tolist())}")
    chain.pad(int(above), int(below))


def _pool(kind: type[nn.Layer]) -> Callable[[Chain, Node], None]:
    def add(chain: Chain, node: Node) -> None:
        node.settings.setdefault("strides", 1)
        chain.add_pool(kind, node, "kernel_shape", _auto_pad(node).startswith("SAME"))

    return add


def _mean(chain: Chain, node: Node, axes: np.ndarray | None = None) -> None:
    """Add a GlobalAveragePool or a ReduceMean over rows and columns."""
    over = node.settings.get("axes", (2, 3)) if axes is None else axes.tolist()
    node.require({z % 4 for z in over} == {2, 3}, f"over the axes {shown(over)}")
    chain.add(nn.GlobalAveragePool2D())


def _squeeze(chain: Chain, node: Node, axes: np.ndarray | None = None) -> None:
    """After a mean over the image, its two axes of size 1 are gone here already."""
    sound = bool(chain.layers) and isinstance(chain.layers[-1], nn.GlobalAveragePool2D)
    node.require(sound, "that is not after a mean over the image")


def _dense(chain: Chain, node: Node, w: np.ndarray, b: np.ndarray | None = None) -> None:
    w = w if node.settings.get("transB") else w.T
    chain.add(nn.Dense(len(w)), w=w, b=None if b is None else b.reshape(-1))


def _add_to_bias(chain: Chain, node: Node, b: np.ndarray) -> None:
    """Add to the bias of the matrix or the filters before, or to the input."""
    if not chain.layers:
        _prepare(chain, node, b)
        return
    last, (*_, channels) = chain.layers[-1], chain.shape
    node.require(isinstance(last, nn.Dense | nn.Conv2D), "that does not add a bias")
    axis = -3 if len(chain.shape) == 3 else -1  # that of the channels
    fits = b.size == 1 or (b.ndim >= -axis and b.size == b.shape[axis] == channels)
    node.require(fits, f"of an array {shown(b.shape)}")
    name = f"{len(chain.layers) - 1}.b"
    before = chain.arrays.get(name, np.zeros(channels, np.float32))
    chain.arrays[name] = before + b.reshape(-1)


def _normalize(
    chain: Chain, node: Node, w: np.ndarray, b: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> None:
    epsilon = _decimal(node.settings.get("epsilon", 1e-5))
    chain.add_batch_norm(epsilon, w=w, b=b, mean=mean, variance=variance)


def _dropout(chain: Chain, node: Node, ratio: np.ndarray | None = None) -> None:
    rate = node.settings.get("ratio", 0.5) if ratio is None else ratio
    chain.add(nn.Dropout(_decimal(rate)))


def _leaky_relu(chain: Chain, node: Node) -> None:
    chain.add(nn.LeakyReLU(_decimal(node.settings.get("alpha", 0.01))))


def _activate(chain: Chain, node: Node) -> None:
    node.require(node.settings.get("axis", -1) in (1, -1), "over another axis than the classes")
    chain.activate(node, node.kind.replace("LogS", "log_s").lower())


def _prepare(chain: Chain, node: Node, z: np.ndarray) -> None:
    """Multiply the input by a number, divide it, add one or subtract one."""
    node.require(z.size == 1, f"of an array {shown(z.shape)}")
    number = float(z.item())
    if node.kind in ("Add", "Sub"):
        chain.prepare(node, 1.0, number if node.kind == "Add" else -number)
    else:
        chain.prepare(node, _decimal(number if node.kind == "Mul" else 1 / number))


def _reshape(chain: Chain, node: Node, target: np.ndarray) -> None:
    _, *sizes = target.tolist()
    if len(sizes) == 3 and not chain.layers:
        sizes = [*sizes[1:], sizes[0]]
    chain.reshape(node, sizes)


_WINDOW = {"ceil_mode": 0, "storage_order": 0, "dilations": 1, "pads": 0}

NODES: dict[str, tuple[Callable[..., None], Settings]] = {
    "Add": (_add_to_bias, {}),
    "AveragePool": (_pool(nn.AveragePool2D), _WINDOW),
    "BatchNormalization": (_normalize, {"training_mode": 0, "spatial": 1}),
    "Conv": (_conv, {"strides": 1, "group": 1, "dilations": 1}),
    "Div": (_prepare, {}),
    "Dropout": (_dropout, {}),
    "Flatten": (lambda chain, node: chain.flatten(), {"axis": 1}),
    "Gemm": (_dense, {"alpha": 1.0, "beta": 1.0, "transA": 0}),
    "GlobalAveragePool": (_mean, {}),
    "Identity": (lambda chain, node: None, {}),
    "LeakyRelu": (_leaky_relu, {}),
    "LogSoftmax": (_activate, {}),
    "MatMul": (_dense, {}),
    "MaxPool": (_pool(nn.MaxPool2D), _WINDOW),
    "Mul": (_prepare, {}),
    "Pad": (_pad, {"mode": "constant"}),
    "ReduceMean": (_mean, {}),
    "Relu": (_activate, {}),
    "Reshape": (_reshape, {}),
    "Sigmoid": (_activate, {}),
    "Softmax": (_activate, {}),
    "Squeeze": (_squeeze, {}),
    "Sub": (_prepare, {}),
    "Tanh": (_activate, {}),
}
"""For each kind of node the function that adds it, called with the chain, the node and its
constants, and the settings that our layers can express."""
