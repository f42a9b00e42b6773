"""The operations of ``reference.py`` under the same names, as compiled loops: run this.

Each public function checks its arguments in Python, because compiled loops do not, and then
hands flat arrays to a kernel. All heavy ones rest on the loops of ``blocks.py``, which say
with ``vectors.py`` what a processor is good at. Work is cut into pieces whose number depends on
the shapes alone, every piece owns what it writes, and sums over pieces are added in order: the
bits do not depend on how many threads run.

Reading order: compile, vectors, blocks, arrays, convolution, fused, winograd; then dense,
normalize and simple.
``instructions.py`` is for those who want to see what becomes of a vector.
"""

from tinycnn.kernels import (
    environment,  # noqa: F401 - numba starts, or the reason is told
    instructions,  # noqa: F401 - numba learns them before it compiles
)
from tinycnn.kernels.conv import conv2d, conv2d_backward_input, conv2d_backward_params
from tinycnn.kernels.dense import dense, dense_backward_input, dense_backward_params
from tinycnn.kernels.elementwise import (
    adam_update,
    dropout,
    dropout_backward,
    maxpool2d,
    maxpool2d_backward,
    relu,
    relu_backward,
    sgd_update,
    softmax,
    softmax_backward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from tinycnn.kernels.fused import (
    conv2d_relu_maxpool2d,
    conv2d_relu_maxpool2d_backward_input,
    conv2d_relu_maxpool2d_backward_params,
)
from tinycnn.kernels.norm import batchnorm, batchnorm_backward

__all__ = [
    "adam_update",
    "batchnorm",
    "batchnorm_backward",
    "conv2d",
    "conv2d_backward_input",
    "conv2d_backward_params",
    "conv2d_relu_maxpool2d",
    "conv2d_relu_maxpool2d_backward_input",
    "conv2d_relu_maxpool2d_backward_params",
    "dense",
    "dense_backward_input",
    "dense_backward_params",
    "dropout",
    "dropout_backward",
    "maxpool2d",
    "maxpool2d_backward",
    "relu",
    "relu_backward",
    "sgd_update",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
]
