"""A loop as a job: code and arguments as numbers in an array, which any thread can carry out.

The code takes numbers from a counter on the board until it has all below a count, and calls the
body of the loop with each. Only addresses are written down: to keep a job is to hold its arrays.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.types.containers import BaseTuple, Tuple
from numba.extending import intrinsic

from tinycnn.kernels.simd import Array, becomes

LINE = 8
"""Numbers of a cache line, and bytes of a number: slots of the board are a line apart."""

NEXT, DATA = 0, LINE
"""Slots of the board: the next piece of the job, and the address of its data."""

CODE, COUNT, WORDS = 0, 1, 256
"""In these data: the address of the code; how many pieces there are. How long data may be."""

I64, JOB_TYPE = ir.IntType(64), ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 2)


def _call_job(builder, kind, board):
    data = builder.load(board.at(I64(DATA)))
    code = builder.load(builder.inttoptr(data, I64.as_pointer()))
    following = builder.ptrtoint(board.at(I64(NEXT)), I64)
    builder.call(builder.inttoptr(code, JOB_TYPE.as_pointer()), [following, data])


@becomes(lambda board: types.void, _call_job)
def take_part(board):
    """Call the code of the job with the addresses of the next piece and of its data."""


def job_of(body: Any) -> Callable:
    """Return what writes the data of a job: its code, and the arguments of ``body``."""

    @intrinsic
    def write_job(typing, data, count, read, written):
        kinds = types.intp, count, read, written

        def emit(context, builder, signature, args):
            code = ir.Function(builder.module, JOB_TYPE, f"{builder.function.name}.job")
            code.linkage = "internal"
            inside = ir.IRBuilder(code.append_basic_block())
            layout = context.get_value_type(Tuple(kinds))
            assert context.get_abi_sizeof(layout) <= 8 * WORDS
            following, at = map(inside.inttoptr, code.args, (I64.as_pointer(), layout.as_pointer()))
            loaded = cgutils.unpack_tuple(inside, inside.load(at))
            _take_pieces(context, inside, body, kinds, following, loaded)
            lent = (_lent(context, builder, *z) for z in zip(kinds[1:], args[1:], strict=True))
            job = builder.ptrtoint(code, I64), *lent
            at = Array(context, builder, data, args[0]).at(I64(CODE))
            job = context.make_tuple(builder, Tuple(kinds), job)
            builder.store(job, builder.bitcast(at, layout.as_pointer()))
            return context.get_dummy_value()

        return types.void(data, *kinds[1:]), emit

    return write_job


def _lent(context, builder, kind, value):
    """Return an argument in which arrays do not count who uses them: the caller holds them."""
    if isinstance(kind, BaseTuple):
        elements = zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True)
        return context.make_tuple(builder, kind, [_lent(context, builder, *z) for z in elements])
    if isinstance(kind, types.Array):
        fields = Array(context, builder, kind, value).fields
        fields.meminfo = cgutils.get_null_value(fields.meminfo.type)
        return fields._getvalue()
    return value


def _take_pieces(context, builder, body, kinds, following, args):
    """Build a loop: ``while (n := following++) < count: body(n, read, written)``."""
    body.compile((types.intp, *kinds[2:]))
    compiled = body.overloads[types.intp, *kinds[2:]]
    context.add_linking_libs([compiled.library])
    with cgutils.for_range(builder, args[COUNT]) as loop:  # no thread takes more than all
        n = builder.atomic_rmw("add", following, I64(1), "seq_cst")
        with builder.if_then(builder.icmp_signed(">=", n, args[COUNT]), likely=False):
            loop.do_break()
        given = compiled.signature, (n, *args[2:])
        context.call_internal_no_propagate(builder, compiled.fndesc, *given)
    builder.ret_void()
