"""A whole convolutional network in NumPy, to be read in an afternoon: python docs/afternoon.py

Every layer is a function, and below it its gradient. Letters: n example; i, j row and column of the
output; u, v row and column in the filter; c channel; f filter; d input, k output of a dense layer;
capitals are sizes. x goes into a layer, y comes out; w and b are weights and biases; dz is the
gradient of the loss with respect to z, and has its shape.
"""

import gzip
from pathlib import Path

import numpy as np


def conv2d(x, w, b):
    """Lay each of F filters over the image at every place: x (N,H,W,C), w (F,KH,KW,C), b (F,).

    y[n,i,j,f] = b[f] + sum over u, v, c of x[n,i+u,j+v,c] * w[f,u,v,c]
    """
    (N, H, W, _), (F, KH, KW, _) = x.shape, w.shape
    OH, OW = H - KH + 1, W - KW + 1
    y = np.zeros((N, OH, OW, F)) + b
    for u, v in np.ndindex(KH, KW):
        y += x[:, u : u + OH, v : v + OW] @ w[:, u, v].T
    return y


def conv2d_backward(dy, x, w):
    """Go through the same products: w[f,u,v,c] met x[n,i+u,j+v,c], and the product went into y."""
    N, OH, OW, F = dy.shape
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for u, v in np.ndindex(w.shape[1:3]):
        dw[:, u, v] = np.tensordot(dy, x[:, u : u + OH, v : v + OW], ((0, 1, 2), (0, 1, 2)))
        dx[:, u : u + OH, v : v + OW] += dy @ w[:, u, v]
    return dx, dw, dy.sum(axis=(0, 1, 2))


def relu(x):
    """Let positive numbers pass and set the others to zero."""
    return np.maximum(x, 0)


def relu_backward(dy, y):
    """Where a number did not pass, a little more or less of it changes nothing."""
    return np.where(y > 0, dy, 0)


def maxpool2d(x):
    """Keep the largest of every 2 x 2 numbers, x (N,H,W,C), and which of the four it was."""
    N, H, W, C = x.shape
    windows = x.reshape(N, H // 2, 2, W // 2, 2, C).transpose(0, 1, 3, 5, 2, 4)
    windows = windows.reshape(N, H // 2, W // 2, C, 4)
    return windows.max(axis=-1), windows.argmax(axis=-1)


def maxpool2d_backward(dy, winner):
    """Only the largest number decided y, so it alone gets the gradient."""
    N, OH, OW, C = dy.shape
    dx = np.zeros((N, 2 * OH, 2 * OW, C))
    for place in range(4):
        dx[:, place // 2 :: 2, place % 2 :: 2] = np.where(winner == place, dy, 0)
    return dx


def dense(x, w, b):
    """Connect every input with every output: x (N,D), w (D,K), b (K,)."""
    return x @ w + b


def dense_backward(dy, x, w):
    """w[d,k] met x[n,d] in every example n; x[n,d] met w[d,k] in every output k."""
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


def softmax_cross_entropy(logits, labels):
    """Return the mean of -log p[true class], and its gradient: p minus the truth, over N."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    examples = np.arange(len(labels))
    loss = -np.log(p[examples, labels] + 1e-30).mean()
    p[examples, labels] -= 1
    return loss, p / len(labels)


def new_network(rng):
    """28 x 28 pixels -> 8 maps of 12 x 12 -> 16 maps of 4 x 4 -> 10 logits, from random weights.

    The factors keep the numbers of about one size from layer to layer.
    """
    w1 = rng.standard_normal((8, 5, 5, 1)) * np.sqrt(2 / (5 * 5 * 1))
    w2 = rng.standard_normal((16, 5, 5, 8)) * np.sqrt(2 / (5 * 5 * 8))
    w3 = rng.standard_normal((4 * 4 * 16, 10)) * np.sqrt(2 / (4 * 4 * 16))
    return [w1, np.zeros(8), w2, np.zeros(16), w3, np.zeros(10)]


def forward(network, x):
    """Return the logits (N,10) of images x (N,28,28,1), and what the backward pass needs."""
    w1, b1, w2, b2, w3, b3 = network
    y1, winner1 = maxpool2d(relu(conv2d(x, w1, b1)))
    y2, winner2 = maxpool2d(relu(conv2d(y1, w2, b2)))
    flat = y2.reshape(len(x), -1)
    return dense(flat, w3, b3), (x, y1, winner1, y2, winner2, flat)


def backward(network, dlogits, memory):
    """Return the gradients of all six arrays: the chain rule, from the last layer to the first."""
    w1, b1, w2, b2, w3, b3 = network
    x, y1, winner1, y2, winner2, flat = memory
    dflat, dw3, db3 = dense_backward(dlogits, flat, w3)
    dy2 = relu_backward(dflat.reshape(y2.shape), y2)  # y2 > 0 where the ReLU let the winner pass
    dy1, dw2, db2 = conv2d_backward(maxpool2d_backward(dy2, winner2), y1, w2)
    _, dw1, db1 = conv2d_backward(maxpool2d_backward(relu_backward(dy1, y1), winner1), x, w1)
    return [dw1, db1, dw2, db2, dw3, db3]


def digits(part):
    """Return images (N,28,28,1) from 0 to 1, and labels (N,); part is "train" or "t10k"."""
    folder = Path(__file__).resolve().parents[1] / "data" / "mnist10k"
    pixels = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())[8:]
    images = np.frombuffer(pixels, np.uint8).reshape(-1, 28, 28, 1) / 255
    return images, np.frombuffer(labels, np.uint8)


def main(epochs=6, batch=32, rate=0.05, momentum=0.9):
    """Learn from 8,000 digits, a batch at a time; then read 2,000 others."""
    rng = np.random.default_rng(0)
    images, labels = digits("train")
    network = new_network(rng)
    velocity = [np.zeros_like(z) for z in network]
    for epoch in range(epochs):
        order, losses = rng.permutation(len(images)), []
        for start in range(0, len(images), batch):
            chosen = order[start : start + batch]
            logits, memory = forward(network, images[chosen])
            loss, dlogits = softmax_cross_entropy(logits, labels[chosen])
            done = (epoch + start / len(images)) / epochs
            for z, v, dz in zip(network, velocity, backward(network, dlogits, memory), strict=True):
                v *= momentum
                v -= rate * (1 - done) * dz  # long steps first, short steps last
                z += v
            losses.append(loss)
        print(f"epoch {epoch + 1} of {epochs}: mean loss {np.mean(losses):.3f}", flush=True)
    images, labels = digits("t10k")
    right = forward(network, images)[0].argmax(axis=1) == labels
    print(f"{right.mean():.2%} of the {len(labels):,} test digits are read correctly")


if __name__ == "__main__":
    main()
