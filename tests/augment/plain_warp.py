"""``tinycnn.augment.warp`` as NumPy expressions, which the compiled loops are compared with."""

import numpy as np

from tinycnn.augment.warp import CELL, grid_size, splines


def warp_reference(images, affine, elastic, thickness):
    """The same as ``warp`` in NumPy and float64: (B,H,W), not rounded to whole gray levels."""
    B, H, W = images.shape
    here = np.indices((H, W))
    center = np.array([(H - 1) / 2, (W - 1) / 2])
    straight = np.einsum("nab,bij->nija", affine[:, :, :2], here - center[:, None, None])
    wavy = np.einsum("ia,jb,nabz->nijz", spread(H), spread(W), elastic)
    places = straight + (center + affine[:, :, 2])[:, None, None] + wavy
    framed = np.pad(images.astype(np.float64), ((0, 0), (1, 1), (1, 1)))
    moved = np.zeros((B, H + 2, W + 2))
    for n in range(B):
        moved[n, 1:-1, 1:-1] = _read_linearly(framed[n], places[n] + 1)
    return _thickened(moved, thickness[:, None, None])


def spread(length):
    """The weights (length, nodes) of all nodes for each pixel, most of them 0."""
    weights = np.zeros((length, grid_size(length)))
    for pixel, four in enumerate(splines(length)):
        weights[pixel, pixel // CELL : pixel // CELL + 4] = four
    return weights


def _read_linearly(framed, places):
    """Every pixel weighs in by how near it is, from 1 on the spot to 0 one pixel away."""
    weights = [
        np.maximum(0, 1 - abs(np.clip(places[..., axis, None], 0, size - 1) - np.arange(size)))
        for axis, size in enumerate(framed.shape)
    ]
    return np.einsum("uv,iju,ijv->ij", framed, *weights)


def _thickened(framed, thickness):
    cross = [framed[:, 1:-1, 1:-1], framed[:, :-2, 1:-1], framed[:, 2:, 1:-1]]
    cross += [framed[:, 1:-1, :-2], framed[:, 1:-1, 2:]]
    extreme = np.where(thickness > 0, np.max(cross, axis=0), np.min(cross, axis=0))
    return cross[0] + abs(thickness) * (extreme - cross[0])
