"""Draws NumPy's normal numbers, bit for bit, in a loop that does not branch on their signs.

The method is a ziggurat: random bits choose one of 256 strips of equal area that cover the bell,
and a place in it, which nearly always lies below the curve.
"""

import ctypes
import math
from collections.abc import Sequence

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.np.random import _constants as strips

from tinycnn.kernels.jit import part
from tinycnn.kernels.simd import becomes
from tinycnn.kernels.threads import parallel_over

I64 = ir.IntType(64)

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.argtypes, _pointer.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_int64


def normals(rngs: Sequence[np.random.Generator], shape: tuple[int, ...]) -> np.ndarray:
    """Return ``rng.standard_normal(shape, np.float32)`` of each generator, (G, *shape)."""
    sources = [_pointer(rng.bit_generator.capsule, b"BitGenerator") for rng in rngs]
    drawn = np.empty((len(rngs), *shape), np.float32)
    _normals(len(rngs), (np.array(sources),), (drawn.reshape(len(rngs), -1),))
    return drawn


@parallel_over  # n owns a generator and drawn[n]
def _normals(n, read, written):
    source, drawn = read[0][n], written[0][n]
    for q in range(drawn.size):
        drawn[q] = _normal(source)


@part
def _normal(source):
    while True:
        bits = _bits(source)
        strip, place = bits & np.uint32(255), bits >> np.uint32(9)
        sign = np.float32(1) - np.float32(bits >> np.uint32(7) & np.uint32(2))
        x = sign * (np.float32(place) * strips.wi_float[strip])
        if place < strips.ki_float[strip]:
            return x
        if strip > 0:
            low = strips.fi_float[strip]
            if (strips.fi_float[strip - 1] - low) * _share(source) + low < math.exp(-0.5 * x * x):
                return x
            continue
        tail, height = np.float32(0), np.float32(0)
        while height + height <= tail * tail:
            tail = -strips.ziggurat_nor_inv_r_f * np.float32(math.log1p(-_share(source)))
            height = -np.float32(math.log1p(-_share(source)))
        tail += strips.ziggurat_nor_r_f
        return -tail if place & np.uint32(256) else tail


@part
def _share(source):
    """Return a number from 0 to 1."""
    return np.float32(_bits(source) >> np.uint32(8)) * np.float32(2.0**-24)


def _emit_bits(builder, kind, source):
    slots, kind = builder.inttoptr(source, I64.as_pointer()), ir.FunctionType(ir.IntType(32), [I64])
    state, function = (builder.load(builder.gep(slots, [I64(slot)])) for slot in (0, 2))
    return builder.call(builder.inttoptr(function, kind.as_pointer()), [state])


@becomes(lambda source: types.uint32, _emit_bits)
def _bits(source):
    """Return 32 random bits of NumPy's generator at an address: its state, then its functions."""
    state, _, function = (ctypes.c_void_p * 3).from_address(int(source))
    return np.uint32(ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p)(function)(state))
