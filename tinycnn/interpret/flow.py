"""The ways through a network: which numbers of the stages before made a number what it is.

A stage is a layer that sums: a convolution or a dense layer. Between two stages, pooling and the
like pass a number on.
"""

import itertools
from typing import NamedTuple

import numpy as np

from tinycnn.interpret.tracer import Trace, Tracer
from tinycnn.interpret.values import Place, block, inputs_of, weighted_sum
from tinycnn.nn import MaxPool2D
from tinycnn.nn.fusion import own

Spot = tuple[int, Place]
"""A number: its layer, -1 for the input, and its index in the output."""

WAYS = (6, 2, 2, 1)  # are followed back from a number, and from each of those; then 1


class Link(NamedTuple):
    """A part of a sum: ``target`` got ``share`` from ``source``."""

    source: Spot
    target: Spot
    share: float


def stages(tracer: Tracer) -> list[int]:
    """Return the layers that sum."""
    layers = enumerate(tracer.layers)
    return [k for k, layer in layers if "w" in layer.params and layer.params["w"].ndim > 1]


def activation(tracer: Tracer, index: int) -> int:
    """Return the layer that gives the output of stage ``index`` after all that acts on numbers."""
    shapes, end, found = tracer.shapes[1:], len(tracer.layers), stages(tracer)
    later = (k for k in range(index + 1, end) if k in found or shapes[k] != shapes[index])
    return next(later, end) - 1


def flow(tracer: Tracer, trace: Trace, spot: Spot | None = None) -> list[Link]:
    """Return the strongest ways from the input to a number; None: to the likeliest class."""
    found = stages(tracer)
    if not found:
        return []
    last = trace.outputs[found[-1]]
    best = tuple(map(int, np.unravel_index(last.argmax(), last.shape)))
    links, spots = [], [spot or (found[-1], best)]
    counts = itertools.chain(WAYS, itertools.repeat(1))
    while spots:
        count = next(counts)
        new = [link for target in spots for link in _parts(tracer, trace, target, count)]
        links += new
        spots = list({link.source: None for link in new if link.source[0] >= 0})
    return links


def _parts(tracer: Tracer, trace: Trace, target: Spot, count: int) -> list[Link]:
    """Return the largest parts of the sum behind a number."""
    index, place = target
    products, links = weighted_sum(tracer, trace, index, place).products, []
    for flat in np.argsort(-np.abs(products), axis=None)[:count]:
        at = tuple(map(int, np.unravel_index(flat, products.shape)))
        source = (place[0] + at[0], place[1] + at[1], at[2]) if len(at) == 3 else at
        origin = _origin(tracer, trace, index - 1, source)
        links.append(Link(origin, target, float(products[at])))
    return links


def _origin(tracer: Tracer, trace: Trace, index: int, place: Place) -> Spot:
    """Return the number of a stage, or of the input, that is passed on to a place of a layer.

    Where a layer computes it from several, that is the largest of them.
    """
    while index >= 0 and index not in stages(tracer):
        layer, x = tracer.layers[index], trace.input_of(index)
        region = inputs_of(layer, block(place), x.shape)
        sizes = x[region] if isinstance(own(layer), MaxPool2D) else np.abs(x[region])
        first = np.unravel_index(sizes.argmax(), sizes.shape)
        place = tuple(z.start + int(at) for z, at in zip(region, first, strict=True))
        index -= 1
    return index, place
