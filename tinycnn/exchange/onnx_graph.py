"""The constants of an ONNX graph: given in its file or beside it, or computed from others."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tinycnn.errors import WeightsError
from tinycnn.exchange.reading import ExternalLayer, refuse, shown
from tinycnn.nn.weights import MAX_BYTES

_LONGEST_SHAPE = 16

_RESHAPING = {"Cast", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
_GROWING = {"Concat", "Gather", "Slice"}
"""Nodes that are computed while reading; the latter on shapes only, lest a graph grow on its own.

A shape has 0 for N, which is also what Reshape calls "as many as there are"."""


@dataclass(frozen=True)
class Node(ExternalLayer):
    """A node that takes the output of the one before it, and ``constants``."""

    constants: Sequence[np.ndarray]


def decimal(z: float | np.ndarray) -> float:
    """Return the shortest number that is this float32: 0.2, not 0.20000000298."""
    return float(str(np.float32(z)))


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
        others = [name for name in proto.input if name and name != x]
        known = [name for name in others if name in self.known]
        node = Node(
            proto.op_type,
            proto.name or proto.output[0],
            {z.name: helper.get_attribute_value(z) for z in proto.attribute},
            [self[name] for name in known],
        )
        node.require(proto.domain in ("", "ai.onnx"), f"of the domain {shown(proto.domain)}")
        takes_x = len(others) == sum(map(bool, proto.input)) - 1 and len(known) == len(others)
        node.require(
            takes_x, "with another input than the output of the node before, and constants,"
        )
        commutes = proto.op_type in ("Add", "Mul")
        node.require(commutes or proto.input[0] == x, "with a constant as first input")
        return node

    def __getitem__(self, name: str) -> np.ndarray:
        tensor = self.known[name]
        if isinstance(tensor, np.ndarray):
            return tensor
        if tensor.data_type not in (TensorProto.FLOAT, TensorProto.INT64):
            refuse(
                f"{shown(tensor.name)} of the type {TensorProto.DataType.Name(tensor.data_type)}"
            )
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
