"""From gray levels to ink: find the paper, take away its light, and keep the writing.

A drawing made on a screen has paper of one color, and every other color is ink. A photo has
shadows, texture and ruled lines, and its paper must be found first. Both end as an image in which
255 is ink, 0 is paper, and half ink (128) is the edge of a line.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image
from scipy import ndimage

from tinycnn.ink.bitmaps import CONNECTED, INKED, find_components, line_width
from tinycnn.ink.fragments import FLAT
from tinycnn.ink.furniture import find_ruled_lines, remove_furniture
from tinycnn.ink.strokes import Step

EVEN = 6  # gray levels: paper of a single color varies no more than this
PLAIN = 0.5  # of the pixels of a drawing are bare paper
FAINTEST = 0.1  # of the paper's gray level: smaller differences from it are no ink
PALEST = 0.15  # of it: if nearly all ink on a photo is paler, it is dirt and shadows
GRAINS = 5.0  # standard deviations of the paper's grain: ink differs by more
COARSE = 200  # pixels, longer side of the image of the paper's light
WINDOW = 17  # pixels of it: no stroke is as wide as that
SMALLEST = 10  # pixels: if components are usually smaller, they are grain
DUST = 0.5  # of the width of a drawing's line: no dot of the same pen is smaller
SPECK = 0.06  # of the usual size of components: smaller is dust
SHADOW = 0.4  # of the page's shorter side: longer components along the border are no digits
ALONG = 0.7  # of a component's length on the border: it lies along it, and does not merely touch it
END = 1.5  # of an upright component's width on the border: more than one end of it


def picture_steps(gray: np.ndarray) -> Iterator[Step]:
    """The steps from a picture, dark on light or light on dark, to the writing in it, and titles.

    gray (H,W) uint8 -> ink (H,W) uint8, 255 is ink; all 0 if nothing is written. ImageError if a
    drawing is in too many fragments.
    """
    yield "gray levels", 255 - gray
    plain = _plain_paper(gray)
    if plain is None:
        yield from _photo_steps(gray)
        return
    ink = _contrast(np.abs(gray.astype(np.float32) - plain) / 255)
    yield "difference from the paper", ink
    yield "without frames, lines and specks", _remove_specks(remove_furniture(ink))


def _photo_steps(gray: np.ndarray) -> Iterator[Step]:
    """The steps after the first one, for paper that is not of a single color."""
    gray, paper = _find_paper(gray)
    yield "the paper's light", np.rint(255 - paper).astype(np.uint8)
    smooth = ndimage.gaussian_filter(gray.astype(np.float32), 1.0)
    difference = np.clip(paper - smooth, 0, None)
    grain = 1.4826 * float(np.median(np.abs(difference - np.median(difference))))
    darkness = difference / np.maximum(paper, 1)
    darkness[difference < GRAINS * grain] = 0
    yield "darker than the paper", np.rint(255 * darkness).astype(np.uint8)
    darkness[find_ruled_lines(darkness > FAINTEST)] = 0
    yield "without ruled lines", np.rint(255 * darkness).astype(np.uint8)
    if np.count_nonzero(darkness > PALEST) < 0.2 * np.count_nonzero(darkness > FAINTEST):
        darkness[:] = 0
    ink = remove_furniture(_contrast(darkness))
    yield "without frames and shadows", _remove_dirt(ink)


def _plain_paper(gray: np.ndarray) -> float | None:
    """The gray level of the paper, if it has a single one, as a drawing has; else None."""
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    paper = float(np.median(border))
    bare = np.abs(gray.astype(np.float32) - paper) <= EVEN
    return paper if bare.mean() >= PLAIN and gray[bare].std() <= EVEN / 3 else None


def _contrast(difference: np.ndarray) -> np.ndarray:
    """Scale so that ink of the usual strength becomes 255; ``FAINTEST`` and below become 0."""
    inked = difference[difference > FAINTEST]
    if not inked.size:
        return np.zeros(difference.shape, np.uint8)
    usual = float(np.percentile(inked, 80))
    ink = np.where(difference > FAINTEST, np.minimum(difference / usual, 1), 0)
    return np.asarray(np.rint(255 * ink), np.uint8)


def _find_paper(gray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The picture, inverted if it is light on dark, and the gray level of its paper everywhere.

    gray (H,W) uint8 -> uint8 and float32 (H,W). The paper's light changes slowly: on a coarse image
    of the page, a gray closing (the lowest of the highest levels nearby) fills in strokes, and the
    paper remains.
    """
    H, W = gray.shape
    scale = COARSE / max(H, W)
    size = max(round(W * scale), 1), max(round(H * scale), 1)
    coarse = np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX), np.float32)
    coarser = coarse[::4, ::4]  # every fourth pixel: the window is four times as wide on the page
    if ((coarser - ndimage.median_filter(coarser, WINDOW)) ** 3).sum() > 0:  # mostly lighter ink
        gray, coarse = 255 - gray, 255 - coarse
    light = ndimage.gaussian_filter(ndimage.grey_closing(coarse, (WINDOW, WINDOW)), WINDOW / 4)
    return gray, np.asarray(Image.fromarray(light).resize((W, H), Image.Resampling.BILINEAR))


def _remove_specks(ink: np.ndarray) -> np.ndarray:
    """Remove the dust that scanners and fax machines leave on a drawing, ink (H,W) uint8."""
    components = find_components(ink)
    ink, least = ink.copy(), DUST * line_width(components)
    for component in components:
        if max(component.ink.shape) < least:
            ink[component.place()][component.ink >= INKED] = 0
    return ink


def _remove_dirt(ink: np.ndarray) -> np.ndarray:
    """Remove specks of dust, and shadows and lines along the border."""
    labels, count = ndimage.label(ink >= INKED, CONNECTED)
    if not count:
        return ink
    boxes = ndimage.find_objects(labels)
    sides = np.array([max(y.stop - y.start, x.stop - x.start) for y, x in boxes])
    areas = np.bincount(labels.ravel())[1:]
    order = np.argsort(sides)  # the usual size is that of half of the ink, not of half the specks
    usual = sides[order][np.searchsorted(np.cumsum(areas[order]), areas.sum() / 2)]
    long = sides >= SHADOW * min(ink.shape)
    dirt = (sides < SPECK * usual) | (usual < SMALLEST) | (long & _of_the_border(labels, boxes))
    return np.where(np.concatenate([[False], dirt])[labels], 0, ink).astype(np.uint8)


def _of_the_border(labels: np.ndarray, boxes: list[tuple[slice, slice]]) -> np.ndarray:
    """Which components are shadows and lines rather than digits that touch the border; (n,) bool.

    A shadow lies along the border. A thin component is a line if it is flat; if it is upright, it
    may be a 1, but a 1 touches the border with one end at most.
    """
    H, W = labels.shape
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    contact = np.bincount(edge, minlength=len(boxes) + 1)[1:]
    top, bottom, left, right = np.array([(y.start, y.stop, x.start, x.stop) for y, x in boxes]).T
    height, width = bottom - top, right - left
    flat, upright = height < FLAT * width, width < FLAT * height
    sides = sum((top == 0, bottom == H, left == 0, right == W))
    along = contact >= ALONG * np.maximum(height, width)
    more = upright & ((sides > 1) | (contact > END * width))
    return np.asarray((contact > 0) & (along | more | flat))
