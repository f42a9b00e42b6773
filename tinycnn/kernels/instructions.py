"""What numba emits for the operations of ``vectors.py``: an instruction or two for each.

Only this file knows LLVM, the language that numba compiles to. ``@_of(typer)`` says of which type
the result is, for operands of given types.
"""

import functools
import os

import llvmlite.binding
from llvmlite import ir
from numba.core import cgutils, types, typing
from numba.core.datamodel import PrimitiveModel
from numba.core.types.containers import BaseTuple, Tuple
from numba.extending import lower_builtin, register_model, type_callable

CHECKED = os.environ.get("TINYCNN_KERNELS", "parallel") == "serial"
"""True when kernels run on one thread with bounds checks."""

LANES = 32 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 8
"""Numbers in a vector: eight vectors of sums should fill the registers, and not overflow them."""


class Vector(types.Type):
    """LANES numbers of one dtype, held in registers."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype}, {LANES})")


class Mask(types.Type):
    """LANES truth values."""

    def __init__(self):
        super().__init__(name=f"Mask({LANES})")


def _llvm_vector(dtype):
    scalar = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}[dtype]
    return ir.VectorType(scalar, LANES)


@register_model(Vector)
class _VectorModel(PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, _llvm_vector(vector.dtype))


@register_model(Mask)
class _MaskModel(PrimitiveModel):
    def __init__(self, manager, mask):
        super().__init__(manager, mask, ir.VectorType(ir.IntType(1), LANES))


def becomes(emit):
    """Make numba emit, where a kernel calls the function below, what ``emit`` builds.

    Unless it takes tuples as a ``whole``, their elements are operated on one by one. Registers have
    names and no indices: so a loop over registers is unrolled, and this is where that is done.
    """

    def register(operation):
        @functools.wraps(operation)
        def each(*operands):
            return _for_each(operation, operands)

        @functools.wraps(emit.typer)
        def typer(*operands):
            kinds = [z.types if isinstance(z, BaseTuple) else z for z in operands]
            result = _for_each(emit.typer, kinds)
            return Tuple(result) if isinstance(result, tuple) else result

        emitted = emit, emit.typer, operation
        build, result_type, function = emitted if emit.whole else (_unrolled(emit), typer, each)
        type_callable(function)(lambda context: result_type)
        lower_builtin(function, types.VarArg(types.Any))(build)  # type: ignore[attr-defined]
        return function

    return register


def _for_each(function, operands):
    """Call ``function`` once, or for each element of those operands that are tuples."""
    counts = [len(z) for z in operands if isinstance(z, tuple)]
    if not counts:
        return function(*operands)
    elements = ([z[q] if isinstance(z, tuple) else z for z in operands] for q in range(counts[0]))
    return tuple(function(*element) for element in elements)


def _unrolled(emit):
    """Return what builds ``emit`` for operands of which some may be tuples."""

    def codegen(context, builder, signature, args):
        def build(*operands):
            kinds, values = zip(*operands, strict=True)
            return emit(context, builder, typing.signature(emit.typer(*kinds), *kinds), values)

        operands = [
            tuple(map(list, zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True)))
            if isinstance(kind, BaseTuple)
            else [kind, value]
            for kind, value in zip(signature.args, args, strict=True)
        ]
        result = _for_each(build, operands)
        is_tuple = isinstance(result, tuple)
        return context.make_tuple(builder, signature.return_type, result) if is_tuple else result

    return codegen


def _of(typer, whole=False):
    """Attach the function from the types of operands to that of the result."""

    def attach(emit):
        emit.typer, emit.whole = typer, whole
        return emit

    return attach


def _splat(builder, scalar):
    """Return LANES copies of an LLVM scalar."""
    vector_type = ir.VectorType(scalar.type, LANES)
    undefined = ir.Constant(vector_type, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.IntType(32)(0))
    every_lane_the_first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, undefined, every_lane_the_first)


def _pointer(context, builder, array_type, array, index, count, to):
    """Return a pointer to array[index] as a ``to``, checked against the array's size if asked.

    There is no array[-1] here: to allow for it would take as long as what the loops do with x[i].
    """
    fields = cgutils.create_struct_proxy(array_type)(context, builder, value=array)
    if CHECKED:
        end = builder.add(index, count)
        outside = builder.or_(
            builder.icmp_signed("<", index, index.type(0)),
            builder.icmp_signed(">", end, fields.nitems),
        )
        with builder.if_then(outside, likely=False):
            context.call_conv.return_user_exc(
                builder, IndexError, ("vector reaches outside its array",)
            )
    return builder.bitcast(builder.gep(fields.data, [index]), to.as_pointer())


def _first_lanes(builder, count):
    """Return the mask of the lanes below ``count``, and ``count`` cut to LANES.

    They are compared as bytes, so that one instruction serves all lanes.
    """
    most, byte = count.type(LANES), ir.IntType(8)
    count = builder.select(builder.icmp_signed("<", count, most), count, most)
    lanes = ir.Constant(ir.VectorType(byte, LANES), list(range(LANES)))
    return builder.icmp_signed("<", lanes, _splat(builder, builder.trunc(count, byte))), count


def _instruction(builder, name, result, args):
    """Call an LLVM intrinsic."""
    signature = ir.FunctionType(result, [a.type for a in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, signature, name), args)


def _suffix(dtype):
    return f"v{LANES}f{dtype.bitwidth}"


@_of(lambda a: Vector(a.dtype))
def zeros(context, builder, signature, args):
    vector_type = context.get_value_type(signature.return_type)
    return ir.Constant(vector_type, [0.0] * LANES)


@_of(lambda a, i: Vector(a.dtype))
def fill(context, builder, signature, args):
    vector_type = context.get_value_type(signature.return_type)
    array, index = args
    pointer = _pointer(
        context, builder, signature.args[0], array, index, index.type(1), vector_type.element
    )
    return _splat(builder, builder.load(pointer))


@_of(lambda s, vector: vector)
def fill_like(context, builder, signature, args):
    number = context.cast(builder, args[0], signature.args[0], signature.return_type.dtype)
    return _splat(builder, number)


@_of(lambda a, i: Vector(a.dtype))
def load(context, builder, signature, args):
    array_type, vector_type = signature.args[0], context.get_value_type(signature.return_type)
    array, index = args
    count = index.type(LANES)
    pointer = _pointer(context, builder, array_type, array, index, count, vector_type)
    return builder.load(pointer, align=array_type.dtype.bitwidth // 8)


@_of(lambda a, i, vector: types.void)
def store(context, builder, signature, args):
    array, index, vector = args
    array_type, count = signature.args[0], index.type(LANES)
    pointer = _pointer(context, builder, array_type, array, index, count, vector.type)
    builder.store(vector, pointer, align=array_type.dtype.bitwidth // 8)
    return context.get_dummy_value()


@_of(lambda a, i, count: Vector(a.dtype))
def load_first(context, builder, signature, args):
    """Load under a mask only where one is needed: it may take twice as long."""
    array, index, count = args
    vector_type = context.get_value_type(signature.return_type)
    mask, count = _first_lanes(builder, count)
    pointer = _pointer(context, builder, signature.args[0], array, index, count, vector_type)
    dtype = signature.args[0].dtype
    align, nothing = dtype.bitwidth // 8, ir.Constant(vector_type, [0.0] * LANES)
    is_full = builder.icmp_signed("==", count, count.type(LANES))
    with builder.if_else(is_full) as (then, otherwise):
        with then:
            whole, whole_block = builder.load(pointer, align=align), builder.block
        with otherwise:
            name = f"llvm.masked.load.{_suffix(dtype)}.p0"
            arguments = (pointer, ir.IntType(32)(align), mask, nothing)
            part, part_block = _instruction(builder, name, vector_type, arguments), builder.block
    result = builder.phi(vector_type)
    result.add_incoming(whole, whole_block)
    result.add_incoming(part, part_block)
    return result


@_of(lambda a, i, vector, count: types.void)
def store_first(context, builder, signature, args):
    array, index, vector, count = args
    dtype = signature.args[0].dtype
    if dtype == types.uint8:
        vector = builder.fptoui(vector, ir.VectorType(ir.IntType(8), LANES))
        suffix = f"v{LANES}i8"
    else:
        suffix = _suffix(dtype)
    mask, count = _first_lanes(builder, count)
    pointer = _pointer(context, builder, signature.args[0], array, index, count, vector.type)
    align = ir.IntType(32)(dtype.bitwidth // 8)
    name = f"llvm.masked.store.{suffix}.p0"
    _instruction(builder, name, ir.VoidType(), (vector, pointer, align, mask))
    return context.get_dummy_value()


@_of(lambda a, i: a.dtype)
def pick(context, builder, signature, args):
    array, index = args
    to = context.get_value_type(signature.return_type)
    pointer = _pointer(context, builder, signature.args[0], array, index, index.type(1), to)
    return builder.load(pointer)


@_of(lambda x, y: x)
def add(context, builder, signature, args):
    return (builder.add if isinstance(signature.return_type, types.Integer) else builder.fadd)(
        *args
    )


@_of(lambda x, y: x)
def times(context, builder, signature, args):
    return builder.mul(*args)


@_of(lambda x, y: x)
def least(context, builder, signature, args):
    return builder.select(builder.icmp_signed("<", *args), *args)


@_of(lambda place, vector: vector)
def each(context, builder, signature, args):
    return args[1]


@_of(lambda x, y, z: z)
def fma(context, builder, signature, args):
    name = f"llvm.fma.{_suffix(signature.return_type.dtype)}"
    return _instruction(builder, name, args[2].type, args)


@_of(lambda xs, ys: ys.dtype, whole=True)
def dot(context, builder, signature, args):
    xs, ys = (cgutils.unpack_tuple(builder, tuple_) for tuple_ in args)
    total = ir.Constant(xs[0].type, [0.0] * LANES)
    name = f"llvm.fma.{_suffix(signature.return_type.dtype)}"
    for x, y in zip(xs, ys, strict=True):
        total = _instruction(builder, name, total.type, (x, y, total))
    return total


@_of(lambda x, y: Mask())
def beats(context, builder, signature, args):
    greater_or_nan = builder.fcmp_unordered(">", *args)
    return builder.and_(greater_or_nan, builder.fcmp_ordered("ord", args[1], args[1]))


@_of(lambda a, i, value, count: Mask())
def equals(context, builder, signature, args):
    array, index, value, count = args
    byte = ir.IntType(8)
    vector_type = ir.VectorType(byte, LANES)
    mask, count = _first_lanes(builder, count)
    pointer = _pointer(context, builder, signature.args[0], array, index, count, vector_type)
    nothing = ir.Constant(vector_type, [0] * LANES)
    masked_load = (pointer, ir.IntType(32)(1), mask, nothing)
    found = _instruction(builder, f"llvm.masked.load.v{LANES}i8.p0", vector_type, masked_load)
    same = builder.icmp_unsigned("==", found, _splat(builder, builder.trunc(value, byte)))
    return builder.and_(mask, same)


@_of(lambda mask, x, y: x)
def select(context, builder, signature, args):
    return builder.select(*args)
