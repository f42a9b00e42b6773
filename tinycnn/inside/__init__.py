"""What a network sees and why it answers as it does, in numbers; nothing here draws.

Read it in this order: ``anatomy`` (layer by layer), ``values`` (where a number comes from),
``filters``, ``reasons`` (why), ``neighbours``, ``lesson`` (the way back, one step at a time).
"""

from tinycnn.inside.anatomy import Anatomy, SoftmaxSteps, Trace, log_odds, softmax_steps
from tinycnn.inside.filters import Effect, Excitement, Switchboard, convolutions, most_exciting
from tinycnn.inside.lesson import Lesson, WayBack
from tinycnn.inside.neighbours import Gallery, Neighbour
from tinycnn.inside.reasons import class_gradient, occlusion, turn_into
from tinycnn.inside.values import (
    Moved,
    Normalised,
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
    "Anatomy",
    "Effect",
    "Excitement",
    "Gallery",
    "Lesson",
    "Moved",
    "Neighbour",
    "Normalised",
    "Place",
    "Reason",
    "Rectified",
    "Region",
    "Share",
    "SoftmaxSteps",
    "Switchboard",
    "Trace",
    "WayBack",
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
