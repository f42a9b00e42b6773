"""What numba emits for the operations of ``simd.py``: an instruction or two for each.

Only this file knows LLVM, the language that numba compiles to.
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
    """LANES numbers or truth values of one dtype, held in registers."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype}, {LANES})")


SCALARS = {
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
    types.boolean: ir.IntType(1),
}


@register_model(Vector)
class _VectorModel(PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, ir.VectorType(SCALARS[vector.dtype], LANES))


def becomes(emit, typer, whole=False):
    """Make numba emit, where a kernel calls the function below, what ``emit`` builds.

    ``typer`` tells the type of the result from those of the operands. Unless an operation takes
    tuples as a ``whole``, their elements are operated on one by one. Registers have names and no
    indices: so a loop over registers is unrolled, and this is where that is done.
    """

    def register(operation):
        @functools.wraps(operation)
        def each(*operands):
            return _for_each(operation, operands)

        @functools.wraps(typer)
        def types_of_each(*operands):
            kinds = [z.types if isinstance(z, BaseTuple) else z for z in operands]
            result = _for_each(typer, kinds)
            return Tuple(result) if isinstance(result, tuple) else result

        function, result_type = (operation, typer) if whole else (each, types_of_each)
        build = emit if whole else _unrolled(emit, typer)
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


def _unrolled(emit, typer):
    """Return what builds ``emit`` for operands of which some may be tuples."""

    def codegen(context, builder, signature, args):
        def build(*operands):
            kinds, values = zip(*operands, strict=True)
            return emit(context, builder, typing.signature(typer(*kinds), *kinds), values)

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


def _splat(builder, scalar):
    """Return LANES copies of an LLVM scalar."""
    vector_type = ir.VectorType(scalar.type, LANES)
    undefined = ir.Constant(vector_type, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.IntType(32)(0))
    every_lane_the_first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, undefined, every_lane_the_first)


def _pointer(context, builder, signature, args, count=None, to=None):
    """Return a pointer to a[i], where ``count`` numbers are checked to be in the array if asked.

    There is no a[-1] here: to allow for it would take as long as what the loops do with a[i].
    """
    array, index = args[:2]
    fields = cgutils.create_struct_proxy(signature.args[0])(context, builder, value=array)
    if CHECKED:
        end = builder.add(index, count or index.type(1))
        outside = builder.or_(
            builder.icmp_signed("<", index, index.type(0)),
            builder.icmp_signed(">", end, fields.nitems),
        )
        with builder.if_then(outside, likely=False):
            context.call_conv.return_user_exc(
                builder, IndexError, ("vector reaches outside its array",)
            )
    pointer = builder.gep(fields.data, [index])
    return builder.bitcast(pointer, to.as_pointer()) if to else pointer


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
    return f"v{LANES}{'i8' if dtype == types.uint8 else f'f{dtype.bitwidth}'}"


def zeros(context, builder, signature, args):
    return ir.Constant(context.get_value_type(signature.return_type), [0.0] * LANES)


def pick(context, builder, signature, args):
    return builder.load(_pointer(context, builder, signature, args))


def fill(context, builder, signature, args):
    return _splat(builder, pick(context, builder, signature, args))


def fill_like(context, builder, signature, args):
    number = context.cast(builder, args[0], signature.args[0], signature.return_type.dtype)
    return _splat(builder, number)


def load(context, builder, signature, args):
    vector_type = context.get_value_type(signature.return_type)
    pointer = _pointer(context, builder, signature, args, args[1].type(LANES), vector_type)
    return builder.load(pointer, align=signature.args[0].dtype.bitwidth // 8)


def store(context, builder, signature, args):
    _, index, vector = args
    pointer = _pointer(context, builder, signature, args, index.type(LANES), vector.type)
    builder.store(vector, pointer, align=signature.args[0].dtype.bitwidth // 8)
    return context.get_dummy_value()


def load_first(context, builder, signature, args):
    """Load under a mask only where one is needed: it may take twice as long."""
    vector_type = context.get_value_type(signature.return_type)
    mask, count = _first_lanes(builder, args[2])
    pointer = _pointer(context, builder, signature, args, count, vector_type)
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


def store_first(context, builder, signature, args):
    _, _, vector, count = args
    dtype = signature.args[0].dtype
    if dtype == types.uint8:
        vector = builder.fptoui(vector, ir.VectorType(ir.IntType(8), LANES))
    mask, count = _first_lanes(builder, count)
    pointer = _pointer(context, builder, signature, args, count, vector.type)
    align = ir.IntType(32)(dtype.bitwidth // 8)
    name = f"llvm.masked.store.{_suffix(dtype)}.p0"
    _instruction(builder, name, ir.VoidType(), (vector, pointer, align, mask))
    return context.get_dummy_value()


def add(context, builder, signature, args):
    whole = isinstance(signature.return_type, types.Integer)
    return builder.add(*args) if whole else builder.fadd(*args)


def times(context, builder, signature, args):
    return builder.mul(*args)


def least(context, builder, signature, args):
    return builder.select(builder.icmp_signed("<", *args), *args)


def each(context, builder, signature, args):
    return args[1]


def fma(context, builder, signature, args):
    name = f"llvm.fma.{_suffix(signature.return_type.dtype)}"
    return _instruction(builder, name, args[2].type, args)


def dot(context, builder, signature, args):
    xs, ys = (cgutils.unpack_tuple(builder, tuple_) for tuple_ in args)
    total = zeros(context, builder, signature, args)
    for x, y in zip(xs, ys, strict=True):
        total = fma(context, builder, signature, (x, y, total))
    return total


def beats(context, builder, signature, args):
    greater_or_nan = builder.fcmp_unordered(">", *args)
    return builder.and_(greater_or_nan, builder.fcmp_ordered("ord", args[1], args[1]))


def equals(context, builder, signature, args):
    _, _, value, count = args
    byte = ir.IntType(8)
    vector_type = ir.VectorType(byte, LANES)
    mask, count = _first_lanes(builder, count)
    pointer = _pointer(context, builder, signature, args, count, vector_type)
    nothing = ir.Constant(vector_type, [0] * LANES)
    masked_load = (pointer, ir.IntType(32)(1), mask, nothing)
    found = _instruction(builder, f"llvm.masked.load.v{LANES}i8.p0", vector_type, masked_load)
    same = builder.icmp_unsigned("==", found, _splat(builder, builder.trunc(value, byte)))
    return builder.and_(mask, same)


def select(context, builder, signature, args):
    return builder.select(*args)
