"""The book is bound from what is there: listings, printed results, pictures, no number by hand."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "docs/book").glob("[0-9]*.md"))
FENCES = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
LISTING = re.compile(r'listing\("([\w.]+)"')
PICTURE = re.compile(r'picture\("(\w+)", "([^"]*)"')
FIGURE = re.compile(r"\d\s?(%|µs|ms|seconds|images/s|times as)")

every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


@pytest.fixture(scope="module", autouse=True)
def on_the_path():
    before = sys.path[:]
    sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "docs/exercises"), str(ROOT)]
    yield
    sys.path[:] = before


# ------------------------------------------------------------------------------------- chapters


@every_chapter
def test_a_chapter_has_a_picture_a_listing_and_exercises(chapter):
    text, number = chapter.read_text(), int(chapter.name[:2])
    assert text.startswith(f"# {number}. ")
    assert LISTING.search(text)
    assert PICTURE.search(text)
    assert f"docs/exercises/check.py {number}" in text


@every_chapter
def test_no_figure_is_typed_in(chapter):
    prose = re.sub(r"\{\{.*?\}\}", "", FENCES.sub("", chapter.read_text()))
    assert not FIGURE.search(prose), FIGURE.search(prose)


@every_chapter
def test_all_that_is_listed_is_there(chapter):
    from build.source import find

    for dotted in LISTING.findall(chapter.read_text()):
        assert dotted.split(".")[-1] in find(dotted).text


@every_chapter
def test_pictures_can_be_told_to_who_does_not_see_them(chapter):
    pytest.importorskip("matplotlib")
    import importlib

    module = f"build.pictures.ch{chapter.stem.replace('-', '_')}"
    for name, alt in PICTURE.findall(chapter.read_text()):
        assert callable(getattr(importlib.import_module(module), name))
        assert len(alt) > 40, f"{name}: {alt}"


def test_the_front_page_and_the_navigation_have_every_chapter():
    front = (ROOT / "docs/README.md").read_text()
    navigation = (ROOT / "docs/mkdocs.yml").read_text()
    for chapter in CHAPTERS:
        assert f"(book/{chapter.name})" in front
        assert f"- book/{chapter.name}" in navigation


# ------------------------------------------------------------------------------------- listings


@pytest.mark.parametrize(
    ("dotted", "first", "last"),
    [
        ("tinycnn.nn.reference.relu", "@shapes(", "    return np.maximum(x, 0)"),
        ("tinycnn.kernels.elementwise._relu", "@parallel_kernel", None),
        ("tinycnn.nn.model.Sequential.backward", "def backward(", None),
        ("tinycnn.nn.differences.STEP", "STEP = ", '"""Near the cube root'),
    ],
)
def test_a_listing_is_cut_out_of_its_file(dotted, first, last):
    from build.source import find

    listing = find(dotted)
    lines = listing.text.splitlines()
    assert lines[0].startswith(first)
    assert last is None or lines[-1].startswith(last)
    in_file = listing.path.read_text().splitlines()[listing.first - 1 : listing.last]
    assert [line.strip() for line in lines] == [line.strip() for line in in_file]


@pytest.mark.parametrize("dotted", ["tinycnn.nn.reference.nothing", "nowhere.at_all"])
def test_what_is_not_there_is_not_listed(dotted):
    from build.source import find

    with pytest.raises(LookupError):
        find(dotted)


# ------------------------------------------------------------------------------- running a page


def run(markdown, **helpers):
    from build.execute import run

    return run(markdown, helpers)


def test_a_block_shows_its_code_and_what_it_printed():
    page = run("```python run\na = 6\nprint(a * 7)\na + 1\n```\n")
    assert "print(a * 7)" in page
    assert "42\n7\n" in page


def test_a_page_remembers_and_computes_its_numbers():
    page = run(
        "```python run hidden\na = 1234.5678\n```\nIt is {{ a }}, or {{ int(a) }}, {{ a / 1e8 }}."
    )
    assert page.strip() == "It is 1,235, or 1,234, 1e-05."


def test_other_code_is_left_alone():
    page = "```python\nprint({{ a }})\n```\n"
    assert run(page) == page


def test_a_block_inside_another_stays_inside():
    page = run("??? tip\n\n    ```python run\n    for k in range(2):\n        print(k)\n    ```\n")
    assert all(line.startswith("    ") for line in page.splitlines()[2:] if line)
    assert "    for k in range(2):\n        print(k)" in page


@pytest.mark.parametrize("broken", ["```python run\n1 / 0\n```", "{{ nothing }}"])
def test_what_does_not_run_stops_the_build_and_names_its_line(broken):
    from build.execute import PageError

    with pytest.raises(PageError, match=r"^line 3: "):
        run(f"# Title\n\n{broken}\n")


def test_a_command_shows_what_it_printed_and_may_not_fail():
    from build.execute import PageError

    assert "mnist10k" in run("```console run\npython -m tinycnn.data list\n```\n")
    with pytest.raises(PageError, match="ended with 2"):
        run("```console run\npython docs/exercises/check.py nonsense\n```\n")


# ------------------------------------------------------------------------------------- pictures


def test_the_same_picture_has_the_same_bytes_and_takes_the_color_of_the_text():
    pytest.importorskip("matplotlib")
    from build.figures import svg
    from build.pictures.ch06_softmax import surprise

    first, _ = svg(surprise(0.3), "06-surprise")
    again, _ = svg(surprise(0.3), "06-surprise")
    assert first == again
    assert "currentColor" in first
    assert "\n\n" not in first, "a blank line would end the HTML"


def test_pictures_of_a_page_share_no_names():
    pytest.importorskip("matplotlib")
    from build.figures import svg
    from build.pictures.ch06_softmax import surprise

    pictures = [svg(surprise(p), f"06-{p}")[0] for p in (0.3, 0.6)]
    one, other = (set(re.findall(r'\bid="([^"]+)"', text)) for text in pictures)
    assert one
    assert not one & other
    for text, names in zip(pictures, (one, other), strict=True):
        assert set(re.findall(r'href="#([^"]+)"', text)) <= names


# ----------------------------------------------------------------------------------- the binder


@pytest.mark.parametrize(
    ("html", "fine"),
    [
        ('<a href="https://example.org">elsewhere</a>', True),
        ('<script src="assets/a.js"></script>', True),
        ('<script src="https://example.org/a.js"></script>', False),
        ('<link rel="stylesheet" href="//example.org/a.css">', False),
        ('<img alt="a" src="http://example.org/a.png">', False),
    ],
)
def test_nothing_is_loaded_from_outside(html, fine):
    pytest.importorskip("mkdocs")
    from types import SimpleNamespace

    from mkdocs.exceptions import PluginError

    from build import mkdocs_hook as hook

    page = SimpleNamespace(file=SimpleNamespace(src_uri="page.md"))
    if fine:
        assert hook.on_post_page(html, page, None) is None
    else:
        with pytest.raises(PluginError, match=r"page\.md"):
            hook.on_post_page(html, page, None)
