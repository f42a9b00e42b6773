"""Why this answer: cover the image piece by piece, and ask the gradients.

Covering asks what would really happen, one patch at a time; a gradient asks all pixels at once,
but only about a very small change. Where the two agree, one may believe them.
"""

import numpy as np

from tinycnn.interpret.tracer import Tracer, log_odds

PATCH = 5  # pixels, side of the patch that covers
AT_ONCE = 1024  # covered images; all there are of 28 x 28


def occlusion(tracer: Tracer, x: np.ndarray, label: int, size: int = PATCH) -> np.ndarray:
    """How much less ``label`` is believed when a patch of paper covers the place.

    The patch, ``size`` x ``size`` with its middle on the pixel and cut off at the border, is laid
    on every pixel in turn; what counts is how far the log-odds of ``label`` fall:

        map[i,j] = log_odds(x) - log_odds(x with 0 where |h - i| and |w - j| are at most size // 2)

    x (1, *input_shape), ``size`` odd  ->  map (H,W); above 0: what was covered spoke for ``label``
    """
    H, W, _ = tracer.image_shape
    image = x.reshape(tracer.image_shape)
    windows = {
        (i, j): (_within(i, size // 2), _within(j, size // 2)) for i in range(H) for j in range(W)
    }
    # A patch over mere paper hides nothing, so such places need no look.
    places = [place for place, window in windows.items() if image[window].any()]
    before = log_odds(tracer.logits(x), label)
    drop = np.zeros((H, W))
    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        covered = np.repeat(image[None], len(some), axis=0)
        for copy, place in zip(covered, some, strict=True):
            copy[windows[place]] = 0
        after = log_odds(tracer.logits(covered.reshape(-1, *tracer.input_shape)), label)
        drop[tuple(np.transpose(some))] = before - after
    return drop


def class_gradient(
    tracer: Tracer, x: np.ndarray, label: int, rather_than: int | None = None
) -> np.ndarray:
    """How the logit of ``label`` grows with each pixel, less how that of ``rather_than`` does.

        dx = d logits[label] / dx - d logits[rather_than] / dx

    For one class, x * dx says how much each pixel adds to its logit. The difference of two says
    what would turn one answer into the other: ink where it is positive, paper where negative.

    x (1, *input_shape)  ->  dx (*input_shape)
    """
    logits = tracer.trace(x, training=True).logits
    dlogits = np.zeros_like(logits)
    dlogits[label] += 1
    if rather_than is not None:
        dlogits[rather_than] -= 1
    return tracer.backward(dlogits)[0] if tracer.layers else dlogits


def turn_into(
    tracer: Tracer, x: np.ndarray, label: int, step: float = 0.5, most: int = 50
) -> list[np.ndarray]:
    """The image x (1, *input_shape) on its way to being read as ``label``.

    Each step follows the difference of the two class gradients, ``step`` long, and stays between
    paper and ink. Ends when ``label`` is ahead, or after ``most`` steps. The result looks much as
    before: a network can be fooled by less than a person sees (Szegedy et al. 2014).
    """
    way = [x]
    while len(way) <= most:
        logits = tracer.logits(way[-1])[0]
        answer = int(logits.argmax())
        dx = class_gradient(tracer, way[-1], label, answer)
        length = float(np.linalg.norm(dx))
        if answer == label or length == 0:
            break
        way.append(np.clip(way[-1] + x.dtype.type(step / length) * dx, 0, 1))
    return way


def _within(i: int, reach: int) -> slice:
    return slice(max(i - reach, 0), i + reach + 1)
