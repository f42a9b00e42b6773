"""Draws the normal numbers of NumPy's generators, the same ones, several generators at a time.

NumPy takes 7.6 ns for a number, on one thread; half the time it goes wrong about a sign, which it
does not expect. This loop asks NumPy's generators for their random bits and does not branch there.

The method is Marsaglia's and Tsang's ziggurat: 256 strips of equal area cover the bell. Bits choose
a strip and a place in it, which nearly always lies below the curve.
"""

import ctypes
from collections.abc import Sequence

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.np.random._constants import fi_float as HEIGHTS
from numba.np.random._constants import ki_float as INSIDE
from numba.np.random._constants import wi_float as STEPS
from numba.np.random._constants import ziggurat_nor_inv_r_f as SLOPE
from numba.np.random._constants import ziggurat_nor_r_f as EDGE

from tinycnn.kernels.jit import part
from tinycnn.kernels.simd import becomes
from tinycnn.kernels.threads import parallel_over

I64 = ir.IntType(64)

_address = ctypes.pythonapi.PyCapsule_GetPointer
_address.argtypes, _address.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_int64


def normals(rngs: Sequence[np.random.Generator], shape: tuple[int, ...]) -> np.ndarray:
    """Return ``rng.standard_normal(shape, np.float32)`` of each generator (G, *shape)."""
    sources = [_address(rng.bit_generator.capsule, b"BitGenerator") for rng in rngs]
    drawn = np.empty((len(rngs), *shape), np.float32)
    _normals(len(rngs), (np.array(sources, np.int64),), (drawn.reshape(len(rngs), -1),))
    return drawn


@parallel_over  # n owns the generator and drawn[n]
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
        x = sign * (np.float32(place) * STEPS[strip])
        if place < INSIDE[strip]:
            return x
        if strip > 0:
            height = (HEIGHTS[strip - 1] - HEIGHTS[strip]) * _share(source) + HEIGHTS[strip]
            if height < np.exp(-0.5 * x * x):
                return x
        else:  # the tail
            while True:
                beyond, height = SLOPE * _exponential(source), _exponential(source)
                if height + height > beyond * beyond:
                    tail = np.float32(EDGE) + beyond
                    return -tail if place & np.uint32(256) else tail


@part
def _exponential(source):
    return -np.float32(np.log1p(-_share(source)))


@part
def _share(source):
    """Return a number from 0 to 1."""
    return np.float32(_bits(source) >> np.uint32(8)) * np.float32(2.0**-24)


def _call(builder, kind, source):
    members = builder.inttoptr(source, I64.as_pointer())
    state, function = (builder.load(builder.gep(members, [I64(z)])) for z in (0, 2))
    kind = ir.FunctionType(ir.IntType(32), [I64])
    return builder.call(builder.inttoptr(function, kind.as_pointer()), [state])


@becomes(lambda source: types.uint32, _call)
def _bits(source):
    """Return 32 random bits, by what stands at the address of a generator: a state, functions."""
    state, _, function = (ctypes.c_void_p * 3).from_address(source)
    return np.uint32(ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p)(function)(state))
