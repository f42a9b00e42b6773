"""The processor's vectors as plain functions: what the innermost loops are made of.

A processor multiplies and adds a whole row of numbers in one instruction, and it is fast only
when the running sums stay in its registers. Compilers seldom find that arrangement by
themselves, so the kernels say it: ``fma(fill(x, i), load(w, j), sums)`` adds x[i] times a row of
``w`` to a row of sums.

Every operation is an ordinary Python function on short arrays, which runs when compilation is off.
Compiled, it ``becomes`` an instruction or two of LLVM, the language that numba compiles to. Given
a tuple it operates on each element, so ``fill(x, EIGHT)`` are eight vectors, in registers of their
own: the innermost loops have eight sums or five, and read as if they had one.
"""

import functools
import os

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import PrimitiveModel
from numba.core.registry import cpu_target
from numba.core.types.containers import BaseTuple, Tuple
from numba.extending import lower_builtin, register_model, type_callable

CHECKED = os.environ.get("TINYCNN_KERNELS") == "serial"  # one thread, with bounds checks

MACHINE, _, FEATURES = cpu_target.target_context.codegen().magic_tuple()

X86 = MACHINE.startswith("x86_64")

LANES = 32 if "+avx512f" in FEATURES else 8
"""Numbers in a vector: eight vectors of sums should fill the registers, and not overflow them."""

HALF = LANES // 2

EIGHT, FIVE = tuple(range(8)), tuple(range(5))  # places one after the other

BYTE, INT32 = ir.IntType(8), ir.IntType(32)


class Vector(types.Type):
    """LANES numbers or truth values of one dtype, held in registers."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype}, {LANES})")


SCALARS = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.boolean: ir.IntType(1),
    types.uint8: BYTE,
}


@register_model(Vector)
class _VectorModel(PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, ir.VectorType(SCALARS[vector.dtype], LANES))


def becomes(kind, emit, whole=False):
    """Make numba build, where a kernel calls the function below, ``emit(builder, kind, *args)``.

    ``kind`` tells the type of the result from those of the operands, and arrays come as ``Array``.
    Unless an operation takes tuples as a ``whole``, their elements are operated on one by one.
    Registers have names and no indices: so a loop over registers is unrolled, which is done here.
    """

    def register(operation):
        @functools.wraps(operation)
        def function(*operands):
            return operation(*operands) if whole else _for_each(operation, operands)

        @functools.wraps(kind)
        def kind_of(*kinds):
            result = _for_each(kind, [z.types if isinstance(z, BaseTuple) else z for z in kinds])
            return Tuple(result) if isinstance(result, tuple) else result

        type_callable(function)(lambda context: kind if whole else kind_of)
        lower_builtin(function, types.VarArg(types.Any))(_building(emit))  # type: ignore[attr-defined]
        return function

    return register


def _building(emit):
    """Return what numba calls to build an operation."""

    def build(context, builder, signature, args):
        def build_one(kind, *operands):
            value = emit(builder, kind, *operands)
            return context.get_dummy_value() if kind == types.void else value

        kind, pairs = signature.return_type, zip(signature.args, args, strict=True)
        operands = [_unpacked(context, builder, *pair) for pair in pairs]
        if not isinstance(kind, BaseTuple):
            return build_one(kind, *operands)
        return context.make_tuple(builder, kind, _for_each(build_one, [kind.types, *operands]))

    return build


def _unpacked(context, builder, kind, value):
    """Return an operand as an ``Array``, a tuple of its elements, or a value of LLVM."""
    if isinstance(kind, BaseTuple):
        elements = zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True)
        return tuple(_unpacked(context, builder, *z) for z in elements)
    return Array(context, builder, kind, value) if isinstance(kind, types.Array) else value


def _for_each(function, operands):
    """Call ``function`` once, or for each element of those operands that are tuples."""
    counts = [len(z) for z in operands if isinstance(z, tuple)]
    if not counts:
        return function(*operands)
    elements = ([z[q] if isinstance(z, tuple) else z for z in operands] for q in range(counts[0]))
    return tuple(function(*element) for element in elements)


class Array:
    """An array while a function that reads or writes it is built."""

    def __init__(self, context, builder, kind, value):
        self.context, self.builder, self.kind = context, builder, kind
        self.fields = cgutils.create_struct_proxy(kind)(context, builder, value=value)
        self.align = kind.dtype.bitwidth // 8

    def at(self, index, count=None):
        """Return a pointer to a[index], or to a vector there with ``count`` lanes in the array.

        There is no a[-1] here: to allow for it would take as long as what the loops do with a[i].
        """
        builder = self.builder
        if CHECKED:
            end = builder.add(index, count or index.type(1))
            below = builder.icmp_signed("<", index, index.type(0))
            above = builder.icmp_signed(">", end, self.fields.nitems)
            with builder.if_then(builder.or_(below, above), likely=False):
                self.context.call_conv.return_user_exc(builder, IndexError, (OUTSIDE,))
        pointer = builder.gep(self.fields.data, [index])
        vector = _vector_of(pointer.type.pointee)
        return builder.bitcast(pointer, vector.as_pointer()) if count else pointer

    def masked(self, name, result, arguments):
        """Call LLVM's masked load or store of some lanes of a vector."""
        lanes = f"v{LANES}{'i8' if self.align == 1 else f'f{8 * self.align}'}"
        return call(self.builder, f"llvm.masked.{name}.{lanes}.p0", result, arguments)


OUTSIDE = "vector reaches outside its array"


def call(builder, name, result, args):
    """Call a function of LLVM or of the system."""
    kind = ir.FunctionType(result, [a.type for a in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)


def _vector_of(scalar):
    return ir.VectorType(scalar, LANES)


def _splat(builder, scalar):
    """Return LANES copies of an LLVM scalar."""
    undefined = ir.Constant(_vector_of(scalar.type), ir.Undefined)
    first = builder.insert_element(undefined, scalar, INT32(0))
    every_lane_the_first = ir.Constant(_vector_of(INT32), [0] * LANES)
    return builder.shuffle_vector(first, undefined, every_lane_the_first)


def _first_lanes(builder, count):
    """Return the mask of the lanes below ``count``, and ``count`` cut to LANES.

    They are compared as bytes, so that one instruction serves all lanes.
    """
    most = count.type(LANES)
    count = builder.select(builder.icmp_signed("<", count, most), count, most)
    lanes = ir.Constant(_vector_of(BYTE), list(range(LANES)))
    return builder.icmp_signed("<", lanes, _splat(builder, builder.trunc(count, BYTE))), count


@becomes(
    lambda a, i: Vector(a.dtype),
    lambda builder, kind, a, i: _splat(builder, builder.load(a.at(i))),
)
def fill(a, i):
    """Return a vector whose lanes are all a[i]."""
    return np.repeat(_checked(a, i, 1), LANES)


@becomes(
    lambda s, like: Vector(like.dtype),
    lambda builder, kind, s, like: _splat(builder, builder.sitofp(s, SCALARS[kind.dtype])),
)
def full(s, like):
    """Return a vector, of the dtype of another or of an array, full of the whole number ``s``."""
    return np.full(LANES, s, like.dtype)


def _load(builder, kind, a, i, count=None):
    """Load under a mask only where one is needed: it may take twice as long."""
    if count is None:
        return builder.load(a.at(i, i.type(LANES)), align=a.align)
    mask, count = _first_lanes(builder, count)
    pointer = a.at(i, count)
    nothing = ir.Constant(pointer.type.pointee, None)
    is_full = builder.icmp_signed("==", count, count.type(LANES))
    with builder.if_else(is_full) as (then, otherwise):
        with then:
            whole, whole_block = builder.load(pointer, align=a.align), builder.block
        with otherwise:
            arguments = pointer, INT32(a.align), mask, nothing
            some, some_block = a.masked("load", nothing.type, arguments), builder.block
    result = builder.phi(whole.type)
    result.add_incoming(whole, whole_block)
    result.add_incoming(some, some_block)
    return result


@becomes(lambda a, i, count=None: Vector(a.dtype), _load)
def load(a, i, count=LANES):
    """Return a[i : i + count] of a flat array, then zeros; at most LANES numbers are read."""
    numbers = _checked(a, i, min(count, LANES))
    return np.append(numbers, full(0, a)[len(numbers) :])


def _store(builder, kind, a, i, vector, count=None):
    if count is None:
        return builder.store(vector, a.at(i, i.type(LANES)), align=a.align)
    if a.kind.dtype == types.uint8:
        is_truth = vector.type.element == SCALARS[types.boolean]
        vector = (builder.zext if is_truth else builder.fptoui)(vector, _vector_of(BYTE))
    mask, count = _first_lanes(builder, count)
    arguments = vector, a.at(i, count), INT32(a.align), mask
    return a.masked("store", ir.VoidType(), arguments)


@becomes(lambda a, i, vector, count=None: types.void, _store)
def store(a, i, vector, count=LANES):
    """Write the first ``count`` lanes to a[i : i + count]; at most LANES numbers are written."""
    _checked(a, i, min(count, LANES))[:] = vector[:count]


@becomes(lambda a, i: a.dtype, lambda builder, kind, a, i: builder.load(a.at(i)))
def pick(a, i):
    """Return the number a[i]."""
    return _checked(a, i, 1)[0]


def _sum(builder, kind, x, y):
    return builder.add(x, y) if isinstance(kind, types.Integer) else builder.fadd(x, y)


@becomes(lambda x, y: x, _sum)
def add(x, y):
    """Return x + y, of vectors lane by lane, or of whole numbers."""
    return x + y


def _row_at(builder, kind, r, count, step):
    last = builder.sub(count, count.type(1))
    return builder.mul(builder.select(builder.icmp_signed("<", r, last), r, last), step)


@becomes(lambda r, count, step: r, _row_at)
def row_at(r, count, step):
    """Return where row r of ``count`` begins, each of ``step`` numbers; past the last, the last."""
    return min(r, count - 1) * step


@becomes(lambda place, vector: vector, lambda builder, kind, place, vector: vector)
def each(place, vector):
    """Return ``vector``; for a tuple of places, once for each."""
    return vector


def _fma(builder, kind, x, y, z):
    if X86 and "+fma" not in FEATURES:  # LLVM would call a function
        return builder.fadd(builder.fmul(x, y), z)
    return call(builder, f"llvm.fma.v{LANES}f{kind.dtype.bitwidth}", z.type, (x, y, z))


@becomes(lambda x, y, z: z, _fma)
def fma(x, y, z):
    """Return x * y + z lane by lane, rounded once where the machine can."""
    return x * y + z


def _dot(builder, kind, xs, ys, total):
    for x, y in zip(xs, ys, strict=True):
        total = _fma(builder, kind, x, y, total)
    return total


@becomes(lambda xs, ys, total: total, _dot, whole=True)
def dot(xs, ys, total):
    """Return total + the sum of xs[q] * ys[q] over tuples of vectors, added up in this order."""
    for x, y in zip(xs, ys, strict=True):
        total = fma(x, y, total)
    return total


def _loses(builder, kind, x, y):
    return builder.or_(builder.fcmp_ordered("<=", x, y), builder.fcmp_unordered("uno", y, y))


@becomes(lambda x, y: Vector(types.boolean), _loses)
def loses(x, y):
    """Return in which lanes x is not greater than y; a NaN loses to no number and every NaN."""
    return (x <= y) | (y != y)


def _joined(builder, kind, x, y):
    lanes = [*range(HALF), *range(LANES + HALF, 2 * LANES)]
    return builder.shuffle_vector(x, y, ir.Constant(_vector_of(INT32), lanes))


@becomes(lambda x, y: x, _joined)
def joined(x, y):
    """Return the first half of the lanes of x and the second of y."""
    return np.concatenate([x[:HALF], y[HALF:]])


def _equals(builder, kind, x, value):
    return builder.icmp_unsigned("==", x, _splat(builder, builder.trunc(value, BYTE)))


@becomes(lambda x, value: Vector(types.boolean), _equals)
def equals(x, value):
    """Return which lanes of a vector of bytes are ``value``."""
    return x == value


@becomes(lambda mask, x, y: x, lambda builder, kind, mask, x, y: builder.select(mask, x, y))
def select(mask, x, y):
    """Return x where ``mask`` holds and y elsewhere."""
    return np.where(mask, x, y)


def _checked(a, i, count):
    """Return a[i : i + count], all of which must be there."""
    if i < 0 or i + count > a.size:
        raise IndexError(OUTSIDE)
    return a[i : i + count]
