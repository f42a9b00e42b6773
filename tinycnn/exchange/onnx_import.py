"""What each kind of node is here."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinycnn.exchange.onnx_chain import CHANNELS_FIRST, CHANNELS_LAST, Chain
from tinycnn.exchange.reading import (
    Settings,
    check_settings,
    is_preparation,
    is_same_image,
    refuse,
    simplified,
    told,
)
from tinycnn.nn import BatchNorm, Conv2D, Dense, Dropout, MaxPool2D, ReLU, Softmax

_WINDOW = {"auto_pad": "NOTSET", "pads": 0, "dilations": 1}

ONLY: dict[str, Settings] = {
    "Conv": {"strides": 1, "group": 1, **_WINDOW},
    "MaxPool": {"ceil_mode": 0, "storage_order": 0, **_WINDOW},
    "Gemm": {"alpha": 1.0, "beta": 1.0, "transA": 0},
    "BatchNormalization": {"training_mode": 0, "spatial": 1},
    "Flatten": {"axis": 1},
    "Cast": {"to": 1},  # float32
}
"""The only settings that have an equal here."""


@dataclass(frozen=True)
class Node:
    """A node that takes ``constants`` besides x; ``x_first``: in this order."""

    kind: str
    where: str
    settings: Settings
    constants: Sequence[np.ndarray]
    x_first: bool

    def refuse_unless(self, sound: bool, what: str) -> None:
        """Say what has no equal here."""
        if not sound:
            refuse(f"{self.where}: {what}")


def add_node(chain: Chain, node: Node) -> None:
    """Put what ``node`` does at the end of ``chain``; WeightsError if it has no equal here."""
    if node.kind not in NODES:
        refuse(f"the node {node.where}")
    node.refuse_unless(node.x_first or node.kind in ("Add", "Mul"), "a constant as first input")
    only = ONLY.get(node.kind, {})
    if simplified(node.settings.get("auto_pad")) == "VALID":  # another word for no padding
        only = only | {"auto_pad": "VALID"}
    check_settings(node.where, node.settings, only)
    NODES[node.kind](chain, node)


def _conv(chain: Chain, node: Node) -> None:
    _refuse_unless_image(chain, node)
    w, *bias = node.constants
    F, _, KH, KW = w.shape
    node.refuse_unless(KH == KW, f"a window of {KH} x {KW}, which is no square,")
    b = bias[0] if bias else np.zeros(F, np.float32)
    chain.add(Conv2D(F, KH), w=w.transpose(0, 2, 3, 1), b=b)


def _max_pool(chain: Chain, node: Node) -> None:
    _refuse_unless_image(chain, node)
    size = simplified(node.settings["kernel_shape"])
    node.refuse_unless(isinstance(size, int), f"a window of {told(size)}, which is no square,")
    check_settings(node.where, {"strides": 1} | node.settings, {"strides": size})
    chain.add(MaxPool2D(size))


def _gemm(chain: Chain, node: Node) -> None:
    w, *bias = node.constants
    _dense(chain, w.T if node.settings.get("transB") else w, *bias)


def _dense(chain: Chain, w: np.ndarray, b: np.ndarray | None = None) -> None:
    D, K = w.shape
    b = np.zeros(K, np.float32) if b is None else b.reshape(-1)
    chain.add(Dense(K), w=chain.in_our_order(w), b=b)
    chain.order = None


def _add(chain: Chain, node: Node) -> None:
    """A sum is the bias of the matrix or the filters before it."""
    last = f"{len(chain.layers) - 1}.b"
    takes_bias = chain.layers and isinstance(chain.layers[-1], Dense | Conv2D)
    node.refuse_unless(bool(takes_bias), "a sum that is no bias")
    (b,) = node.constants
    axis = -3 if len(chain.shape) == 3 else -1  # that of the channels
    sound = b.size == 1 or (b.ndim >= -axis and b.size == b.shape[axis])
    node.refuse_unless(sound, f"a sum with numbers {told(b.shape)}")
    chain.arrays[last] = chain.arrays[last] + b.reshape(-1)


def _batch_norm(chain: Chain, node: Node) -> None:
    if len(chain.shape) > 1:
        _refuse_unless_image(chain, node)
    w, b, mean, variance = (chain.in_our_order(z) for z in node.constants)
    chain.epsilons[len(chain.layers)] = _decimal(node.settings.get("epsilon", 1e-5))
    chain.add(BatchNorm(), w=w, b=b, mean=mean, variance=variance)


def _dropout(chain: Chain, node: Node) -> None:
    rate = node.constants[0] if node.constants else node.settings.get("ratio", 0.5)
    chain.add(Dropout(_decimal(rate)))


def _softmax(chain: Chain, node: Node) -> None:
    node.refuse_unless(node.settings.get("axis", -1) in (1, -1), "another axis")
    if chain.temperature is None:
        chain.add(Softmax())
    else:
        chain.ended = True


def _transpose(chain: Chain, node: Node) -> None:
    first, *perm = node.settings["perm"]
    node.refuse_unless(first == 0 and len(chain.shape) == 3, f"of axes {told(perm)}")
    if not chain.layers and chain.axes == CHANNELS_FIRST and perm == [3, 1, 2]:
        C, (H, W) = chain.shape[2], chain.shape[:2]  # so the channels were last after all
        chain.input_shape = chain.shape = (C, H, W)
        chain.axes = CHANNELS_LAST
    chain.axes = tuple(chain.axes[axis - 1] for axis in perm)


def _reshape(chain: Chain, node: Node) -> None:
    _, *sizes = node.constants[0].tolist()
    if len(sizes) == 1 and sizes[0] in (-1, math.prod(chain.shape)):
        chain.flatten()
        return
    gray = not chain.layers and 1 in (sizes[0], sizes[-1]) and is_same_image(chain.shape, sizes)
    node.refuse_unless(gray, f"into {told(sizes)}")
    chain.start(tuple(sizes))


def _unsqueeze(chain: Chain, node: Node) -> None:
    """An image without a channel gets its axis."""
    axes = node.constants[0].tolist() if node.constants else node.settings["axes"]
    H, W, C = chain.shape
    node.refuse_unless(not chain.layers and C == 1 and axes in ([1], [3], [-1]), told(axes))
    chain.start((1, H, W) if axes == [1] else (H, W, 1))


def _scale(chain: Chain, node: Node) -> None:
    """In the beginning the preparation of gray levels, at the end the temperature."""
    (z,) = node.constants
    node.refuse_unless(z.size == 1, f"by numbers {told(z.shape)}")
    scale = float(z.item()) if node.kind == "Mul" else 1 / float(z.item())
    if not chain.layers:
        sound = is_preparation(scale) and not chain.prepares
        node.refuse_unless(sound, f"by {scale:g}, other than by 1/255 and once,")
        chain.prepares = True
    else:
        node.refuse_unless(chain.temperature is None, "a second one")
        chain.temperature = _decimal(1 / scale)


def _nothing(chain: Chain, node: Node) -> None:
    node.refuse_unless(node.kind != "Cast" or not chain.layers, "between layers")


def _refuse_unless_image(chain: Chain, node: Node) -> None:
    node.refuse_unless(chain.axes == CHANNELS_FIRST, "on other axes than (N,C,H,W)")


def _decimal(z: float | np.ndarray) -> float:
    """The shortest number that is this float32: 0.2, not 0.20000000298."""
    return float(str(np.float32(z)))


NODES: dict[str, Callable[[Chain, Node], None]] = {
    "Add": _add,
    "BatchNormalization": _batch_norm,
    "Cast": _nothing,
    "Conv": _conv,
    "Div": _scale,
    "Dropout": _dropout,
    "Flatten": lambda chain, node: chain.flatten(),
    "Gemm": _gemm,
    "Identity": _nothing,
    "MatMul": _gemm,
    "MaxPool": _max_pool,
    "Mul": _scale,
    "Relu": lambda chain, node: chain.add(ReLU()),
    "Reshape": _reshape,
    "Softmax": _softmax,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
