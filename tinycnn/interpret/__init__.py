"""How a network sees an image and why it answers as it does, in numbers; nothing here draws.

Read it in this order: ``tracer`` (layer by layer), ``values`` (where a number comes from),
``flow`` (which numbers made it), ``filters``, ``attribution`` (why), ``sgd_step`` (the backward
pass, step by step).
"""

from tinycnn.interpret.attribution import NearestNeighbors, class_gradient, occlusion
from tinycnn.interpret.filters import Effect, FilterAblation, convolutions
from tinycnn.interpret.flow import Link, Spot, activation, flow, stages
from tinycnn.interpret.sgd_step import BackwardPass, after_step, backward_pass
from tinycnn.interpret.tracer import Trace, Tracer
from tinycnn.interpret.values import Region, WeightedSum, receptive_field, weighted_sum

__all__ = ["BackwardPass", "Effect", "FilterAblation", "Link", "NearestNeighbors", "Region", "Spot"]
__all__ += ["Trace", "Tracer", "WeightedSum", "activation", "after_step", "backward_pass"]
__all__ += ["class_gradient", "convolutions", "flow", "occlusion", "receptive_field", "stages"]
__all__ += ["weighted_sum"]
