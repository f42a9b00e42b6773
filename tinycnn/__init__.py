"""A convolutional network that you can read in an afternoon.

>>> import tinycnn
>>> model = tinycnn.build("lenet", seed=0)
>>> model.parameter_count()
184586

The public names are imported when they are first used, so that ``--help`` of a command does not
wait for the compiler.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "tinycnn.data": ["Dataset", "load_dataset", "read_idx", "write_idx"],
    "tinycnn.errors": ["TinyCNNError"],
    "tinycnn.metrics": ["measure"],
    "tinycnn.predict.api": ["load", "read"],
    "tinycnn.train.callbacks": ["Callback", "MLflow", "TensorBoard", "WandB"],
    "tinycnn.train.fitting": ["fit"],
    "tinycnn.train.parts": ["register"],
    "tinycnn.train.progress": ["Progress"],
    "tinycnn.nn": ["Conv2D", "Dense", "Flatten", "Layer", "MaxPool2D", "ReLU", "Softmax"]
    + ["AveragePool2D", "BatchNorm", "Dropout", "GlobalAveragePool2D", "LeakyReLU", "Sigmoid"]
    + ["Tanh", "ZeroPad2D", "SGD", "Adam", "SoftmaxCrossEntropy", "Sequential", "Frozen"]
    + ["build", "set_threads"],
}
"""For type checkers, the same names are in ``__init__.pyi``."""

_HOMES_BY_EXTRA = {"tinycnn.estimator": ["DigitClassifier"]}
"""Names that need an extra; ``import *`` leaves them out."""

__all__ = [name for names in _HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    for home, names in (_HOMES | _HOMES_BY_EXTRA).items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
