"""Pieces of HTML for notebooks: pictures, tables and boxes, which objects show themselves with.

A notebook asks an object for ``_repr_html_``. Text comes escaped, pictures are inside, nothing is
fetched, and colors are those of the notebook, light or dark.
"""

import base64
import html
import io
from collections.abc import Iterable, Sequence

import numpy as np

DIGIT = "filter: invert(1); image-rendering: pixelated; border: 1px solid #888"
"""The style of an image that holds 255 for ink: dark ink on light paper."""

Box = tuple[float, float, float, float]
"""x, y, width, height."""


def digit_uri(image: np.ndarray) -> str:
    """An image (H,W) uint8 as a PNG file inside its address."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def table(head: Sequence[object], *rows: Sequence[object]) -> str:
    """A table; the first column names the rows."""
    top = "".join(f"<th>{html.escape(str(cell))}</th>" for cell in head)
    body = ""
    for first, *cells in rows:
        others = "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells)
        body += f"<tr><th style='text-align: left'>{html.escape(str(first))}</th>{others}</tr>"
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def gallery(images: Iterable[np.ndarray], captions: Iterable[str]) -> str:
    """Digits (H,W) uint8 in rows as wide as the page, with captions."""
    figures = "".join(
        f"<figure style='margin: 4px; text-align: center'><img src='{digit_uri(image)}' width='56' "
        f"style='{DIGIT}'><figcaption>{html.escape(caption)}</figcaption></figure>"
        for image, caption in zip(images, captions, strict=True)
    )
    return f"<div style='display: flex; flex-wrap: wrap'>{figures}</div>"


def boxes(images: Sequence[np.ndarray], places: Sequence[Box], labels: Sequence[str]) -> str:
    """Digits (H,W) uint8 drawn where they were read, in frames with labels."""
    x0, y0 = (min(place[axis] for place in places) for axis in (0, 1))
    x1, y1 = (max(place[axis] + place[axis + 2] for place in places) for axis in (0, 1))
    line = max(place[3] for place in places)  # the height of the tallest digit
    body = ""
    for image, (x, y, width, height), label in zip(images, places, labels, strict=True):
        rows, columns = (np.flatnonzero(image.any(axis=axis)) for axis in (1, 0))
        ink = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        area = f"x='{x:g}' y='{y:g}' width='{width:g}' height='{height:g}'"
        body += (
            f"<image href='{digit_uri(ink)}' {area} preserveAspectRatio='none' "
            f"style='filter: invert(1)'/><rect {area} fill='none' stroke='#0a5ac8' "
            f"stroke-width='{line / 50:g}'/><text x='{x:g}' y='{y - line / 12:g}' "
            f"font-size='{line / 6:g}' fill='#0a5ac8'>{html.escape(label)}</text>"
        )
    view = f"{x0 - line / 4:g} {y0 - line / 2:g} {x1 - x0 + line:g} {y1 - y0 + line:g}"
    size = f"viewBox='{view}' style='background: white; max-height: 20em; max-width: 100%'"
    return f"<svg xmlns='http://www.w3.org/2000/svg' {size}>{body}</svg>"
