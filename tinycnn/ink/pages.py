"""Whole pages, whatever they come as: a picture file, a bitmap, a drawing, or an MNIST image."""

from dataclasses import replace

from tinycnn.data.mnist import is_prepared
from tinycnn.ink.photos import picture_to_ink
from tinycnn.ink.pictures import Picture
from tinycnn.ink.reading import Digit, Reading, read_bitmap, read_images
from tinycnn.ink.trace import Show, unseen
from tinycnn.nn.classifier import Recognizer


def read_picture(picture: Picture, recognizer: Recognizer, show: Show = unseen) -> Reading:
    """Read all digits in a picture; boxes are in pixels of its file.

    A picture that is an MNIST image already, in size and place, goes to the network untouched.
    """
    for gray in (picture.gray, 255 - picture.gray):
        if is_prepared(gray):
            show("prepared already", gray)
            return read_images(gray[None], recognizer)[0]
    reading = read_bitmap(picture_to_ink(picture.gray, show), recognizer, show)
    return replace(reading, digits=tuple(_scaled(d, picture.scale) for d in reading.digits))


def _scaled(digit: Digit, scale: float) -> Digit:
    x, y, width, height = digit.box
    return replace(digit, box=(x * scale, y * scale, width * scale, height * scale))
