"""A loop as a job: code and arguments as numbers in an array, which any thread can carry out.

The numbers below a count are cut into shares, one for each thread. The code takes numbers from the
counter of its own share, then from those of the others, and calls the body of the loop with each:
so a thread has the same images in job after job, and finds them in its cache. Only addresses are
written down: to keep a job is to hold its arrays.
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

DATA, SHARES, NEXT = 0, LINE, 8 * LINE
"""Slots of the board: the address of the data of the job; how many shares there are; of the first
share, and a line further of each other, the next piece and the end."""

CODE, COUNT, WORDS = 0, 1, 256
"""In these data: the address of the code; how many pieces there are. How long data may be."""

I64, JOB_TYPE = ir.IntType(64), ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 3)


def _call_job(builder, kind, board, share):
    data = builder.load(board.at(I64(DATA)))
    code = builder.load(builder.inttoptr(data, I64.as_pointer()))
    given = builder.ptrtoint(board.at(I64(0)), I64), data, share
    builder.call(builder.inttoptr(code, JOB_TYPE.as_pointer()), given)


@becomes(lambda board, share: types.void, _call_job)
def take_part(board, share):
    """Call the code of the job with the addresses of the board and of its data, and a share."""


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
            at = inside.inttoptr(code.args[1], layout.as_pointer())
            loaded = cgutils.unpack_tuple(inside, inside.load(at))
            _take_pieces(context, inside, body, kinds, code.args, loaded)
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


def _take_pieces(context, builder, body, kinds, given, args):
    """Build two loops: for each share ``while (n := following++) < end: body(n, ...)``."""
    body.compile((types.intp, *kinds[2:]))
    compiled = body.overloads[types.intp, *kinds[2:]]
    context.add_linking_libs([compiled.library])
    board = builder.inttoptr(given[0], I64.as_pointer())
    shares = builder.load(builder.gep(board, [I64(SHARES)]))
    with cgutils.for_range(builder, shares) as others:
        share = builder.srem(builder.add(given[2], others.index), shares)
        following = builder.gep(board, [builder.add(builder.mul(share, I64(LINE)), I64(NEXT))])
        end = builder.load(builder.gep(following, [I64(1)]))
        with cgutils.for_range(builder, args[COUNT]) as loop:  # no thread takes more than all
            n = builder.atomic_rmw("add", following, I64(1), "seq_cst")
            with builder.if_then(builder.icmp_signed(">=", n, end), likely=False):
                loop.do_break()
            signature = compiled.signature, (n, *args[2:])
            context.call_internal_no_propagate(builder, compiled.fndesc, *signature)
    builder.ret_void()
