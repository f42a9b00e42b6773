"""From a person's ink to 28 x 28 pixels, and to the number that was written.

The sketchpad, the command line and the tests share one path. Read it in this order:
``strokes`` (drawings), ``bitmaps`` (pixels), ``photos`` and ``furniture`` (paper); then several
digits: ``fragments``, ``segmentation``, ``windows``, ``lines`` and ``reading``.
"""

from tinycnn.ink.bitmaps import bitmap_to_image
from tinycnn.ink.drawings import Drawing, read_drawings
from tinycnn.ink.pictures import Picture, decode_picture, read_file
from tinycnn.ink.reading import read_bitmap, read_images, read_picture, read_strokes
from tinycnn.ink.results import Digit, Reading
from tinycnn.ink.strokes import strokes_to_image
from tinycnn.nn.classifier import Recognizer

__all__ = ["Digit", "Drawing", "Picture", "Reading", "Recognizer", "bitmap_to_image"]
__all__ += ["decode_picture", "read_bitmap", "read_drawings", "read_file", "read_images"]
__all__ += ["read_picture", "read_strokes", "strokes_to_image"]
