"""Attribution: which pixels the answer depends on, by occlusion and by gradients.

Occlusion really covers the image, one patch at a time; a gradient tells about all pixels at once,
but only for a very small change. Trust them where they agree.
"""

import numpy as np

from tinycnn.interpret.tracer import Tracer, log_odds

PATCH = 5  # pixels, side of the patch that covers
AT_ONCE = 1024  # covered images; all there are of 28 x 28


def occlusion(tracer: Tracer, x: np.ndarray, label: int, size: int = PATCH) -> np.ndarray:
    """Return how much less sure of ``label`` the network is when a patch covers each place.

    The patch is blank paper, ``size`` x ``size``, centered on the pixel and cut off at the border.
    The map holds how far the log-odds of ``label`` fall:

        map[i,j] = log_odds(x) - log_odds(x with 0 where |h - i| and |w - j| are at most size // 2)

    x (1, *input_shape), ``size`` odd  ->  map (H,W); above 0: the covered ink supports ``label``
    """
    H, W, _ = tracer.image_shape
    image = x.reshape(tracer.image_shape)
    rows, columns = (
        [slice(max(i - size // 2, 0), i + size // 2 + 1) for i in range(length)]
        for length in (H, W)
    )
    # A patch over blank paper hides nothing, so such places are skipped.
    places = [(i, j) for i in range(H) for j in range(W) if image[rows[i], columns[j]].any()]
    before = log_odds(tracer.logits(x), label)
    drop = np.zeros((H, W))
    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        covered = np.repeat(image[None], len(some), axis=0)
        for copy, (i, j) in zip(covered, some, strict=True):
            copy[rows[i], columns[j]] = 0
        after = log_odds(tracer.logits(covered.reshape(-1, *tracer.input_shape)), label)
        drop[tuple(np.transpose(some))] = before - after
    return drop


def class_gradient(
    tracer: Tracer, x: np.ndarray, label: int, rather_than: int | None = None
) -> np.ndarray:
    """Return the gradient of the logit of ``label``, less that of ``rather_than`` if given.

        dx = d logits[label] / dx - d logits[rather_than] / dx

    For one class, x * dx is how much each pixel adds to its logit. The difference of two classes
    shows how to turn one answer into the other: add ink where it is positive, remove it where
    it is negative.

    x (1, *input_shape)  ->  dx (*input_shape)
    """
    logits = tracer.trace(x, training=True).logits
    dlogits = np.zeros_like(logits)
    dlogits[label] += 1
    if rather_than is not None:
        dlogits[rather_than] -= 1
    return tracer.backward(dlogits)[0] if tracer.layers else dlogits


def adversarial_steps(
    tracer: Tracer, x: np.ndarray, label: int, step: float = 0.5, most: int = 50
) -> list[np.ndarray]:
    """Return the images from x (1, *input_shape) to one that the network classifies as ``label``.

    Each step follows the difference of two class gradients, has length ``step`` and stays between
    paper and ink. The steps end when ``label`` is ahead, or after ``most`` steps. To a person the
    last image looks much like the first (Szegedy et al. 2014).
    """
    images = [x]
    while len(images) <= most:
        logits = tracer.logits(images[-1])[0]
        answer = int(logits.argmax())
        dx = class_gradient(tracer, images[-1], label, answer)
        length = float(np.linalg.norm(dx))
        if answer == label or length == 0:
            break
        images.append(np.clip(images[-1] + x.dtype.type(step / length) * dx, 0, 1))
    return images
