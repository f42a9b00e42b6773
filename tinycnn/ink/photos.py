"""From gray levels to ink: find the paper, take away its light, and keep what was written on it.

A drawing made on a screen has paper of one color, and ink is what differs from it. A photo has
shadows, texture and ruled lines, and its paper must be found first. Both end as the same thing:
an image in which 255 is ink and 0 is paper, and half ink (128) is the edge of a line.
"""

import numpy as np
from PIL import Image
from scipy import ndimage

from tinycnn.ink.bitmaps import INKED
from tinycnn.ink.components import CONNECTED, find_components, pen_of
from tinycnn.ink.lines import FLAT
from tinycnn.ink.ruled_lines import find_ruled_lines
from tinycnn.ink.trace import Show, unseen

EVEN = 6  # gray levels: paper of a single color varies no more than this
PLAIN = 0.5  # of the pixels of a drawing are bare paper
FAINTEST = 0.1  # of the paper's gray level: what differs less from it is not seen
PALEST = 0.2  # of it: if all that is seen on a photo is paler, it is dirt and shadows
GRAINS = 5.0  # standard deviations of the paper's grain: ink differs by more
COARSE = 200  # pixels, longer side of the image of the paper's light
WINDOW = 17  # pixels of it: no stroke is as wide as that
SMALLEST = 10  # pixels: if what is written is usually smaller, it is grain
DUST = 0.5  # of the width of a drawing's line: no dot of the same pen is smaller
SPECK = 0.06  # of the usual height of what is written: smaller is dust
SHADOW = 0.4  # of the page's shorter side: longer components along the border are no digits
ALONG = 0.7  # of a component's length on the border: it lies along it, and does not merely touch it
END = 1.5  # of an upright component's width on the border: more than one end of it
PURE = 0.9  # of a component's ink is a line: nothing else hangs on it
LONGER = 1.5  # times the tallest writing: a thinner line beside it is no digit
WIDEST = 3.0  # times: no digit is so wide
THINNER = 0.7  # of the width of the writing's line
SMALL = 0.1  # of a line's length: what is smaller is a dot beside a 1, no writing beside a line


def picture_to_ink(gray: np.ndarray, show: Show = unseen) -> np.ndarray:
    """What is written in a picture, dark on light or light on dark.

    gray (H,W) uint8 -> ink (H,W) uint8, 255 is ink; all 0 where nothing is written. ImageError
    if a drawing is in too many pieces.
    """
    show("gray levels", 255 - gray)
    plain = plain_paper(gray)
    if plain is not None:
        ink = _contrast(np.abs(gray.astype(np.float32) - plain) / 255, FAINTEST)
        show("difference from the paper", ink)
        ink = np.where(_drawn_lines(ink), 0, ink)
        ink = np.where(_specks(ink), 0, ink)
        show("without specks, and lines beside the writing", ink)
        return ink
    paper, difference = _flatten(gray, show)
    grain = 1.4826 * float(np.median(np.abs(difference - np.median(difference))))
    darkness = difference / paper
    darkness[difference < GRAINS * grain] = 0
    show("darker than the paper", np.rint(255 * darkness).astype(np.uint8))
    darkness[find_ruled_lines(darkness > FAINTEST)] = 0
    show("without ruled lines", np.rint(255 * darkness).astype(np.uint8))
    if np.count_nonzero(darkness > PALEST) < 0.2 * np.count_nonzero(darkness > FAINTEST):
        darkness[:] = 0
    ink = _remove_dirt(_contrast(darkness, FAINTEST))
    show("contrast, without specks and shadows", ink)
    return ink


def plain_paper(gray: np.ndarray) -> float | None:
    """The gray level of the paper, if it has a single one, as a drawing has; else None."""
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    paper = float(np.median(border))
    bare = np.abs(gray.astype(np.float32) - paper) <= EVEN
    return paper if bare.mean() >= PLAIN and gray[bare].std() <= EVEN / 3 else None


def _contrast(difference: np.ndarray, faintest: float) -> np.ndarray:
    """Scale so that ink of the usual strength becomes 255; nothing below ``faintest`` is ink."""
    inked = difference[difference > faintest]
    if not inked.size:
        return np.zeros(difference.shape, np.uint8)
    usual = float(np.percentile(inked, 80))
    ink = np.where(difference > faintest, np.minimum(difference / usual, 1), 0)
    return np.rint(255 * ink).astype(np.uint8)


def _flatten(gray: np.ndarray, show: Show) -> tuple[np.ndarray, np.ndarray]:
    """The gray level of the paper everywhere, and how much darker each pixel is; (H,W) float32.

    Light ink on dark paper is turned round first. The paper's light changes slowly: on a coarse
    image of the page, a gray closing (the lowest of the highest levels nearby) fills in strokes,
    and what remains is the paper.
    """
    H, W = gray.shape
    scale = COARSE / max(H, W)
    size = max(round(W * scale), 1), max(round(H * scale), 1)
    coarse = np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BOX), np.float32)
    if _is_light_on_dark(coarse):
        gray, coarse = 255 - gray, 255 - coarse
    light = ndimage.gaussian_filter(ndimage.grey_closing(coarse, (WINDOW, WINDOW)), WINDOW / 4)
    paper = np.asarray(Image.fromarray(light).resize((W, H), Image.Resampling.BILINEAR))
    show("the paper's light", np.rint(255 - paper).astype(np.uint8))
    smooth = ndimage.gaussian_filter(gray.astype(np.float32), 1.0)
    return np.maximum(paper, 1), np.clip(paper - smooth, 0, None)


def _is_light_on_dark(coarse: np.ndarray) -> bool:
    """Whether what stands out from its wider surroundings is mostly lighter than they are."""
    coarser = coarse[::4, ::4]  # every fourth pixel: the window is four times as wide on the page
    return bool(((coarser - ndimage.median_filter(coarser, WINDOW)) ** 3).sum() > 0)


def _drawn_lines(ink: np.ndarray) -> np.ndarray:
    """Underlines, axes and margins of a drawing, ink (H,W) uint8 -> (H,W) bool.

    A line on plain paper may be a 1, or the bar of a 7. It is neither if it is far wider than all
    else is tall, or if it stands alone, longer and thinner than the writing beside it.
    """
    inked = ink >= INKED
    rules = find_ruled_lines(inked)
    rest = find_components(np.where(rules, 0, ink)) if rules.any() else []
    if not rest:
        return np.zeros_like(rules)
    tallest, pen = max(len(component.ink) for component in rest), pen_of(rest)
    labels, _ = ndimage.label(inked, CONNECTED)
    drawn = np.zeros_like(rules)
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        component = labels[place] == number
        H, W = component.shape
        length, ruled = max(H, W), np.count_nonzero(component & rules[place])
        alone = ruled >= PURE * np.count_nonzero(component) and tallest >= SMALL * length
        thin = ruled <= THINNER * pen * (H + W)  # the axes of a plot are two lines in one component
        if WIDEST * tallest <= W or (alone and thin and length >= LONGER * tallest):
            drawn[place] |= component & rules[place]
    return drawn


def _specks(ink: np.ndarray) -> np.ndarray:
    """The dust of a drawing, as scanners and fax machines leave it; (H,W) uint8 -> (H,W) bool."""
    components = find_components(ink)
    specks = np.zeros(ink.shape, bool)
    least = DUST * pen_of(components)
    for component in components:
        H, W = component.ink.shape
        if max(H, W) < least:
            specks[component.top : component.top + H, component.left : component.left + W] |= (
                component.ink >= INKED
            )
    return specks


def _remove_dirt(ink: np.ndarray) -> np.ndarray:
    """Without specks of dust and without what lies along the border or crosses the page."""
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

    A shadow lies along the border. What is thin for its length is a line if it is flat; upright,
    it may be a 1, but a 1 touches the border with one end at most.
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
    return (contact > 0) & (along | more | flat)
