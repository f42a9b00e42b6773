"""How a network sees an image and why it answers as it does, in numbers; nothing here draws.

Read it in this order: ``tracer`` (layer by layer), ``values`` (where a number comes from),
``filters``, ``attribution`` (why), ``nearest``, ``sgd_step`` (the backward pass, step by step).
"""

from tinycnn.interpret.attribution import class_gradient, occlusion, turn_into
from tinycnn.interpret.filters import Effect, Excitement, Switchboard, convolutions, most_exciting
from tinycnn.interpret.nearest import Gallery, Neighbor
from tinycnn.interpret.sgd_step import BackwardPass, SGDStepper
from tinycnn.interpret.tracer import SoftmaxSteps, Trace, Tracer, log_odds, softmax_steps
from tinycnn.interpret.values import (
    Moved,
    Normalized,
    Place,
    Reason,
    Rectified,
    Region,
    Share,
    WeightedSum,
    Winner,
    reason,
    receptive_field,
)

__all__ = [
    "BackwardPass",
    "Effect",
    "Excitement",
    "Gallery",
    "Moved",
    "Neighbor",
    "Normalized",
    "Place",
    "Reason",
    "Rectified",
    "Region",
    "SGDStepper",
    "Share",
    "SoftmaxSteps",
    "Switchboard",
    "Trace",
    "Tracer",
    "WeightedSum",
    "Winner",
    "class_gradient",
    "convolutions",
    "log_odds",
    "most_exciting",
    "occlusion",
    "reason",
    "receptive_field",
    "softmax_steps",
    "turn_into",
]
