"""From a person's ink to 28 x 28 pixels, and to the number that was written.

The sketchpad, the command line and the tests share one path. Read it in this order: ``rasterize``
and ``strokes`` (drawings), ``bitmaps`` (pixels), ``photos`` (paper); then several digits:
``fragments``, ``seams``, ``segmentation`` and ``reading``.
"""

from tinycnn.ink.annotate import draw_boxes, draw_drawing, percent
from tinycnn.ink.bitmaps import bitmap_to_image, shrink
from tinycnn.ink.drawings import Drawing, parse_drawing, read_drawings
from tinycnn.ink.pictures import Picture, decode_picture, read_file
from tinycnn.ink.reading import (
    Digit,
    PredictionCache,
    Reading,
    as_record,
    read_bitmap,
    read_images,
    read_picture,
    read_strokes,
    to_image,
)
from tinycnn.ink.strokes import check_strokes, paper_to_image, strokes_to_image
from tinycnn.ink.trace import draw_trace
from tinycnn.nn.classifier import Recognizer, network_input

__all__ = [
    "Digit",
    "Drawing",
    "Picture",
    "PredictionCache",
    "Reading",
    "Recognizer",
    "as_record",
    "bitmap_to_image",
    "check_strokes",
    "decode_picture",
    "draw_boxes",
    "draw_drawing",
    "draw_trace",
    "network_input",
    "paper_to_image",
    "parse_drawing",
    "percent",
    "read_bitmap",
    "read_drawings",
    "read_file",
    "read_images",
    "read_picture",
    "read_strokes",
    "shrink",
    "strokes_to_image",
    "to_image",
]
