"""The book is rendered from its sources: listings, printed results, pictures, no number by hand."""

import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "docs/chapters").glob("[0-9]*.md"))
PAGES = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/book").glob("*.md"), *ROOT.glob("*.md")]
FENCES = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
RUN = re.compile(r"^```python run\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FIGURE = re.compile(r"\d\s?(%|µs|ms|seconds|images/s|times as)")
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)")

every_chapter = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


@every_chapter
def test_a_chapter_says_how_long_it_takes_and_has_exercises(source):
    text, number = source.read_text(), int(source.name[:2])
    assert re.match(rf"# {number}\. .*\n\n\*Reading: \d+ minutes\. Exercises: \d+ minutes\.", text)
    assert f"docs/exercises/check.py {number}" in text


@every_chapter
def test_no_figure_is_typed_in(source):
    prose = re.sub(r"\{\{.*?\}\}", "", FENCES.sub("", source.read_text()))
    assert not FIGURE.search(prose), FIGURE.search(prose)


def test_the_front_page_and_the_navigation_have_every_chapter():
    front = (ROOT / "docs/README.md").read_text()
    navigation = (ROOT / "docs/mkdocs.yml").read_text()
    for source in SOURCES:
        assert f"(book/{source.name})" in front
        assert f"- book/{source.name}" in navigation


def anchors(page):
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    titles = re.findall(r"^#+ (.+)$", FENCES.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", t.lower()).strip().replace(" ", "-") for t in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings_that_are_there(page):
    for link, anchor in LINK.findall(FENCES.sub("", page.read_text())):
        target = (page.parent / link) if link else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or target.suffix != ".md" or anchor in anchors(target), f"{link}#{anchor}"


def test_every_picture_is_shown_on_a_page():
    pages = "".join(page.read_text() for page in [*PAGES, ROOT / "docs/web/README.md"])
    kinds = {".png", ".jpg", ".svg", ".gif"}
    folders = [ROOT / "docs" / name for name in ("", "ink", "book/pictures")]
    pictures = [path for folder in folders for path in folder.glob("*.*")]
    assert not [p.name for p in pictures if p.suffix in kinds and f"{p.name})" not in pages]


BROKEN = [
    ("```python run\n1 / 0\n```", "^line 3: "),
    ("{{ nothing }}", "^line 3: "),
    ("```console run\npython -c 1/0\n```", "ended with 1"),
]


@pytest.mark.parametrize(("broken", "words"), BROKEN)
def test_an_error_stops_the_build_and_names_its_line(broken, words):
    from build.execute import PageError, run

    with pytest.raises(PageError, match=words):
        run(f"# Title\n\n{broken}\n", {})


def test_a_page_is_stale_when_words_differ_or_numbers_do_by_more_than_rounding():
    from build.execute import same

    assert same("82.7% of 2,000, 1e-10", "82.9% of 2,000, 3e-10")
    assert not same("82.7% right", "82.7% wrong")
    assert not same("82.7% right", "42.7% right")


def test_the_same_picture_has_the_same_bytes():
    pytest.importorskip("matplotlib")
    from build.pictures import lines, svg

    one, same = (svg(lines({"loss": [3, 1, 2]}, "epoch", "loss")) for _ in range(2))
    assert one == same


def test_the_afternoon_network_computes_the_forward_pass_and_the_gradients_of_the_library():
    """Not layer by layer only: the whole network, on the library's NumPy half."""
    import afternoon
    from tinycnn.nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential, reference

    assert len((ROOT / "docs/afternoon.py").read_text().splitlines()) <= 150
    layers = [Conv2D(8, 5), ReLU(), MaxPool2D(2), Conv2D(16, 5), ReLU(), MaxPool2D(2)]
    model = Sequential([*layers, Flatten(), Dense(10)], (28, 28, 1)).on(reference)
    rng = np.random.default_rng(3)
    network = [z + rng.normal(0, 0.1, z.shape) for z in afternoon.new_network(rng)]
    learned = [layer for layer in model if layer.params]
    for layer, w, b in zip(learned, network[::2], network[1::2], strict=True):
        layer.params = {"w": w, "b": b}
    x, labels = rng.random((3, 28, 28, 1)), np.array([4, 0, 9])
    logits, memory = afternoon.forward(network, x)
    loss, dlogits = afternoon.softmax_cross_entropy(logits, labels)
    expected = model.forward(x, training=True)
    expected_loss, p = reference.softmax_cross_entropy(expected, labels)
    model.backward(reference.softmax_cross_entropy_backward(p, labels))
    np.testing.assert_allclose(logits, expected, rtol=1e-10)
    assert loss == pytest.approx(expected_loss, rel=1e-10)
    found = afternoon.backward(network, dlogits, memory)
    for dz, right in zip(found, model.gradients(), strict=True):
        np.testing.assert_allclose(dz, right, rtol=1e-8, atol=1e-12)


def test_every_step_of_the_fast_kernels_is_right():
    from docs import kernels

    for name, (work, right) in kernels.steps().items():
        tolerance = 1e-5 * abs(right).max()
        np.testing.assert_allclose(work(), right, rtol=0, atol=tolerance, err_msg=name)


def test_the_ten_lines_of_the_readme_are_ten_and_print_what_they_say(tmp_path, monkeypatch, capsys):
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    assert len(code.splitlines()) == 10
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    said = float(re.search(r"# (0\.\d+)", code)[1])
    assert float(capsys.readouterr().out) == pytest.approx(said, abs=0.01)
