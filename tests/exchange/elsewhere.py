"""Networks for tests of exports and imports, and PyTorch's modules as plain formulas."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinycnn.nn import (
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
    ZeroPad2D,
    build,
)

ODD = {
    "rows": ([Dense(5), BatchNorm(), ReLU(), Dense(3)], (7,)),
    "probabilities": ([Flatten(), Dense(3), Softmax()], (4, 5, 2)),
    "normalized rows": (
        [Conv2D(3, 2), MaxPool2D(2), Flatten(), BatchNorm(), Dropout(0.3), ReLU(), Dense(4)],
        (7, 6, 2),
    ),
    "never flattened": ([BatchNorm(), Conv2D(3, 2), ReLU()], (4, 5, 2)),
    "everybody's": (
        [ZeroPad2D(1, 2), Conv2D(3, 4), Tanh(), AveragePool2D(2), Conv2D(4, 2), LeakyReLU(0.2)]
        + [ZeroPad2D(1), Conv2D(5, 3), Sigmoid(), GlobalAveragePool2D(), Dense(3)],
        (9, 8, 2),
    ),
    "flattened twice": ([Conv2D(3, 3), Flatten(), Flatten(), Dense(3)], (5, 5, 1)),
}
"""Sequentials in which the order of axes matters in every possible way."""

NAMES = ["lenet", "tiny", "best", "lenet5", *ODD]


def network(name, seed=0):
    """A preset or one of ``ODD``, with all of its numbers drawn at random."""
    model = Sequential(*ODD[name]) if name in ODD else build(name)
    rng = np.random.default_rng(seed)
    for key, z in model.arrays().items():
        fan_in = max(1, z.size // z.shape[0])
        z[...] = rng.uniform(0.5, 2, z.shape) if "variance" in key else rng.normal(size=z.shape)
        z /= np.sqrt(fan_in) if z.ndim > 1 else 1
    return model


def examples(model, count=20, seed=1):
    return np.random.default_rng(seed).random((count, *model.input_shape), dtype=np.float32)


def same(model, other):
    """Whether two networks are equal, to the bit."""
    mine, theirs = model.arrays(), other.arrays()
    layers = repr(model.layers) == repr(other.layers) and model.input_shape == other.input_shape
    return layers and all(z.tobytes() == theirs[name].tobytes() for name, z in mine.items())


def pytorch(layers, state, x):
    """Compute an ``nn.Sequential`` with this state_dict on x (N,C,H,W), by PyTorch's manual."""
    for index, layer in enumerate(layers):
        z = {key: state.get(f"{index}.{key}") for key in ("weight", "bias")}
        match layer:
            case Conv2D():
                windows = sliding_window_view(x, z["weight"].shape[2:], axis=(2, 3))
                x = np.einsum("ncijuv,fcuv->nfij", windows, z["weight"], optimize=True)
                x = x + z["bias"][:, None, None]
            case MaxPool2D(size=size):
                N, C, H, W = x.shape
                x = x[:, :, : H // size * size, : W // size * size]
                x = x.reshape(N, C, H // size, size, W // size, size).max(axis=(3, 5))
            case AveragePool2D(size=size):
                N, C, H, W = x.shape
                x = x[:, :, : H // size * size, : W // size * size]
                x = x.reshape(N, C, H // size, size, W // size, size).mean(axis=(3, 5))
            case GlobalAveragePool2D():
                x = x.mean(axis=(2, 3))
            case ZeroPad2D(before=before, after=after):
                x = np.pad(x, ((0, 0), (0, 0), (before, after), (before, after)))
            case Flatten():
                x = x.reshape(len(x), -1)
            case Dense():
                x = x @ z["weight"].T + z["bias"]
            case BatchNorm():
                wide = (-1, *[1] * (x.ndim - 2))
                keys = ("weight", "bias", "running_mean", "running_var")
                w, b, mean, variance = (state[f"{index}.{key}"].reshape(wide) for key in keys)
                x = (x - mean) / np.sqrt(variance + 1e-5) * w + b
            case _:
                x = activation(layer, x)
    return x


def activation(layer, x):
    formulas = {
        ReLU: lambda: np.maximum(x, 0),
        LeakyReLU: lambda: np.maximum(x, layer.slope * x),
        Tanh: lambda: np.tanh(x),
        Sigmoid: lambda: 1 / (1 + np.exp(-x)),
    }
    if type(layer) in formulas:
        return formulas[type(layer)]()
    if isinstance(layer, Softmax):
        p = np.exp(x - x.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)
    return x  # dropout
