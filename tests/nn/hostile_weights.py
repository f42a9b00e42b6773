"""Weights files from an untrusted source: a good one, and all kinds of bad ones."""

import json
import pickle
import struct

import numpy as np
import safetensors.numpy

from tinycnn.nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential
from tinycnn.nn.weights import FORMAT

LAYERS = [
    {"layer": "Conv2D", "filters": 3, "kernel_size": 2},
    {"layer": "ReLU"},
    {"layer": "MaxPool2D", "size": 2},
    {"layer": "Flatten"},
    {"layer": "Dense", "units": 4},
]
NETWORK = {"format": FORMAT, "input_shape": [6, 5, 1], "layers": LAYERS}


def network():
    return Sequential([Conv2D(3, 2), ReLU(), MaxPool2D(2), Flatten(), Dense(4)], (6, 5, 1), seed=1)


def arrays(**changes):
    """The arrays of the network, some changed; None leaves one out. "0_w" means "0.w"."""
    found = {f"{i}.{k}": z for i, layer in enumerate(network()) for k, z in layer.params.items()}
    found |= {name.replace("_", "."): z for name, z in changes.items()}
    return {name: z for name, z in found.items() if z is not None}


def file(description=NETWORK, **changes):
    """The bytes of a weights file; ``description`` may be any JSON, or text that is none."""
    text = description if isinstance(description, str) else json.dumps(description)
    return safetensors.numpy.save(arrays(**changes), {"tinycnn": text})


def raw(header, body=b""):
    """A safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def described(**changes):
    return file({**NETWORK, **changes})


def layers(**changes):
    """A description in which the dense layer has other arguments."""
    return described(layers=[*LAYERS[:-1], {"layer": "Dense", "units": 4, **changes}])


def promise(dtype="F32", shape=(4,), offsets=(0, 16)):
    tensor = {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}
    return raw({"__metadata__": {"tinycnn": json.dumps(NETWORK)}, "0.b": tensor}, bytes(16))


X = np.zeros((3, 2, 2, 1), np.float32)
GOOD = file()

NO_WEIGHTS = "is not a weights file"
DAMAGED = "its description is damaged"
NO_NETWORK = "its description is no network"
IMPOSSIBLE = "describes an impossible network"

HOSTILE = {
    # files of other kinds
    "empty": (b"", NO_WEIGHTS),
    "an HTML page": (b"<!DOCTYPE html><html>404</html>", "it looks like an HTML page"),
    "a pickle": (pickle.dumps({"0.w": [1, 2, 3]}), NO_WEIGHTS),
    "a NumPy array": (b"\x93NUMPY\x01\0v\0{'descr': '<f4'}", "it looks like a NumPy array"),
    "a zip archive": (b"PK\x03\x04" + bytes(99), "it looks like a zip archive"),
    "safetensors of another program": (safetensors.numpy.save(arrays()), "not one of tinycnn's"),
    # damaged safetensors
    "cut in the header": (GOOD[:100], NO_WEIGHTS),
    "cut in the arrays": (GOOD[:-1], NO_WEIGHTS),
    "a header of 2^60 bytes": (struct.pack("<Q", 2**60) + b"{}", NO_WEIGHTS),
    "a header that is no JSON": (raw(b"{'single': 'quotes'}"), NO_WEIGHTS),
    "a shape that wraps around": (promise(shape=(2**32, 2**32)), NO_WEIGHTS),
    "offsets outside the file": (promise(offsets=(0, 10**15), shape=(10**15 // 4,)), NO_WEIGHTS),
    # other arrays
    "an array missing": (file(**{"0_b": None}), r"missing ['0.b'], unexpected []"),
    "an array too many": (file(**{"9_w": X}), r"missing [], unexpected ['9.w']"),
    "an array turned": (file(**{"4_w": arrays()["4.w"].T}), "4.w has (4, 12), expected (12, 4)"),
    "a bias for all": (file(**{"0_b": np.zeros(1, "f4")}), "0.b has (1,), expected (3,)"),
    "double precision": (file(**{"0_w": X.astype("f8")}), "type F64, expected F32"),
    "a NaN": (file(**{"0_b": np.array([0, np.nan, 0], "f4")}), "0.b holds 1 numbers that are not"),
    # other descriptions
    "a description that is no JSON": (file("not JSON"), DAMAGED),
    "a list for a description": (file([1]), DAMAGED),
    "no format": (file({k: v for k, v in NETWORK.items() if k != "format"}), DAMAGED),
    "a newer format": (
        described(format=FORMAT + 1),
        f"has format {FORMAT + 1}, but {FORMAT} is",
    ),
    "a description that is deep": (file('{"format": 1, "layers": ' + "[" * 30_000), DAMAGED),
    "a description without end": (described(note="x" * 2**20), "its header would have"),
    "no layers": (described(layers=[]), IMPOSSIBLE),
    "layers missing": (described(layers=None), NO_NETWORK),
    "layers without a kind": (described(layers=[{"units": 4}]), NO_NETWORK),
    "a layer that does not exist": (described(layers=[{"layer": "os.system"}]), NO_NETWORK),
    "an argument that does not exist": (layers(command="rm"), NO_NETWORK),
    "an argument that is a fraction": (layers(units=4.5), NO_NETWORK),
    "a bomb of units": (layers(units=10**12), IMPOSSIBLE),
    "a bomb of filters": (
        described(layers=[{"layer": "Conv2D", "filters": 10**12, "kernel_size": 2}, *LAYERS[1:]]),
        IMPOSSIBLE,
    ),
    "a bomb of an image": (described(input_shape=[10**9, 10**9, 1]), IMPOSSIBLE),
    "a kernel larger than the image": (described(input_shape=[1, 1, 1]), IMPOSSIBLE),
    "an image of nothing": (described(input_shape=[6, 0, 1]), IMPOSSIBLE),
    "an image of infinity": (file(json.dumps(NETWORK).replace("6,", "Infinity,")), IMPOSSIBLE),
    "a row for an image": (described(input_shape=[30]), IMPOSSIBLE),
}
"""From a name to a file's bytes, and words of the sentence that refuses it."""
