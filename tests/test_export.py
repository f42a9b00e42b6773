"""python -m tinycnn.export: other programs compute what the network here computes."""

import numpy as np
import pytest

from tinycnn import export
from tinycnn.cli import run_door
from tinycnn.exchange.outgoing import export as write
from tinycnn.nn import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    Softmax,
    build,
)

pytestmark = pytest.mark.usefixtures("one_thread")

onnx = pytest.importorskip("onnx")

NETWORKS = {
    "rows": ([Dense(5), BatchNorm(), ReLU(), Dense(3)], (7,)),
    "probabilities": ([Flatten(), Dense(3), Softmax()], (4, 5, 2)),
    "normalised rows": (
        [Conv2D(3, 2), MaxPool2D(2), Flatten(), BatchNorm(), Dropout(0.3), ReLU(), Dense(4)],
        (7, 6, 2),
    ),
    "flattened last": ([Conv2D(3, 2), Flatten(), BatchNorm(), Softmax()], (4, 3, 2)),
    "never flattened": ([BatchNorm(), Conv2D(3, 2), ReLU()], (4, 5, 2)),
    "flattened twice": ([Conv2D(3, 3), Flatten(), Flatten(), Dense(3)], (5, 5, 1)),
}
"""Sequentials in which the order of axes matters in every possible way."""


def randomised(model, seed=0):
    """All of its arrays drawn at random; variances are positive."""
    rng = np.random.default_rng(seed)
    for name, z in model.arrays().items():
        z[...] = rng.uniform(0.5, 2, z.shape) if "variance" in name else rng.normal(size=z.shape)
    return model


@pytest.fixture(params=["lenet", "tiny", "best", *NETWORKS])
def model(request):
    if request.param in NETWORKS:
        return randomised(Sequential(*NETWORKS[request.param]))
    return build(request.param)


def call(*words):
    return run_door(export.main, [str(word) for word in words])


def test_onnxruntime_computes_the_same(model, tmp_path):
    pytest.importorskip("onnxruntime")
    report = write(model, "onnx", tmp_path / "x.onnx")

    assert report.verification.labels_equal == report.verification.images >= 200
    assert report.verification.largest_difference < 1e-5 * max(
        1, report.verification.largest_output
    )
