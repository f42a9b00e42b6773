"""How a network sees an image and why it answers as it does, in numbers; nothing here draws.

Read it in this order: ``tracer`` (layer by layer), ``values`` (where a number comes from),
``flow`` (which numbers made it), ``filters``, ``attribution`` (why), ``sgd_step`` (the backward
pass, step by step).
"""

from tinycnn.interpret.attribution import NearestNeighbors, class_gradient, occlusion
from tinycnn.interpret.filters import (
    Effect,
    FilterAblation,
    convolutions,
    max_activations,
)
from tinycnn.interpret.flow import Link, Spot, activation, flow, output_shape, stages
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
    "Link",
    "Maximum",
    "NearestNeighbors",
    "Normalized",
    "Place",
    "Probability",
    "Rectified",
    "Region",
    "SGDStepper",
    "SoftmaxSteps",
    "Spot",
    "Trace",
    "Tracer",
    "WeightedSum",
    "activation",
    "class_gradient",
    "computation",
    "convolutions",
    "flow",
    "log_odds",
    "max_activations",
    "occlusion",
    "output_shape",
    "receptive_field",
    "softmax_steps",
    "stages",
]
