"""From a person's ink to 28 x 28 pixels, and to the number that was written.

One path for the sketchpad, the command line and the tests. Read it in this order: ``normalize``
(what MNIST did), ``pen`` and ``strokes`` (drawings), ``distance`` and ``bitmaps`` (pixels),
``photos`` (paper); then several digits: ``pieces``, ``lines``, ``cuts``, ``segmentation`` and
``reading``.
"""

from tinycnn.data.mnist import center
from tinycnn.ink.annotate import draw_boxes, draw_drawing, percent
from tinycnn.ink.bitmaps import bitmap_to_image, shrink
from tinycnn.ink.drawings import Drawing, parse_drawing, read_drawings
from tinycnn.ink.fragments import to_image
from tinycnn.ink.pages import read_picture
from tinycnn.ink.photos import picture_to_ink
from tinycnn.ink.pictures import Picture, decode_picture, read_file
from tinycnn.ink.reading import Digit, Memory, Reading, read_bitmap, read_images, read_strokes
from tinycnn.ink.records import as_record
from tinycnn.ink.strokes import check_strokes, paper_to_image, strokes_to_image
from tinycnn.ink.trace import Steps
from tinycnn.nn.classifier import Opinion, Recognizer, network_input

__all__ = [
    "Digit",
    "Drawing",
    "Memory",
    "Opinion",
    "Picture",
    "Reading",
    "Recognizer",
    "Steps",
    "as_record",
    "bitmap_to_image",
    "center",
    "check_strokes",
    "decode_picture",
    "draw_boxes",
    "draw_drawing",
    "network_input",
    "paper_to_image",
    "parse_drawing",
    "percent",
    "picture_to_ink",
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
