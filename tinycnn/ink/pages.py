"""Whole pages, whatever they come as: a picture file, a bitmap, a drawing, or an MNIST image."""

from dataclasses import replace

from tinycnn.ink.normalise import is_prepared
from tinycnn.ink.photos import picture_to_ink
from tinycnn.ink.pictures import Picture
from tinycnn.ink.reading import Digit, Reading, read_bitmap, read_images
from tinycnn.ink.recogniser import Recogniser
from tinycnn.ink.steps import Show, unseen


def read_picture(picture: Picture, recogniser: Recogniser, show: Show = unseen) -> Reading:
    """Read all digits in a picture; boxes are in pixels of its file.

    A picture that is an MNIST image already, in size and place, goes to the network untouched.
    """
    for grey in (picture.grey, 255 - picture.grey):
        if is_prepared(grey):
            show("prepared already", grey)
            return read_images(grey[None], recogniser)[0]
    reading = read_bitmap(picture_to_ink(picture.grey, show), recogniser, show)
    return replace(reading, digits=tuple(_scaled(d, picture.scale) for d in reading.digits))


def _scaled(digit: Digit, scale: float) -> Digit:
    x, y, width, height = digit.box
    return replace(digit, box=(x * scale, y * scale, width * scale, height * scale))
