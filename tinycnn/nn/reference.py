"""Every operation of a convolutional network as one NumPy expression: start reading here.

The alphabet, the same in every formula, subscript string, loop and shape comment:

    n      example (N)                  i, j   output row, column (OH, OW)
    r, s   input row, column (H, W)     u, v   row, column in the filter (KH, KW)
    c      input channel (C)            f      filter (F)
    d      input of a dense layer (D)   k      class, or output of a dense layer (K)

Lower case is an index, capitals are sizes; ``m`` goes through all numbers of any array. ``x`` comes
in and ``y`` goes out; ``w`` and ``b`` are weights and biases; ``dz`` is the gradient of the loss
with respect to ``z`` and has its shape.

Images are stored channels last, (N, H, W, C): the numbers under a filter row are neighbors.

``@shapes`` says what goes in and what comes out. ``kernels`` has the same functions as compiled
loops; the tests compare the two.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tinycnn.nn.shapes import shapes

Array = NDArray[Any]
Shape = tuple[int, ...]


@shapes("x (N,H,W,C), w (F,KH,KW,C), b (F,)  ->  y (N,OH,OW,F) with OH = H-KH+1, OW = W-KW+1")
def conv2d(x: Array, w: Array, b: Array) -> Array:
    """Slide F filters, small windows of weights, over every image ("valid": never past its edge).

    Each output is the sum of a window of the input times one filter, plus that filter's bias.

        y[n,i,j,f] = b[f] + sum_{u,v,c} x[n,i+u,j+v,c] * w[f,u,v,c]
    """
    windows = sliding_window_view(x, w.shape[1:3], axis=(1, 2))  # a view (N,OH,OW,C,KH,KW)
    return np.einsum("nijcuv,fuvc->nijf", windows, w, optimize=True) + b


@shapes("dy (N,OH,OW,F), x (N,H,W,C), kernel_size (KH,KW)  ->  dw (F,KH,KW,C), db (F,)")
def conv2d_backward_params(dy: Array, x: Array, kernel_size: Shape) -> tuple[Array, Array]:
    """Gradient of the loss with respect to the filters and biases of ``conv2d``.

    ``w[f,u,v,c]`` influences every output of filter f, each time multiplied by the input under
    it; ``b[f]`` is added to every output of filter f.

        dw[f,u,v,c] = sum_{n,i,j} dy[n,i,j,f] * x[n,i+u,j+v,c]
        db[f]       = sum_{n,i,j} dy[n,i,j,f]
    """
    windows = sliding_window_view(x, kernel_size, axis=(1, 2))
    dw = np.einsum("nijf,nijcuv->fuvc", dy, windows, optimize=True)
    db = np.einsum("nijf->f", dy)
    return dw, db


@shapes("dy (N,OH,OW,F), w (F,KH,KW,C)  ->  dx (N,H,W,C) with H = OH+KH-1, W = OW+KW-1")
def conv2d_backward_input(dy: Array, w: Array) -> Array:
    """Gradient of the loss with respect to the input of ``conv2d``.

    The input x[n,r,s,c] influences the outputs (i,j) whose window covers it: those with r = i+u
    and s = j+v for some place (u,v) in the filter. It collects the dy of each, times the weight
    between them. With r-u for i and s-v for j, that is a convolution of dy, framed by KH-1 and
    KW-1 zeros, with every filter turned by 180 degrees: flipped in both directions.

        dx[n,r,s,c] = sum_{f,u,v} dy[n,r-u,s-v,f] * w[f,u,v,c]      (dy is 0 outside)
    """
    KH, KW = w.shape[1:3]
    framed = np.pad(dy, ((0, 0), (KH - 1, KH - 1), (KW - 1, KW - 1), (0, 0)))
    windows, turned = sliding_window_view(framed, (KH, KW), axis=(1, 2)), w[:, ::-1, ::-1, :]
    return np.einsum("nrsfuv,fuvc->nrsc", windows, turned, optimize=True)


@shapes("x (N,H,W,C)  ->  y (N,H//size,W//size,C), winner (same shape, uint8)")
def maxpool2d(x: Array, size: int) -> tuple[Array, Array]:
    """Keep the largest number of every size x size window; the windows do not overlap.

    The winner's place in its window, row * size + column, is kept for the backward pass. The
    first of equal numbers wins. Rows and columns that fill no whole window are left out.

        y[n,i,j,c] = max_{u,v < size} x[n, i*size+u, j*size+v, c]
    """
    N, H, W, C = x.shape
    OH, OW = H // size, W // size
    whole = x[:, : OH * size, : OW * size]
    places = whole.reshape(N, OH, size, OW, size, C).transpose(0, 1, 3, 5, 2, 4)
    places = places.reshape(N, OH, OW, C, size * size)
    winner = places.argmax(axis=-1)
    y = np.take_along_axis(places, winner[..., None], axis=-1)[..., 0]
    return y, winner.astype(np.uint8)


@shapes("dy and winner (N,H//size,W//size,C), input_size (H,W)  ->  dx (N,H,W,C)")
def maxpool2d_backward(dy: Array, winner: Array, input_size: Shape, size: int) -> Array:
    """Gradient with respect to the input of ``maxpool2d``: only winners get any.

    The output is a copy of the winner, so the winner gets the output's gradient. A number that
    lost could change a little without any effect: its gradient is zero.

        dx[n, i*size+u, j*size+v, c] = dy[n,i,j,c]  where (u,v) is the winner's place, else 0
    """
    N, OH, OW, C = dy.shape
    dx = np.zeros((N, *input_size, C), dy.dtype)
    n, i, j, c = np.indices(dy.shape)
    u, v = np.divmod(winner, size)
    dx[n, i * size + u, j * size + v, c] = dy
    return dx


@shapes("x (...)  ->  y (...), where (...) is any one shape")
def relu(x: Array) -> Array:
    """Let positive numbers pass and set the others to zero.

    Without it, two layers in a row could do no more than one: a sum of sums is a sum.

        y = max(x, 0)
    """
    return np.maximum(x, 0)


@shapes("dy and y (...)  ->  dx (...)")
def relu_backward(dy: Array, y: Array) -> Array:
    """Gradient of the loss with respect to the input of ``relu``.

    It passes where the output is positive, as the input is there, too.

        dx = dy  where y > 0, else 0
    """
    return np.where(y <= 0, 0, dy).astype(dy.dtype)  # so that a NaN passes, too


@shapes("x and draw (...), rate from 0 to below 1  ->  y (...)")
def dropout(x: Array, draw: Array, rate: float) -> Array:
    """Set a random share of the numbers to zero, and scale the others up to make up for it.

    The next layer cannot rely on any single number, and learns from all of them. A number drawn
    uniformly from 0 to 1 is below ``rate`` with exactly that probability, so the mean of y over
    all draws is x. Inference therefore needs no dropout. Each number was multiplied by a constant,
    and so is its gradient: dx = dropout(dy, draw, rate).

        y = x / (1 - rate)  where draw >= rate, else 0
    """
    return np.where(draw >= rate, x / (1 - rate), 0).astype(x.dtype)


@shapes(
    "x (N,H,W,C), w (F,KH,KW,C), b (F,)"
    " ->  y (N,OH//size,OW//size,F), winner (same shape, uint8, 0 .. size*size)"
)
def conv2d_relu_maxpool2d(x: Array, w: Array, b: Array, size: int) -> tuple[Array, Array]:
    """Do ``conv2d``, ``relu`` and ``maxpool2d``, and remember only the living winners.

    In each window only the winner affects the loss, and only if it is alive: if the ReLU lets it
    pass. The place of a winner that does not pass is size * size, just outside the window.

        z          = conv2d(x, w, b)
        y[n,i,j,f] = max(0, max_{u,v < size} z[n, i*size+u, j*size+v, f])
    """
    z = conv2d(x, w, b)
    y, winner = maxpool2d(relu(z), size)
    winner[y <= 0] = size * size
    return y, winner


@shapes(
    "dy and winner (N,OH//size,OW//size,F), x (N,H,W,C), kernel_size (KH,KW)"
    " ->  dw (F,KH,KW,C), db (F,)"
)
def conv2d_relu_maxpool2d_backward_params(
    dy: Array, winner: Array, x: Array, kernel_size: Shape, size: int
) -> tuple[Array, Array]:
    """Gradient with respect to filters and biases of ``conv2d_relu_maxpool2d``.

    Only the living winners contribute.

        dz     = dy where the living winners are in z, 0 elsewhere
        dw, db = conv2d_backward_params(dz, x, kernel_size)
    """
    dz = _unpool_the_living(dy, winner, np.subtract(x.shape[1:3], kernel_size) + 1, size)
    return conv2d_backward_params(dz, x, kernel_size)


@shapes("dy and winner (N,OH//size,OW//size,F), w (F,KH,KW,C), input_size (H,W) ->  dx (N,H,W,C)")
def conv2d_relu_maxpool2d_backward_input(
    dy: Array, winner: Array, w: Array, input_size: Shape, size: int
) -> Array:
    """Gradient with respect to the input of ``conv2d_relu_maxpool2d``.

    Again, only the living winners contribute.

        dz = dy where the living winners are in z, 0 elsewhere
        dx = conv2d_backward_input(dz, w)
    """
    dz = _unpool_the_living(dy, winner, np.subtract(input_size, w.shape[1:3]) + 1, size)
    return conv2d_backward_input(dz, w)


def _unpool_the_living(dy: Array, winner: Array, z_size: Any, size: int) -> Array:
    """Bring dy back to where the winners are in z, leaving out those that the ReLU stopped."""
    alive = winner < size * size
    return maxpool2d_backward(np.where(alive, dy, 0), np.where(alive, winner, 0), z_size, size)


@shapes("x (N,...,C), w and b (C,)  ->  y (N,...,C), mean and variance (C,)")
def batchnorm(x: Array, w: Array, b: Array, epsilon: float) -> tuple[Array, Array, Array]:
    """Bring every channel of the batch to standard deviation w and mean b.

    However large or small the numbers have become, the next layer sees them on the same scale.
    A channel's mean and variance are taken over all M numbers that it has in the batch.

        mean[c]     = sum_m x[m,c] / M
        variance[c] = sum_m (x[m,c] - mean[c])**2 / M
        z[m,c]      = (x[m,c] - mean[c]) / sqrt(variance[c] + epsilon)
        y[m,c]      = w[c] * z[m,c] + b[c]
    """
    m = tuple(range(x.ndim - 1))  # all axes but the last
    M = max(1, x[..., 0].size)
    mean = x.sum(axis=m) / M
    variance = ((x - mean) ** 2).sum(axis=m) / M
    z = (x - mean) / np.sqrt(variance + epsilon)
    return w * z + b, mean, variance


@shapes("dy and x (N,...,C), w, mean and variance (C,)  ->  dx (N,...,C), dw and db (C,)")
def batchnorm_backward(
    dy: Array, x: Array, w: Array, mean: Array, variance: Array, epsilon: float
) -> tuple[Array, Array, Array]:
    """Gradient of the loss with respect to the input, and to w and b, of ``batchnorm``.

    If mean and variance were constants, dx would be dz / sqrt(variance + epsilon). But they
    depend on x: adding a constant to all numbers of a channel changes no output, and neither does
    scaling their distances from the mean (except for epsilon). So both parts are removed from dz.

        dw[c]   = sum_m dy[m,c] * z[m,c]
        db[c]   = sum_m dy[m,c]
        dz[m,c] = dy[m,c] * w[c]
        dx[m,c] = (dz[m,c] - sum_m dz[m,c] / M - z[m,c] * sum_m dz[m,c] * z[m,c] / M)
                  / sqrt(variance[c] + epsilon)
    """
    m = tuple(range(x.ndim - 1))
    M = max(1, x[..., 0].size)
    deviation = np.sqrt(variance + epsilon)
    z = (x - mean) / deviation
    dw = (dy * z).sum(axis=m)
    db = dy.sum(axis=m)
    dz = dy * w
    dx = (dz - dz.sum(axis=m) / M - z * (dz * z).sum(axis=m) / M) / deviation
    return dx, dw, db


@shapes("x (N,D), w (D,K), b (K,)  ->  y (N,K)")
def dense(x: Array, w: Array, b: Array) -> Array:
    """Connect every input with every output.

    An output is a sum of all inputs, each times a weight of its own, plus a bias.

        y[n,k] = b[k] + sum_d x[n,d] * w[d,k]
    """
    return x @ w + b


@shapes("dy (N,K), x (N,D)  ->  dw (D,K), db (K,)")
def dense_backward_params(dy: Array, x: Array) -> tuple[Array, Array]:
    """Gradient of the loss with respect to weights and biases of ``dense``.

    ``w[d,k]`` influences y[n,k] of every example, each time multiplied by x[n,d].

        dw[d,k] = sum_n x[n,d] * dy[n,k]
        db[k]   = sum_n dy[n,k]
    """
    return x.T @ dy, dy.sum(axis=0)


@shapes("dy (N,K), w (D,K)  ->  dx (N,D)")
def dense_backward_input(dy: Array, w: Array) -> Array:
    """Gradient of the loss with respect to the input of ``dense``.

    ``x[n,d]`` influences all outputs of its example, each through another weight.

        dx[n,d] = sum_k dy[n,k] * w[d,k]
    """
    return dy @ w.T


@shapes("logits (N,K)  ->  p (N,K)")
def softmax(logits: Array) -> Array:
    """Turn any K numbers into K probabilities, larger numbers into larger probabilities.

    Subtracting the row's maximum first does not change the quotient and keeps exp finite.

        p[n,k] = exp(logits[n,k]) / sum_m exp(logits[n,m])
    """
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@shapes("dp and p (N,K)  ->  dlogits (N,K)")
def softmax_backward(dp: Array, p: Array) -> Array:
    """Gradient of the loss with respect to the logits of ``softmax``.

    Raising one logit raises its own probability and lowers all others in proportion: p[m]
    changes by p[m] * ((m == k) - p[k]) per unit of logit k. Sum this over m, weighted by dp[n,m].

        dlogits[n,k] = p[n,k] * (dp[n,k] - sum_m dp[n,m] * p[n,m])
    """
    return p * (dp - (dp * p).sum(axis=1, keepdims=True))


@shapes("logits (N,K), labels (N,) integers below K  ->  loss (a number), p (N,K)")
def softmax_cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """Return the mean surprise at the true labels, and the probabilities that it is based on.

    Softmax and logarithm are one step: log p = logits - log sum exp(logits), which stays finite
    where p itself would be rounded to 0.

        loss = mean_n -log p[n, labels[n]]
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[np.arange(labels.size), labels].mean()
    return loss, np.exp(log_p)


@shapes("p (N,K), labels (N,) integers below K  ->  dlogits (N,K)")
def softmax_cross_entropy_backward(p: Array, labels: Array, count: int | None = None) -> Array:
    """Gradient of the mean loss with respect to the logits.

    The logarithm undoes the exponential, and their combined derivative is simply the predicted
    probability minus the true one. The 1/N of the mean enters here, and nowhere else. If the N
    examples are a part of a batch of ``count``, it is 1/count.

        dlogits[n,k] = (p[n,k] - (labels[n] == k)) / N
    """
    truth = np.zeros_like(p)
    truth[np.arange(labels.size), labels] = 1
    return (p - truth) / (count or labels.size)


def flush(z: Array) -> None:
    """Set to zero, in place, what is too small to matter in any sum.

    An average whose input has ended fades for ever. Below ``tiny`` it would be denormal: a number
    with few digits left, with which many processors calculate a hundred times more slowly. Divided
    by ``eps``, the limit is so high that products with ordinary numbers are not denormal either.
    """
    z[abs(z) < np.finfo(z.dtype).tiny / np.finfo(z.dtype).eps] = 0


@shapes("z, dz, velocity (...)  ->  written into z, velocity")
def sgd_update(
    z: Array, dz: Array, velocity: Array, learning_rate: float, momentum: float, weight_decay: float
) -> None:
    """Move parameters z downhill, in place, with the momentum of earlier steps.

    Steps in one direction add up, and steps back and forth cancel each other.

        velocity = flush(momentum * velocity - learning_rate * (dz + weight_decay * z))
        z        = z + velocity
    """
    velocity *= momentum
    velocity -= learning_rate * (dz + weight_decay * z)
    flush(velocity)
    z += velocity


@shapes("z, dz, mean, square (...), step = 1, 2, ...  ->  written into z, mean, square")
def adam_update(
    z: Array,
    dz: Array,
    mean: Array,
    square: Array,
    step: int,
    learning_rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    weight_decay: float,
) -> None:
    """Move parameters z downhill, in place, by steps that do not grow with the gradient.

    A parameter's mean gradient is divided by the usual size of its gradients.

        mean   = flush(beta1 * mean   + (1 - beta1) * dz)
        square = flush(beta2 * square + (1 - beta2) * dz**2)
        m      = mean / (1 - beta1**step)
        s      = square / (1 - beta2**step)
        z      = z - learning_rate * (m / (sqrt(s) + epsilon) + weight_decay * z)
    """
    mean += (1 - beta1) * (dz - mean)
    square += (1 - beta2) * (dz**2 - square)
    flush(mean)
    flush(square)
    m = mean / (1 - beta1**step)
    s = square / (1 - beta2**step)
    z -= learning_rate * (m / (np.sqrt(s) + epsilon) + weight_decay * z)
