"""The web page prepares and reads drawings as Python does; what can be tested where, is."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.handwriting import DIGITS
from tinycnn.errors import EnvironmentFault
from tinycnn.ink import Recognizer, read_drawings, read_strokes, strokes_to_image
from tinycnn.ink.drawings import parse_drawing
from tinycnn.nn import Sequential
from tinycnn.train.folder import find_weights

ROOT = Path(__file__).parents[2]
WEB = ROOT / "docs" / "web"
DRAWINGS = Path(__file__).parents[1] / "golden" / "drawings.jsonl"
"""200 digits by ``benchmarks.quality.handwriting``, warped, trembling, in whole pixels."""

SECOND_GUESSES = 5  # of 200 drawings: the network may be unsure, but not of more

PREPARE = f"""
import {{ readFileSync }} from "node:fs";
import {{ isMark, strokesToImage }} from "{(WEB / "strokes.js").as_uri()}";
const drawings = JSON.parse(readFileSync(0, "utf8"));
const answers = drawings.map((strokes) => [Array.from(strokesToImage(strokes)),
                                           strokes.length > 0 && isMark(strokes, 0)]);
process.stdout.write(JSON.stringify(answers));
"""


@pytest.fixture(scope="module")
def drawings():
    """The recorded drawings, each a list of strokes, and the digits that they are."""
    found = list(read_drawings(DRAWINGS.read_bytes()))
    assert len(found) == 200
    return [drawing.strokes for drawing in found], [str(drawing.label) for drawing in found]


def played(path):
    """The strokes of a recorded session of the sketchpad."""
    strokes = []
    for entry in map(json.loads, path.read_text().splitlines()):
        name, *places = entry.get("do", [None])
        if name == "down":
            strokes.append([places])
        elif name == "move":
            strokes[-1].append(places)
    return [np.array(stroke) for stroke in strokes]


# -------------------------------------------------------------------------------- preparation


def prepare_in_javascript(drawings):
    """28 x 28 images as the page makes them, and what it takes for dots and dashes."""
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    text = json.dumps([[stroke.tolist() for stroke in strokes] for strokes in drawings])
    done = subprocess.run(
        ["node", "--input-type=module", "-e", PREPARE],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    images, marks = zip(*json.loads(done.stdout), strict=True)
    return np.array(images).reshape(-1, 28, 28), list(marks)


def test_drawings_are_prepared_as_in_python_bit_for_bit(drawings):
    strokes, _ = drawings
    images, marks = prepare_in_javascript(strokes)
    np.testing.assert_array_equal(images, [strokes_to_image(lines) for lines in strokes])
    assert not any(marks)


def test_a_recorded_session_is_prepared_as_in_python():
    strokes = [[stroke] for stroke in played(ROOT / "docs" / "sketchpad.jsonl")]
    images, _ = prepare_in_javascript(strokes)
    assert len(images) > 5
    np.testing.assert_array_equal(images, [strokes_to_image(lines) for lines in strokes])


@pytest.mark.parametrize(
    "strokes",
    [
        [],
        [[[3, 4]]],
        [[[3, 4], [3, 4], [3, 4]]],
        [[[0, 0], [0, 0], [1, 7], [1, 7]]],
        [[[0, 0], [40, 0]]],
        [[[5, 0], [5, 100]], [[6, 50]]],
        [[[-1e9, -1e9], [1e9, 1e9]]],
        [[[1e8, 1e8], [1e8, 1e8 + 1e-7]]],
        [[[0, 0], [1e-9, 3e-9], [0, 5e-9]]],
        [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]] * 3,
        [[[x % 2 * 50.0, x / 100] for x in range(20_000)]],
    ],
    ids=str.split("empty dot still repeated level dotted huge rounding tiny thrice endless"),
)
def test_odd_strokes_are_prepared_as_in_python(strokes):
    lines = parse_drawing(json.dumps({"strokes": strokes})).strokes
    images, _ = prepare_in_javascript([lines])
    np.testing.assert_array_equal(images[0], strokes_to_image(lines))


def test_dots_and_dashes_are_no_digits_as_in_python():
    recognizer = Recognizer.of(Sequential.load(find_weights("default")))
    level = [np.array([[0.0, 0.0], [100.0, height]]) for height in (0, 10, 19, 21, 60)]
    dot, digits = np.array([[5.0, 5.0]]), DIGITS.values()
    strokes = [[dot], *([line] for line in level), *digits]
    _, marks = prepare_in_javascript(strokes)
    assert marks == [not read_strokes(lines, recognizer).digits for lines in strokes]


# ----------------------------------------------------------------------------------- the page


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The page as it is built; skips where onnx or node's modules are missing."""
    pytest.importorskip("onnx")
    pytest.importorskip("selenium")
    from webpage import build_page

    if not (WEB / "node_modules").is_dir():
        pytest.skip("npm ci was not run in docs/web")
    folder = tmp_path_factory.mktemp("site")
    build_page(folder)
    return folder


@pytest.fixture(scope="module")
def page(site, tmp_path_factory):
    """The page in Chromium, and nothing but a server of files on this machine."""
    from browser import chromium, complaints, requests, serve
    from webpage import WebPage

    try:
        with serve(site) as url, chromium(tmp_path_factory.mktemp("profile")) as browser:
            yield WebPage(browser, url)
            asked = requests(browser)
            assert f"{url}model.onnx" in asked
            assert [address for address in asked if not address.startswith(url)] == []
            assert complaints(browser) == []
    except EnvironmentFault as fault:
        pytest.skip(str(fault))


@pytest.fixture
def paper(page):
    """The page with nothing on its paper."""
    from browser import set_screen

    set_screen(page.browser, 1000, 800)
    if page.browser.find_element("id", "clear").is_enabled():
        page.click("clear")
    return page


def test_an_empty_paper_has_no_answer(paper):
    seen = paper.seen()
    assert (seen.digit, seen.verdict, seen.sentence) == ("", "empty", "nothing to read yet")
    assert not seen.image.any()


def test_the_page_agrees_with_the_sketchpad_on_200_drawings(paper, drawings):
    """With its reading, its confidence and its refusals; images are equal bit for bit."""
    strokes, labels = drawings
    recognizer = Recognizer.of(Sequential.load(find_weights("default")))
    known = [read_strokes(lines, recognizer) for lines in strokes]
    seen = paper.ask(strokes)
    assert [one.digit for one in seen] == [reading.text for reading in known]
    for one, reading in zip(seen, known, strict=True):
        (digit,) = reading.digits
        assert (one.verdict == "none") == digit.rejected
        assert one.confidence == pytest.approx(digit.confidence, abs=1e-5)
        np.testing.assert_array_equal(one.image, digit.image)
    wrong = [one for one, label in zip(seen, labels, strict=True) if one.digit != label]
    assert len(wrong) <= SECOND_GUESSES


@pytest.mark.parametrize("kind", ["mouse", "pen", "touch"])
def test_a_digit_that_is_drawn_is_answered_soon(paper, drawings, kind):
    strokes = drawings[0][7]
    paper.waits()
    seen = paper.draw(strokes, kind)
    assert seen.digit == "7"
    assert seen.sentence.startswith("surely a 7 (9")
    np.testing.assert_array_equal(seen.image, strokes_to_image(paper.placed(strokes)))
    waits = paper.waits()
    assert len(waits) > 5
    assert np.median(waits) < 50


def test_strokes_can_be_taken_back_and_the_paper_cleared(paper, drawings):
    one, seven = drawings[0][1], drawings[0][7]
    assert paper.draw(seven).digit == "7"
    paper.click("clear")
    assert paper.seen().verdict == "empty"
    paper.click("undo")
    assert paper.seen().digit == "7"
    strokes = len(seven)
    paper.draw(one)
    for _ in one:
        paper.click("undo")
    assert paper.seen().digit == "7"
    for _ in range(strokes):
        paper.click("undo")
    assert paper.seen().verdict == "empty"


def test_a_scribble_is_refused_and_a_dot_is_no_digit(paper):
    t = np.linspace(0, 6 * np.pi, 60)
    scribble = [np.column_stack([np.cos(1.3 * t), np.sin(1.7 * t)])]
    seen = paper.draw(scribble)
    assert seen.verdict == "none"
    assert seen.sentence.startswith("looks like no digit; if it is one, ")
    paper.click("clear")
    seen = paper.draw([np.array([[0.0, 0.0]])])
    assert (seen.digit, seen.sentence) == ("", "there is ink, but no digit")


def test_bars_show_the_probability_of_every_class(paper, drawings):
    paper.draw(drawings[0][3])
    bars = paper.browser.find_elements("css selector", "#bars li")
    names, shares = zip(*(bar.text.split("\n") for bar in bars), strict=True)
    assert "".join(names) == "0123456789"
    probabilities = [float(share.removesuffix("%")) for share in shares]
    assert sum(probabilities) == pytest.approx(100, abs=0.6)  # each is rounded, to 99.9 at most
    assert np.argmax(probabilities) == 3


def test_keys_can_draw_take_back_and_clear(paper):
    from selenium.webdriver.common.keys import Keys

    canvas = paper.browser.find_element("id", "paper")
    canvas.send_keys(Keys.ARROW_UP * 6, " ", Keys.ARROW_DOWN * 12, " ")
    assert paper.seen().digit == "1"
    canvas.send_keys(Keys.CONTROL, "z")
    assert paper.seen().verdict == "empty"
    canvas.send_keys(" ", Keys.ARROW_UP * 9, Keys.ESCAPE)
    assert paper.seen().verdict == "empty"


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
@pytest.mark.parametrize("width", [320, 390, 700, 1280])
def test_the_page_fits_every_screen(paper, width, dark):
    from browser import set_screen

    set_screen(paper.browser, width, 700, phone=width < 500, dark=dark)
    wide, ground = paper.browser.execute_script(
        "const root = document.documentElement;"
        "const ground = getComputedStyle(root).backgroundColor.match(/[0-9]+/g).map(Number);"
        "return [root.scrollWidth, ground];"
    )
    assert wide <= width
    assert (np.mean(ground[:3]) < 128) == dark


def test_the_page_names_no_other_address():
    """No analytics, no fonts or scripts from elsewhere; only SVG's namespace looks like one."""
    for path in [path for kind in ("js", "html", "css", "svg") for path in WEB.glob(f"*.{kind}")]:
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"\b(https?|wss?):|[\"'(=]//", text), path.name
