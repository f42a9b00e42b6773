"""python -m tinycnn.report: the contents of the page, and that nothing in it can do harm."""

import html
import json
import os
import re
import shlex
import shutil
import sys
from contextlib import contextmanager
from importlib import resources

import numpy as np
import pytest
from browser import Reader, chromium, complaints, requests, set_screen

from tinycnn.cli import run_command
from tinycnn.data import load_dataset
from tinycnn.errors import EnvironmentFault
from tinycnn.evaluate.evaluation import evaluate
from tinycnn.nn import Sequential
from tinycnn.report import __main__ as report
from tinycnn.train.folder import RunFolder
from tinycnn.train.recipe import Recipe
from tinycnn.train.resume import Source, start

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")
from tinycnn.plots import COLORS, DASHES, MARKERS, Series
from tinycnn.report.charts import Chart
from tinycnn.report.command import render
from tinycnn.report.subject import Subject

pytestmark = pytest.mark.usefixtures("one_thread")

DESKTOP, PHONE, NARROWEST = 1280, 390, 320  # pixels


@pytest.fixture(scope="module")
def folder(write_digits, tmp_path_factory):
    return write_digits(tmp_path_factory.mktemp("data") / "few", 200, 60)


@pytest.fixture(scope="module")
def digits(folder):
    return load_dataset(data_dir=folder)


@pytest.fixture(scope="module")
def runs(folder, digits, tmp_path_factory):
    """Two short runs on these digits; the second has only one epoch."""
    paths = [tmp_path_factory.mktemp("runs") / name for name in ("longer", "shorter")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib", None)
        patch.setattr("tinycnn.train.calibration.NON_DIGITS", 50)
        for path, epochs in zip(paths, (4, 1), strict=True):
            layers = "Conv2D(4, 5) ReLU MaxPool2D(2) Flatten Dense(10)"
            recipe = Recipe.for_data(200, preset=layers, epochs=epochs, augment="none")
            with start(recipe, digits, Source.of(digits, "mnist10k", folder), path) as run:
                run.train()
                run.finish()
    return paths


@pytest.fixture(scope="module")
def evaluations(runs, digits):
    models = (Sequential.load(run / "weights.safetensors") for run in runs)
    return [evaluate(model, digits) for model in models]


@pytest.fixture(scope="module")
def page(runs):
    return render([Subject.open(runs[0])])


@pytest.fixture(scope="module")
def both(runs):
    return render([Subject.open(run) for run in runs])


def call(*words):
    return run_command(report.main, [str(word) for word in words])


def test_every_mistake_is_shown_with_its_label_and_its_answer(runs, digits, page):
    answers = Sequential.load(runs[0] / "weights.safetensors").predict(digits.test_images)
    mistakes = {
        f"Test digit {n}: a {digits.test_labels[n]} that was taken for {answers[n]}"
        for n in np.flatnonzero(answers != digits.test_labels)
    }
    assert mistakes
    alts = {each["alt"] for each in Reader(page).of("img")}
    assert {alt for alt in alts if alt.startswith("Test digit")} == mistakes


def test_the_numbers_are_those_of_evaluate(evaluations, page):
    confusion = evaluations[0].confusion
    text = " ".join("".join(Reader(page).text).split())
    assert evaluations[0].score.sentence() in text
    links = re.findall(r'<a href="#run0-(\d)-as-(\d)" aria-label="(\d+):', page)
    assert {(int(i), int(j)): int(n) for i, j, n in links} == {
        (i, j): confusion[i, j] for i, j in np.argwhere(confusion) if i != j
    }


def test_every_link_on_the_page_leads_somewhere(both):
    reader = Reader(both)
    places = [each["id"] for _, each in reader.tags if "id" in each]
    assert len(places) == len(set(places))
    targets = {each["href"][1:] for each in reader.of("a") + reader.of("use")}
    assert targets <= set(places)
    labels = {word for _, each in reader.tags for word in each.get("aria-labelledby", "").split()}
    assert labels <= set(places)


def test_several_runs_are_side_by_side_and_compared_with_each_other(evaluations, both):
    first, second = evaluations
    compared = first.compare(second)
    (row,) = re.findall(r'row">longer</th><th scope="row">shorter</th>(.*?)</tr>', both, re.S)
    numbers = [compared.only_first, compared.only_second, compared.neither]
    assert re.findall(r"<td>(\d+)</td>", row) == [str(number) for number in numbers]
    assert "McNemar&#39;s test: p " in row
    for evaluation in evaluations:
        assert f"<td>{100 * evaluation.score.accuracy:.2f} %</td>" in both


def test_the_command_makes_the_same_weights_again(runs, page):
    (command,) = re.findall(r"<pre class=\"command\">(.*?)</pre>", page)
    words = shlex.split(html.unescape(command))
    assert words[:5] == ["python", "-m", "tinycnn.train", "--data-dir", "DIR"]
    recipe = json.loads((runs[0] / "config.json").read_text())["recipe"]
    given = dict(zip(words[5::2], words[6::2], strict=True))
    assert given == {
        "--" + name.replace("_", "-"): str(z) for name, z in recipe.items() if z is not None
    }


def test_a_lone_weights_file_gets_a_page_without_history(runs, folder, tmp_path, capsys):
    shutil.copy(runs[0] / "weights.safetensors", tmp_path / "bare.safetensors")
    words = [tmp_path / "bare.safetensors", "--data-dir", folder, "-o", tmp_path / "bare.html"]
    assert call(*words) == 0
    page = (tmp_path / "bare.html").read_text()
    assert "Validation errors" not in page
    assert "Is confidence honest?" in page
    assert str(tmp_path / "bare.html") in capsys.readouterr().out


def test_a_report_is_in_its_run_folder_and_that_of_several_runs_here(
    runs, tmp_path, monkeypatch, capsys
):
    """Runs of one name are named by their paths; a name need not be UTF-8, a last line whole."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinycnn.report.command.render", lambda s: " ".join(z.name for z in s))
    odd, other = (tmp_path / os.fsdecode(name) for name in (b"run\xff", b"longer"))
    for copy in (odd, other):
        shutil.copytree(runs[0], copy)
    with open(odd / "metrics.jsonl", "a") as file:
        file.write('{"epoch": 9, "lo')
    assert call(odd) == 0
    assert (odd / "report.html").read_text() == "run\\udcff"
    assert call(runs[0], other) == 0
    assert (tmp_path / "report.html").read_text() == f"{runs[0]} {other}"
    assert capsys.readouterr().out.splitlines()[1].startswith("report.html (")


def test_the_page_is_small_and_needs_no_network(both):
    assert len(both.encode()) < 3e6 / 4
    reader = Reader(both)
    assert reader.of("script") == []
    for _, each in reader.tags:
        for name in ("src", "href"):
            assert each.get(name, "#").startswith(("#", "data:"))
    assert "http" not in re.sub(r'"data:[^"]*"', "", both).replace("http-equiv", "")


def test_the_number_of_mistakes_is_limited(runs, monkeypatch):
    monkeypatch.setattr("tinycnn.report.command.MOST_MISTAKES", 9)
    subject = Subject.open(runs[1])
    page = render([subject, subject])
    assert page.count(f"The 4 surest of {subject.evaluation.score.errors} mistakes") == 2
    assert page.count('<li class="mistake"') == 8
    Reader(page)


def test_text_from_files_is_escaped(runs, folder, tmp_path, capsys):
    evil = "<img src=x onerror=alert(1)>&\"'"
    run = shutil.copytree(runs[0], tmp_path / evil.replace("/", ""))
    config = json.loads((run / "config.json").read_text())
    config["versions"] = {evil: evil}
    (run / "config.json").write_text(json.dumps(config))
    model = Sequential.load(run / "weights.safetensors")
    model.description["classes"] = [f"{k}{evil}" for k in range(10)]
    model.description["training"]["recipe"]["preset"] = evil
    model.save(run / "weights.safetensors")

    assert call(run) == 0
    page = (run / "report.html").read_text()
    assert "the classes of few are not the ones" in capsys.readouterr().err
    reader = Reader(page)
    assert {each["src"][:22] for each in reader.of("img")} == {"data:image/png;base64,"}
    assert not any(name.startswith("on") for _, each in reader.tags for name in each)
    assert evil in "".join(reader.text)


DAMAGE = [
    ("result.json", "{", "is damaged"),
    ("config.json", '{"data": 7}', "do not name the data they were trained on"),
    ("metrics.jsonl", '{"epoch": 1}\n', "is damaged"),
    ("weights.safetensors", "nonsense", "is not a weights file"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), DAMAGE)
def test_a_damaged_run_ends_in_one_sentence(runs, tmp_path, refused, name, content, sentence):
    run = shutil.copytree(runs[0], tmp_path / "run")
    (run / name).write_text(content)
    assert sentence in refused(report.main, run)
    assert not (run / "report.html").exists()


def test_a_missing_file_or_package_ends_in_one_sentence(runs, tmp_path, monkeypatch, refused):
    assert "does not exist" in refused(report.main, tmp_path / "nowhere")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    err = refused(report.main, runs[0], code=3)
    assert err == "error: python -m tinycnn.report needs jinja2: pip install 'tinycnn[report]'\n"


def test_no_page_replaces_its_inputs(runs, folder, tmp_path, refused):
    kept = RunFolder(runs[0])
    link = tmp_path / "page.html"
    link.symlink_to(kept.weights)
    data = folder / "t10k-labels-idx1-ubyte"
    for output in (kept.weights, kept.checkpoint, kept.result, data, link):
        before = output.read_bytes()
        err = refused(report.main, runs[0], "-o", output)
        assert err == f"error: {output} is an input; write to another file\n"
        assert output.read_bytes() == before


def test_lines_differ_in_more_than_their_color_and_charts_in_their_identifiers():
    assert len(set(MARKERS)) == len(set(DASHES)) == len(COLORS)
    lines = [Series(str(k), [(0, 1), (1, k / 5)], [(0, 2), (0, k)]) for k in range(len(COLORS))]
    one, other = (Chart(title, "x", "y", lines, lambda axes: None).svg() for title in "ab")
    assert all(f"var(--c{k})" in one for k in range(len(COLORS)))
    assert len(set(re.findall(r"stroke-dasharray: ([\d.,]+)", one))) == len(DASHES) - 1
    assert 'aria-label="a: y over x. 0 ends at 0; 1 ends at 0.2;' in one
    assert "#" not in re.sub(r"(href=\"|url\()#", "", one), "the colors are those of the page"
    assert not set(re.findall(r' id="([^"]+)"', one)) & set(re.findall(r' id="([^"]+)"', other))
    Reader(one)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    try:
        with chromium(tmp_path_factory.mktemp("profile")) as browser:
            browser.get("about:blank")
            yield browser
    except EnvironmentFault as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module", params=["one run", "two runs"])
def address(request, page, both, tmp_path_factory):
    file = tmp_path_factory.mktemp("pages") / "report.html"
    file.write_text(page if request.param == "one run" else both)
    return file.as_uri()


@contextmanager
def screen(browser, address, width=DESKTOP, dark=False):
    """The page on a screen so wide."""
    set_screen(browser, width, 800, phone=width < 600, dark=dark)
    browser.get(address)
    yield lambda script: browser.execute_script(f"return {script}")


def test_a_browser_fetches_nothing_and_logs_nothing(browser, address):
    requests(browser), complaints(browser)  # of the pages before
    with screen(browser, address) as ask:
        assert ask("document.readyState") == "complete"
        assert ask("[...document.images].every(i => i.complete && i.naturalWidth > 1)")
    assert complaints(browser) == []
    assert set(requests(browser)) == {address}


@pytest.mark.parametrize("width", [DESKTOP, PHONE, NARROWEST])
def test_the_page_is_as_wide_as_the_screen(browser, address, width):
    with screen(browser, address, width) as ask:
        assert ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        beyond = ask(
            "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, pre, svg')"
            f" && e.getBoundingClientRect().right > {width} + 1).map(e => e.outerHTML)"
        )
        assert beyond == []


@pytest.mark.parametrize("dark", [False, True])
def test_axe_core_finds_nothing(browser, address, dark):
    """Contrast, headings, landmarks, tables and texts for pictures."""
    axe = pytest.importorskip("axe_core_python")
    with screen(browser, address, dark=dark) as ask:
        color = ask("getComputedStyle(document.body).backgroundColor")
        assert (int(re.findall(r"\d+", color)[0]) < 100) == dark
        browser.execute_script((resources.files(axe) / "axe.min.js").read_text("utf-8"))
        found = browser.execute_async_script("axe.run().then(arguments[0])")["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


def test_the_keyboard_reaches_everything(browser, address):
    keys = pytest.importorskip("selenium.webdriver.common.keys").Keys
    with screen(browser, address) as ask:
        browser.switch_to.active_element.send_keys(keys.TAB)
        assert ask("document.activeElement.textContent") == "Skip to the report"
        assert ask("document.activeElement.getBoundingClientRect().left") > 0
        browser.switch_to.active_element.send_keys(keys.TAB)
        assert ask("document.activeElement.closest('nav') != null")
        scrolling = "[...document.querySelectorAll('.scroll, pre:not(.command)')]"
        assert ask(f"{scrolling}.every(e => e.tabIndex == 0 && e.ariaLabel)")
        ask("document.querySelector('.miss a').focus()")
        browser.switch_to.active_element.send_keys(keys.ENTER)
        assert ask("document.querySelector(':target').className") == "mistake"
