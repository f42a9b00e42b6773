import io
import struct
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from template_network import recognizer

from benchmarks.quality.handwriting import write
from benchmarks.quality.pages import page_of, paint, photograph
from tinycnn.data import load_dataset
from tinycnn.errors import ImageError
from tinycnn.ink import bitmap_to_image, decode_picture, read_file, read_picture, read_strokes
from tinycnn.ink.photos import picture_steps
from tinycnn.ink.reading import picture_trace
from tinycnn.ink.results import draw_boxes
from tinycnn.ink.strokes import check_strokes, last
from tinycnn.predict.sources import read_items

READER = recognizer()
PAGE = 255 - page_of([stroke / 100 for stroke in write("305")], 60, 6)
PHOTO_SIZE = 160


def encode(image, kind="PNG", **options):
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(
        file, kind, **options
    )
    return file.getvalue()


def read(payload):
    return read_picture(decode_picture(payload), READER)


GRAY = Image.fromarray(PAGE)
RED = Image.merge("RGB", [Image.new("L", GRAY.size, 255), GRAY, GRAY])
HOLED = GRAY.convert("LA")
HOLED.paste((0, 0), (0, 0, 10, 10))
BLACK = Image.merge("RGBA", [Image.new("L", GRAY.size, 0)] * 3 + [Image.fromarray(255 - PAGE)])
WHITE = Image.merge("RGBA", [Image.new("L", GRAY.size, 255)] * 3 + [Image.fromarray(255 - PAGE)])
SMALLER, LARGER = ([round(side * times) for side in GRAY.size] for times in (1 / 3, 12))

VARIANTS = {
    "inverted": (255 - PAGE, "PNG"),
    "red ink": (RED, "PNG"),
    "one bit": (GRAY.convert("1"), "PNG"),
    "palette": (RED.convert("P"), "PNG"),
    "palette with transparency": (BLACK.quantize(8, Image.Quantize.FASTOCTREE), "PNG"),
    "16 bits": ((PAGE.astype(np.uint16) * 257).astype(np.uint16), "PNG"),
    "black on transparent": (BLACK, "PNG"),
    "white on transparent": (WHITE, "PNG"),
    "opaque with a hole": (HOLED, "PNG"),
    "jpeg": (GRAY, "JPEG"),
    "cmyk jpeg": (GRAY.convert("CMYK"), "JPEG"),
    "webp": (GRAY, "WEBP"),
    "bmp": (GRAY, "BMP"),
    "gif with transparency": (BLACK, "GIF"),
    "tiff": (GRAY, "TIFF"),
    "tiff of fractions": (PAGE.astype(np.float32) / 255, "TIFF"),
    "tiff of signed numbers": (PAGE.astype(np.int32) - 100, "TIFF"),
    "low contrast": ((PAGE // 4 + 100).astype(np.uint8), "PNG"),
    "huge": (GRAY.resize(LARGER), "PNG"),
    "tiny": (GRAY.resize(SMALLER, Image.Resampling.BOX), "PNG"),
}


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_same_digits_are_read_from_every_kind_of_picture(variant):
    assert read(encode(*VARIANTS[variant])).text == "305"


def test_boxes_are_in_pixels_of_the_file():
    once, large = (read(encode(image)).digits for image in (GRAY, GRAY.resize(LARGER)))
    for one, other in zip(once, large, strict=True):
        np.testing.assert_allclose(np.array(other.box) / 12, one.box, atol=1.5)


def test_faxes_and_the_first_frame_of_an_animation_are_read():
    blank = Image.new("L", GRAY.size, 255)
    assert read(encode(GRAY.convert("1"), "TIFF", compression="group4")).text == "305"
    assert read(encode(GRAY, save_all=True, append_images=[blank])).text == "305"


def places(*, most):
    return st.tuples(*[st.floats(-0.1 * side, 1.1 * side) for side in most])


@st.composite
def lines_and_dots(draw):
    """A black and white picture (H,W) uint8 of straight lines and dots, and the lines."""
    W, H = (draw(st.one_of(st.integers(1, 60), st.sampled_from([200, 500]))) for _ in "xy")
    image = Image.new("L", (W, H), 255)
    lines = draw(st.lists(st.lists(places(most=(W, H)), min_size=1, max_size=3), max_size=8))
    for line in lines:
        width = draw(st.integers(1, 9))
        ImageDraw.Draw(image).line([*line, line[-1]], fill=0, width=width)
    picture = np.asarray(image)
    return 255 - picture if draw(st.booleans()) else picture, check_strokes(lines)


@given(lines_and_dots())
@settings(max_examples=60)
def test_any_picture_of_lines_and_dots_is_read(drawn):
    picture, lines = drawn
    texts = read(encode(picture)).text + read_strokes(lines, READER).text
    assert set(texts) <= set("0123456789 .,:'/-+=%$€£\n")
    bitmap_to_image(255 - picture)


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(("orientation", "undo"), [(2, 0), (3, 3), (4, 1), (5, 5), (6, 2), (8, 4)])
def test_exif_says_which_side_is_up(orientation, undo, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = GRAY.transpose(Image.Transpose(undo))
    assert read(encode(lying, kind, exif=exif)).text == "305"


def test_pages_of_a_pdf_document_are_read_where_pypdfium2_is_installed():
    pytest.importorskip("pypdfium2")
    document = encode(GRAY.convert("RGB"), "PDF", save_all=True, append_images=[GRAY])
    assert {read_picture(decode_picture(document, k), READER).text for k in (0, 1)} == {"305"}
    with pytest.raises(ImageError, match="damaged"):
        decode_picture(document[:200])


@pytest.mark.parametrize("y", [2, 100, 195])
def test_labels_of_neighbors_never_print_over_each_other(y):
    def white(digits):
        page = draw_boxes(Image.new("L", (300, 300)), replace(reading, digits=digits))
        return (np.asarray(page) == 255).all(axis=-1).sum()

    reading = read(encode(GRAY))
    row = [replace(reading.digits[0], box=(20 + 12 * x, y, 8, 100)) for x in range(6)]
    # Within each label white is left around the letters; where labels overlapped, less would be.
    assert white(tuple(row)) == 6 * white((row[0],)) > 0


def test_an_mnist_image_goes_to_the_network_untouched():
    image = load_dataset("mnist10k").test_images[0]
    for gray_levels in (image, 255 - image):
        (digit,) = read(encode(gray_levels)).digits
        np.testing.assert_array_equal(digit.image, image)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ruled", [False, True])
def test_photos_on_uneven_paper_are_read_and_blackboards_too(seed, ruled):
    rng = np.random.default_rng(seed)
    ink = page_of([stroke / 100 for stroke in write("7402", gap=35)], PHOTO_SIZE, 12)
    assert read(photograph(ink, rng, ruled)).text == "7402"
    board = 40 + 30 * np.linspace(0, 1, ink.shape[1]) + rng.normal(0, 4, ink.shape)
    chalk = np.clip(board + 0.6 * ink, 0, 255).astype(np.uint8)
    assert read(encode(chalk, "JPEG")).text == "7402"


def test_dust_and_the_shadow_of_the_edge_are_no_ink():
    rng = np.random.default_rng(6)
    ink = page_of([stroke / 100 for stroke in write("31")], PHOTO_SIZE, 12)
    y, x = (rng.integers(0, side, 40) for side in ink.shape)
    ink = ink.copy()
    ink[y, x] = 255
    ink[:, :6] = 255
    assert read(photograph(ink, rng)).text == "31"


@pytest.mark.parametrize(("text", "edge"), [("5", -1), ("3", 0), ("71", -1)])
def test_a_photographed_digit_may_touch_the_border(text, edge):
    rng = np.random.default_rng(9)
    ink = page_of([stroke / 100 for stroke in write(text)], PHOTO_SIZE, 12)
    rows = np.flatnonzero(ink.any(axis=1))
    cut = ink[: rows[-1] - 3] if edge else ink[rows[0] + 3 :]
    assert read(photograph(cut, rng)).text == text


def ruled(text, line):
    """A drawing of ``text`` with pen 6 on a page of 400 x 300, beside lines."""
    image = Image.new("L", (400, 300), 255)
    strokes = [stroke + (120, 80) for stroke in write(text)]
    ink = paint(strokes, 6, (300, 400))
    ImageDraw.Draw(image).line(line, fill=0, width=2)
    return np.minimum(np.asarray(image), 255 - ink)


LINES = {
    "an underline": [(10, 200), (390, 200)],
    "an underline through the digits": [(10, 160), (390, 160)],
    "a margin": [(60, 5), (60, 295)],
    "the axes of a plot": [(40, 10), (40, 280), (390, 280)],
}


@pytest.mark.parametrize("line", list(LINES))
def test_lines_beside_a_drawing_are_no_digits(line):
    assert read(encode(ruled("74", LINES[line]))).text == "74"


@pytest.mark.parametrize("gap", [0, 12])
def test_each_box_of_a_form_holds_a_digit_and_so_does_a_picture_cut_to_its_ink(gap):
    form = Image.new("L", (3 * (90 + gap) + 21, 130), 255)
    for place, digit in enumerate("305"):
        x = 10 + place * (90 + gap)
        box = paint([stroke * 0.7 + (20, 20) for stroke in write(digit)], 6, (110, 90))
        form.paste(Image.fromarray(255 - box), (x, 10))
        ImageDraw.Draw(form).rectangle([x, 10, x + 90, 120], outline=0, width=2)
    assert read(encode(form)).text == "305"
    ink = 255 - PAGE
    tight = PAGE[ink.any(axis=1)][:, ink.any(axis=0)]
    assert read(encode(tight)).text == "305"


def test_specks_on_a_drawing_are_no_ink_and_a_dot_of_its_pen_is():
    rng = np.random.default_rng(4)
    ink = page_of([stroke / 100 for stroke in write("305", gap=60)], 100, 8)
    dot = Image.fromarray(ink)
    ImageDraw.Draw(dot).ellipse([118, 120, 125, 127], fill=255)
    dusty = np.array(dot)
    for y, x in zip(*(rng.integers(0, side - 1, 60) for side in ink.shape), strict=True):
        dusty[y : y + 2, x : x + 1] = 255
    assert read(encode(255 - np.asarray(dot))).text == "3.05"
    assert read(encode(255 - dusty)).text == "3.05"


def test_small_marks_below_a_row_are_not_joined_to_its_digits():
    ink = page_of([stroke / 100 for stroke in write("5352", gap=60)], 100, 6)
    page = Image.fromarray(np.pad(255 - ink, ((0, 120), (0, 0)), constant_values=255))
    for x in range(30, page.width - 30, 90):
        y = ink.shape[0] + 20
        ImageDraw.Draw(page).line([x - 12, y, x + 12, y], fill=0, width=4)
        ImageDraw.Draw(page).line([x, y - 12, x, y + 12], fill=0, width=4)
        ImageDraw.Draw(page).ellipse([x + 30, y + 60, x + 38, y + 68], fill=0)
    assert read(encode(page)).text == "5352"


def test_bare_paper_has_no_digit_and_noise_and_a_single_color_are_no_ink():
    for shape in ((1, 1), (1, 500), (500, 1), (64, 80)):
        reading = read(encode(np.full(shape, 37, np.uint8)))
        assert (reading.digits, reading.inked) == ((), False)
    rng = np.random.default_rng(7)
    for ruled in (False, True):
        photo = photograph(np.zeros((300, 400), np.uint8), rng, ruled)
        assert all(digit.rejected for digit in read(photo).digits)
    noise = np.clip(rng.normal(200, 3, (300, 400)), 0, 255).astype(np.uint8)
    assert not last(picture_steps(noise)).any()


def test_the_steps_of_a_picture_that_cannot_be_read_are_shown_up_to_the_error():
    dots = np.full((200, 200), 255, np.uint8)
    dots[::4, ::4] = 0
    (item,) = read_items("dots.png", encode(dots), READER)
    assert "2,500 separate pieces" in item.error
    ((name, steps),) = item.trace()
    assert name == "dots.png"
    assert [title for title, _ in steps] == ["gray levels", "difference from the paper"]
    photo = photograph(255 - PAGE, np.random.default_rng(0), ruled=True)
    titles = [title for title, _ in picture_trace(decode_picture(photo))]
    assert len(titles) == len(set(titles)) >= 5


def tiff(*tags):
    """A TIFF file of 16 x 16 pixels with further tags (number, type, count, value)."""
    usual = [(256, 3, 1, 16), (257, 3, 1, 16), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted([*usual, *tags]))
    return b"II*\0" + struct.pack("<IH", 8, len(usual) + len(tags)) + entries + bytes(4)


HOSTILE = {
    "empty": b"",
    "html": b"<html><body>404</body></html>",
    "half a png": encode(PAGE)[:300],
    "only a magic number": b"\x89PNG\r\n\x1a\n",
    "a tiff in huge tiles": tiff((322, 4, 1, 60_000), (323, 4, 1, 60_000), (324, 4, 1, 0)),
    "a tiff without a directory": b"II*\0" + struct.pack("<I", 2**32 - 1),
    "a tiff whose subdirectory is itself": tiff((34665, 4, 1, 8)),
    "a big tiff": b"II+\0" + bytes(60),
    "100000 pixels wide": encode(np.full((10, 100_000), 255, np.uint8)),
}


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_file_that_is_no_picture_is_refused_with_a_sentence(kind):
    with pytest.raises(ImageError) as refusal:
        decode_picture(HOSTILE[kind])
    assert 10 < len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("name", "payload"),
    [("HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)), ("PDF", b"%PDF-1.7\n")],
)
def test_without_its_library_a_format_is_called_by_its_name(name, payload, monkeypatch):
    for extra in ("pillow_heif", "pypdfium2"):
        monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(ImageError, match=f"{name} is read if .* is installed: pip install"):
        decode_picture(payload)


def test_a_file_larger_than_pictures_are_is_not_read(tmp_path):
    (tmp_path / "page.png").write_bytes(b"12345")
    with pytest.raises(ImageError, match="larger than"):
        read_file(tmp_path / "page.png", most_bytes=4)
