"""How a network sees an image and why it answers as it does, in numbers; nothing here draws.

Read it in this order: ``tracer`` (layer by layer), ``values`` (where a number comes from),
``filters``, ``attribution`` (why), ``sgd_step`` (the backward pass, step by step).
"""

from tinycnn.interpret.attribution import NearestNeighbors, class_gradient, occlusion
from tinycnn.interpret.filters import (
    Effect,
    FilterAblation,
    convolutions,
    max_activations,
)
from tinycnn.interpret.sgd_step import BackwardPass, SGDStepper
from tinycnn.interpret.tracer import SoftmaxSteps, Trace, Tracer, log_odds, softmax_steps
from tinycnn.interpret.values import (
    Computation,
    Copied,
    Maximum,
    Normalized,
    Place,
    Probability,
    Rectified,
    Region,
    WeightedSum,
    computation,
    receptive_field,
)

__all__ = [
    "BackwardPass",
    "Computation",
    "Copied",
    "Effect",
    "FilterAblation",
    "Maximum",
    "NearestNeighbors",
    "Normalized",
    "Place",
    "Probability",
    "Rectified",
    "Region",
    "SGDStepper",
    "SoftmaxSteps",
    "Trace",
    "Tracer",
    "WeightedSum",
    "class_gradient",
    "computation",
    "convolutions",
    "log_odds",
    "max_activations",
    "occlusion",
    "receptive_field",
    "softmax_steps",
]
