"""An ONNX model as a row of layers; other graphs are refused."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tinycnn.errors import WeightsError
from tinycnn.exchange.metadata import is_ours
from tinycnn.exchange.onnx_chain import Chain
from tinycnn.exchange.onnx_import import Node, add_node
from tinycnn.exchange.reading import Found, named, refuse, told
from tinycnn.nn.layers import Shape

MOST_NODES = 1000


def read_onnx(payload: bytes) -> Found:
    """Return the network in an ONNX file.

    Raises WeightsError for whatever has no equal here, and any exception for what is no ONNX.
    No other file is opened, whatever the model says.
    """
    model = onnx.ModelProto.FromString(payload)
    graph = model.graph
    if not 0 < len(graph.node) <= MOST_NODES:
        raise WeightsError(f"it is no ONNX model of 1 to {MOST_NODES:,} nodes")
    constants = {z.name: z for z in graph.initializer}
    inputs = [z for z in graph.input if z.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        refuse(f"a model with {len(inputs)} inputs and {len(graph.output)} outputs")
    chain = Chain()
    chain.start(_sizes(inputs[0]))
    output = inputs[0].name
    for proto in graph.node:
        if not _is_constant(proto, constants):
            add_node(chain, _node(proto, output, constants))
            output = proto.output[0]
    if output != graph.output[0].name:
        refuse("an output that is not that of the last node")
    chain.refuse_unless_whole()
    notes = {z.key: z.value for z in model.metadata_props}
    notes = notes if is_ours(notes) else {}
    if chain.temperature is not None:
        notes = {"temperature": repr(chain.temperature), **notes}
    found = Found(chain.layers, chain.input_shape, chain.arrays, notes)
    for index, epsilon in chain.epsilons.items():
        found.change_epsilon(index, epsilon)
    return found


def _sizes(value: onnx.ValueInfoProto) -> Shape:
    """The sizes of the input without N; 0 for one that the file leaves open."""
    return tuple(z.dim_value for z in value.type.tensor_type.shape.dim[1:])


def _is_constant(proto: onnx.NodeProto, constants: dict[str, TensorProto]) -> bool:
    """Whether a node only gives a constant, or another name to one; then it is noted."""
    if proto.op_type == "Constant" and proto.attribute[0].name == "value":
        constants[proto.output[0]] = proto.attribute[0].t
        return True
    if proto.op_type == "Identity" and proto.input[0] in constants:
        constants[proto.output[0]] = constants[proto.input[0]]
        return True
    return False


def _node(proto: onnx.NodeProto, x: str, constants: dict[str, TensorProto]) -> Node:
    where = named(proto.op_type, proto.name or proto.output[0])
    if proto.domain not in ("", "ai.onnx"):
        refuse(f"{where}: a node of {told(proto.domain)}")
    others = [name for name in proto.input if name and name != x]
    if len(others) != sum(map(bool, proto.input)) - 1 or not set(others) <= constants.keys():
        refuse(f"{where}: a node that takes something else than what the one before gives")
    return Node(
        proto.op_type,
        where,
        {z.name: helper.get_attribute_value(z) for z in proto.attribute},
        [_numbers(constants[name]) for name in others],
        proto.input[0] == x,
    )


def _numbers(tensor: TensorProto) -> np.ndarray:
    if tensor.data_location == TensorProto.EXTERNAL:
        raise WeightsError(f"the numbers of {told(tensor.name)} are in another file; save them in")
    if tensor.data_type not in (TensorProto.FLOAT, TensorProto.INT64):
        refuse(f"{told(tensor.name)} of the type {TensorProto.DataType.Name(tensor.data_type)}")
    return numpy_helper.to_array(tensor)
