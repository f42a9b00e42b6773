"""How deep inside a shape each pixel lies: the signed distance to the shape's edge.

With it the width of a line is a matter of arithmetic: a line drawn with a pen of width a is
where the depth is positive, and where it exceeds (a - b) / 2 is the line as a pen of width b
would have drawn it. Nothing has to be thinned to a skeleton.
"""

import numpy as np

from tinycnn.kernels.jit import kernel

FAR = 1e20


def signed_distance(ink: np.ndarray) -> np.ndarray:
    """Distance to the edge in pixels, positive inside, negative outside.

    ink (H,W) float, 0 to 1 -> float64 (H,W). A pixel belongs to the shape from 0.5 on; a gray
    one at the rim is cut by the edge: covered by 0.7, its center lies 0.2 pixels inside. Without
    ink all is FAR outside.
    """
    shape, depth = ink >= 0.5, ink - 0.5
    # What a path must still go from a pixel to the edge, squared; pixels off the rim have none.
    inside = np.where(shape & ((ink >= 1) | ~_next_to(~shape)), FAR, np.maximum(depth, 0) ** 2)
    outside = np.where(~shape & ((ink <= 0) | ~_next_to(shape)), FAR, np.maximum(-depth, 0) ** 2)
    for costs in (inside, outside):
        for lines in (costs, costs.T):
            _spread(lines)
    return np.sqrt(inside) - np.sqrt(outside)


def _next_to(shape: np.ndarray) -> np.ndarray:
    """Where a pixel of the shape lies above, below, left or right; (H,W) bool."""
    near = np.zeros_like(shape)
    near[1:] |= shape[:-1]
    near[:-1] |= shape[1:]
    near[:, 1:] |= shape[:, :-1]
    near[:, :-1] |= shape[:, 1:]
    return near


@kernel
def _spread(costs):
    """Each row c becomes its lower envelope, min over q of c[q] + (p - q)^2, in linear time.

    Every q contributes a parabola. ``owner`` lists those that are lowest somewhere, from left
    to right, and ``start`` the place from which each of them is. Done along one axis and then
    along the other, squared distances of the plane come out (Felzenszwalb and Huttenlocher).
    """
    H, W = costs.shape
    owner = np.empty(W, np.int64)
    start = np.empty(W + 1)
    height = np.empty(W)
    for i in range(H):
        last = -1
        for q in range(W):
            height[q] = costs[i, q]
            if height[q] >= FAR:
                continue
            place = -FAR
            while last >= 0:
                p = owner[last]
                place = (height[q] + q * q - height[p] - p * p) / (2.0 * (q - p))
                if place > start[last]:
                    break
                last -= 1
                place = -FAR
            last += 1
            owner[last], start[last], start[last + 1] = q, place, FAR
        k = 0
        for p in range(W if last >= 0 else 0):
            while start[k + 1] < p:
                k += 1
            costs[i, p] = height[owner[k]] + (p - owner[k]) ** 2
