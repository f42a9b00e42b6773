"""The web page prepares and reads drawings as Python does, and everybody can use it."""

import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from browser import chromium, complaints, requests, set_screen
from webpage import WebPage

from benchmarks.quality.handwriting import DIGITS, write
from docs.web.build import PAGE, page_of
from tinycnn.errors import EnvironmentFault, WeightsError
from tinycnn.ink import Recognizer, read_drawings, read_strokes, strokes_to_image
from tinycnn.ink.segmentation import _SIGNS
from tinycnn.ink.strokes import bounds
from tinycnn.nn import PRESETS, Dense, MaxPool2D, ReLU, Sequential
from tinycnn.nn.classifier import network_input
from tinycnn.train.folder import find_weights

Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys

DRAWINGS = Path(__file__).parents[1] / "golden" / "drawings.jsonl"
"""200 digits by ``benchmarks.quality.handwriting``, warped, trembling, in whole pixels."""


@pytest.fixture(scope="module")
def model():
    return Sequential.load(find_weights("default"))


@pytest.fixture(scope="module")
def drawings():
    """The strokes of the recorded drawings."""
    return [drawing.strokes for drawing in read_drawings(DRAWINGS.read_bytes())]


SMALL_SIGNS = {
    ".": [[(0, 0.98), (0.01, 0.99)]],
    ",": [[(0.05, 0.92), (0, 1.1)]],
    "-": [[(0, 0.5), (0.3, 0.52)]],
    ":": [[(0, 0.3), (0.01, 0.31)], [(0, 0.8), (0.01, 0.81)]],
    "=": [[(0, 0.4), (0.4, 0.41)], [(0, 0.6), (0.4, 0.61)]],
    "+": [[(0, 0.5), (0.4, 0.51)], [(0.2, 0.28), (0.2, 0.71)]],
    "/": [[(0.35, -0.12), (0, 1.12)]],
}
SIGNS = [*SMALL_SIGNS.values(), *(strokes for _, strokes in _SIGNS)]
ANGLES = np.linspace(0, 6 * np.pi, 60)
SCRIBBLE = [np.column_stack([np.cos(1.3 * ANGLES), np.sin(1.7 * ANGLES)])]


@pytest.fixture(scope="module")
def numbers(drawings):
    """100 numbers of two to six digits, uneven, with signs, words, lines and frames."""
    rng = np.random.default_rng(8)
    return [_number(drawings, rng) for _ in range(100)]


def _number(drawings, rng):
    strokes, x, y = [], 0.0, 0.0
    for index in rng.integers(0, len(drawings), rng.integers(2, 7)):
        points = np.concatenate(drawings[index])
        corner, size = points.min(axis=0), np.ptp(points, axis=0)
        scale = rng.uniform(75, 110) / max(size)
        strokes += [(z - corner) * scale + (x, y + rng.uniform(-8, 8)) for z in drawings[index]]
        x += size[0] * scale + rng.uniform(5, 40)
        if rng.random() < 0.3:
            sign = [np.multiply(z, 100) + (x, y) for z in SIGNS[rng.integers(0, len(SIGNS))]]
            strokes += sign
            x = max(z[:, 0].max() for z in sign) + 15
        elif rng.random() < 0.15:
            x, y = (x + 160, y) if rng.random() < 0.5 else (0.0, y + 190)
    if rng.random() < 0.2:  # a frame around them
        x0, y0, x1, y1 = np.add(bounds(strokes), (-20, -15, 20, 15))
        strokes.append(np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]))
    return [np.round(z, 1) for z in strokes]


# -------------------------------------------------------------------------------- how it is built


def test_the_page_is_the_one_that_its_sources_build(model):
    """If it is not: python -m docs.web.build."""
    assert page_of(model) == PAGE.read_bytes()
    assert PAGE.stat().st_size < 1_500_000


def test_a_network_that_the_page_cannot_show_is_refused():
    with pytest.raises(WeightsError, match="preset lenet only"):
        page_of(Sequential(PRESETS["dense"](10), (28, 28, 1), 0))


# ------------------------------------------------------------------------------- what it computes


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page in Chromium, opened as a file; it asks for nothing else and has no complaints."""
    try:
        with chromium(tmp_path_factory.mktemp("profile")) as browser:
            yield WebPage(browser)
            assert {*requests(browser)} == {PAGE.as_uri()}
            assert complaints(browser) == []
    except EnvironmentFault as fault:
        pytest.skip(str(fault))


def test_images_logits_and_refusals_are_those_of_python(page, drawings, model):
    """Images bit for bit, logits within 1e-4, the same digits, on 200 drawings."""
    recognizer = Recognizer.of(model)
    found = [digit for told in page.read(drawings) for digit in told["digits"]]
    known = [digit for strokes in drawings for digit in read_strokes(strokes, recognizer).digits]
    assert [digit["rejected"] for digit in found] == [digit.rejected for digit in known]
    images = np.array([digit.image for digit in known])
    np.testing.assert_array_equal([digit["image"] for digit in found], images.reshape(-1, 784))
    logits = model.forward(network_input(model, images))
    np.testing.assert_allclose([digit["logits"] for digit in found], logits, atol=1e-4)
    np.testing.assert_allclose(
        [digit["confidence"] for digit in found], [digit.confidence for digit in known], atol=1e-5
    )


def test_numbers_are_read_as_in_python(page, numbers, model):
    recognizer = Recognizer.of(model)
    known = [read_strokes(strokes, recognizer) for strokes in numbers]
    found = page.read(numbers)
    same = [one["text"] == other.text for one, other in zip(found, known, strict=True)]
    assert np.mean(same) >= 0.99
    assert {*"0123456789 \n", *SMALL_SIGNS, *"%$"} <= {*"".join(one.text for one in known)}
    for one, other, alike in zip(found, known, same, strict=True):
        assert not alike or one["confidence"] == pytest.approx(other.confidence, abs=1e-4)


def test_all_ink_can_be_one_digit(page, numbers, model):
    recognizer = Recognizer.of(model)
    known = [read_strokes(strokes, recognizer, single=True) for strokes in numbers[:30]]
    found = page.read(numbers[:30], single=True)
    assert [one["text"] for one in found] == [one.text for one in known]
    for one, other in zip(found, known, strict=True):
        np.testing.assert_array_equal(one["digits"][0]["image"], other.digits[0].image.ravel())


def test_of_a_page_that_grows_only_new_ink_is_looked_at(page, drawings):
    """Else a page of hundreds of strokes takes seconds with every movement of the pen."""
    strokes = [
        (z / 10 + (30 * (k % 15), 30 * (k // 15))) for k, d in enumerate(drawings) for z in d
    ]
    looks = page.browser.execute_script(
        "const { reader, network } = window.tinycnn, { forward } = network;"
        "let looks = 0; network.forward = (image) => (looks++, forward.call(network, image));"
        "const counts = [arguments[0], [...arguments[0], [[999, 0], [999, 30]]]].map((strokes) =>"
        "  (looks = 0, reader.read(strokes), looks));"
        "network.forward = forward; return counts;",
        [stroke.tolist() for stroke in strokes],
    )
    assert looks[0] > 200
    assert looks[1] < 10


ODD = {
    "dot": [[[3, 4]]],
    "still": [[[3, 4], [3, 4], [3, 4]]],
    "repeated": [[[0, 0], [0, 0], [1, 7], [1, 7]]],
    "level": [[[0, 0], [100, 19]]],
    "steeper": [[[0, 0], [100, 21]]],
    "dotted": [[[5, 0], [5, 100]], [[6, 50]]],
    "huge": [[[-1e9, -1e9], [1e9, 1e9]]],
    "rounding": [[[1e8, 1e8], [1e8, 1e8 + 1e-7]]],
    "tiny": [[[0, 0], [1e-9, 3e-9], [0, 5e-9]]],
    "thrice": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]] * 3,
    "endless": [[[x % 2 * 50.0, x / 100] for x in range(20_000)]],
    "stacked": [[[0, 0], [9, 9], [0, 18], [0, 0]], [[0, 19], [9, 28], [0, 37], [0, 19]]],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_strokes_are_prepared_and_read_as_in_python(page, name, model):
    strokes = [np.array(stroke, float) for stroke in ODD[name]]
    (found,) = page.read([strokes])
    np.testing.assert_array_equal(found["whole"], strokes_to_image(strokes).ravel())
    assert found["text"] == read_strokes(strokes, Recognizer.of(model)).text


# ------------------------------------------------------------------------------- how it is used


@pytest.fixture
def paper(page):
    """The page with nothing on its paper, on a desktop's screen."""
    set_screen(page.browser, 1280, 800)
    if page.find("clear").is_enabled():
        page.click("clear")
    assert page.shown() == ("–", "Nothing to read yet")
    return page


@pytest.mark.parametrize("kind", ["mouse", "pen", "touch"])
def test_a_number_can_be_drawn_and_each_digit_looked_at(paper, kind):
    equals = [np.multiply(line, 100) + (210, 0) for line in SMALL_SIGNS["="]]
    text, sentence = paper.draw([*write("47", gap=40), *equals], kind)
    assert text == "47="
    assert sentence.startswith("Surely a 7 (9")
    four, _ = paper.find("text").find_elements("tag name", "button")
    four.click()
    assert paper.shown()[1].startswith("Surely a 4 (9")
    bars = paper.browser.find_elements("css selector", "#bars li")
    names, shares = zip(*(bar.text.split("\n") for bar in bars), strict=True)
    assert "".join(names) == "0123456789"
    probabilities = [float(share.removesuffix("%")) for share in shares]
    assert sum(probabilities) == pytest.approx(100, abs=0.6)  # each is rounded, to 99.9 at most
    assert np.argmax(probabilities) == 4


def test_strokes_can_be_taken_back_and_the_paper_cleared(paper):
    assert paper.draw(DIGITS["7"])[0] == "7"
    paper.click("clear")
    assert paper.shown()[0] == "–"
    paper.click("undo")
    assert paper.shown()[0] == "7"
    for _ in DIGITS["7"]:
        paper.click("undo")
    assert paper.shown()[0] == "–"


def test_a_scribble_is_refused_and_a_dot_is_no_digit(paper):
    text, sentence = paper.draw(SCRIBBLE)
    assert text == "?"
    assert sentence.startswith("Not a digit, I think. Closest: ")
    paper.click("single")
    paper.click("clear")
    assert paper.draw(write("17", gap=10))[0] in [*"0123456789?"], "all ink is one digit"
    paper.click("single")
    assert paper.shown()[0] == "17"
    paper.click("clear")
    assert paper.draw([np.array([[0.0, 0.0]])]) == ("–", "No digit found in this ink")


def test_keys_can_draw_take_back_and_clear(paper):
    canvas = paper.find("paper")
    canvas.send_keys(Keys.ARROW_UP * 6, " ", Keys.ARROW_DOWN * 12, " ")
    assert paper.shown()[0] == "1"
    canvas.send_keys(Keys.CONTROL, "z")
    assert paper.shown()[0] == "–"
    canvas.send_keys(" ", Keys.ARROW_UP * 9, Keys.ESCAPE)
    assert paper.shown()[0] == "–"


def numbers_of(model, image):
    """The numbers that the page shows: the pixels, two stages of maps, two of numbers."""
    x = network_input(model, image[None])
    numbers = [x]
    for layer, following in zip(model.layers, [*model.layers[1:], None], strict=True):
        x = layer.forward(x)
        hidden = isinstance(layer, ReLU) and isinstance(following, Dense)
        if isinstance(layer, MaxPool2D) or hidden or following is None:
            numbers.append(x)
    return [y[0] for y in numbers]


def test_the_sum_behind_a_number_is_the_one_that_python_computes(paper, model):
    """In every stage, for a number that is clicked and for its neighbor, by keys."""
    drawing = DIGITS["3"]
    paper.draw(drawing)
    numbers = numbers_of(model, strokes_to_image(paper.placed(drawing)))
    stages = paper.browser.find_elements("css selector", "#stages canvas")
    for y, canvas, frames in zip(numbers[1:], stages[1:], (2, 34, 4, 5), strict=True):
        canvas.click()  # frames: itself, and what it depends on in all maps of each stage before
        assert len(paper.browser.find_elements("css selector", "#stages i")) == frames
        for key in ("", Keys.ARROW_RIGHT, Keys.ARROW_DOWN):
            canvas.send_keys(key)
            told = paper.find("sum").text.replace("−", "-")
            name, value = re.match("(.*): (.*)", told).groups()
            first, *rest = map(int, re.findall(r"\d+", name))
            place = (rest[1] - 1, rest[2] - 1, first - 1) if y.ndim == 3 else first - (len(y) > 10)
            assert float(value) == pytest.approx(y[place], abs=0.006)
            total = float(re.search(r"The sum is (.*?)\.(\s|$)", told)[1])
            known = total if y is numbers[-1] else max(total, 0)
            assert float(value) == pytest.approx(known, abs=1e-9)
        canvas.send_keys(Keys.ESCAPE)
        assert paper.find("sum").text == ""


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
@pytest.mark.parametrize("size", [(320, 568), (390, 844), (844, 390), (820, 1180), (1280, 800)])
def test_the_page_fits_every_screen(paper, size, dark):
    set_screen(paper.browser, *size, phone=min(size) < 500, dark=dark)
    wide, ground = paper.browser.execute_script(
        "const root = document.documentElement;"
        "const ground = getComputedStyle(root).backgroundColor.match(/[0-9]+/g).map(Number);"
        "return [root.scrollWidth, ground];"
    )
    assert wide <= size[0]
    assert (np.mean(ground[:3]) < 128) == dark


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
def test_axe_core_finds_nothing(paper, dark):
    axe = pytest.importorskip("axe_core_python")
    set_screen(paper.browser, 390, 844, phone=True, dark=dark)
    paper.click("example")
    paper.browser.find_elements("css selector", "#stages canvas")[2].send_keys(Keys.ARROW_RIGHT)
    paper.browser.execute_script((resources.files(axe) / "axe.min.js").read_text("utf-8"))
    violations = paper.browser.execute_async_script("axe.run().then(arguments[0])")["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in violations] == []


CONTRASTS = """
    const lit = (color) => {
      const linear = (z) => (z <= 10 ? z / 3294 : ((z / 255 + 0.055) / 1.055) ** 2.4);
      const [r, g, b] = color.match(/[0-9.]+/g).map(Number).map(linear);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const behind = (node) => {
      const color = getComputedStyle(node).backgroundColor;
      return / 0\\)$|, 0\\)$|transparent/.test(color) ? behind(node.parentElement) : color;
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = {};
    while (walker.nextNode()) {
      const node = walker.currentNode.parentElement, { color, fontSize } = getComputedStyle(node);
      if (!walker.currentNode.data.trim() || !node.checkVisibility() || node.disabled) continue;
      const [low, high] = [lit(color), lit(behind(node))].sort((a, b) => a - b);
      const enough = high / low >= (parseFloat(fontSize) >= 24 ? 3 : 4.5);
      if (!enough) found[node.outerHTML.slice(0, 90)] = high / low;
    }
    return found;
"""


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
def test_all_text_has_contrast_in_every_state(paper, dark):
    """Sure, unsure and refused; with a sum; one digit: what axe-core leaves undecided too."""
    set_screen(paper.browser, 1280, 800, dark=dark)
    for strokes in ([], DIGITS["3"], SCRIBBLE, [DIGITS["4"][0]]):
        if strokes:
            paper.draw(strokes)
            paper.browser.find_elements("css selector", "#stages canvas")[2].send_keys("\ue014")
        paper.click("single")
        assert paper.browser.execute_script(CONTRASTS) == {}
        paper.click("single")
