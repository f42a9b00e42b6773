"""Networks for tests of exports and imports."""

import numpy as np

from tinycnn.nn import build

ODD = {
    "rows": ("Dense(5) BatchNorm ReLU Dense(3)", (7,)),
    "probabilities": ("Flatten Dense(3) Softmax", (4, 5, 2)),
    "normalized rows": (
        "Conv2D(3, 2) MaxPool2D(2) Flatten BatchNorm Dropout(0.3) ReLU Dense(4)",
        (7, 6, 2),
    ),
    "never flattened": ("BatchNorm Conv2D(3, 2) ReLU", (4, 5, 2)),
    "everybody's": (
        "ZeroPad2D(1, 2) Conv2D(3, 4) Tanh AveragePool2D(2) Conv2D(4, 2) LeakyReLU(0.2) "
        "ZeroPad2D(1) Conv2D(5, 3) Sigmoid GlobalAveragePool2D Dense(3)",
        (9, 8, 2),
    ),
}
"""Networks in which the order of axes matters in every possible way."""

NAMES = ["lenet", "tiny", "best", "lenet5", *ODD]


def network(name, seed=0):
    """A preset or one of ``ODD``, with all of its numbers drawn at random."""
    return randomized(build(*ODD.get(name, (name,))), seed)


def randomized(model, seed=0):
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
