"""What objects show in a notebook: HTML that is sound, complete and harmless."""

import base64
import io
import re

import numpy as np
import pytest
from browser import Reader
from PIL import Image

from tinycnn.console import log_console
from tinycnn.data import Dataset
from tinycnn.evaluate.evaluation import evaluate
from tinycnn.ink.results import EMPTY, Digit, Reading
from tinycnn.nn import Dense, Flatten, Sequential
from tinycnn.train.curves import History
from tinycnn.train.state import EpochRecord

EVIL = "<script>alert('&')</script>"


def pictures(html):
    addresses = re.findall(r"(?:src|href)='([^']*)'", html)
    start = "data:image/png;base64,"
    assert all(address.startswith(start) for address in addresses), "nothing is fetched"
    files = [base64.b64decode(address.removeprefix(start)) for address in addresses]
    return [np.array(Image.open(io.BytesIO(file))) for file in files]


@pytest.fixture
def digits():
    images = np.random.default_rng(0).integers(0, 256, (30, 4, 4), np.uint8)
    labels = (np.arange(30) % 3).astype(np.uint8)
    return Dataset("own", images, labels, images[:9], labels[:9], ("a", "b", EVIL))


def test_a_data_set_shows_its_sizes_and_its_first_digits(digits):
    html = digits._repr_html_()
    text = Reader(html).text
    assert text[:9] == ["own", "images", "pixels", "training", "30", "4 x 4", "test", "9", "4 x 4"]
    assert text[9:] == ["a", "b", EVIL] * 6 + ["a", "b"]
    for shown, image in zip(pictures(html), digits.train_images, strict=False):
        np.testing.assert_array_equal(shown, image)


def test_an_evaluation_shows_its_confusions_and_its_mistakes(digits):
    model = Sequential([Flatten(), Dense(3)], (4, 4, 1), seed=1)
    model.description = {"classes": list(digits.class_names)}
    evaluation = evaluate(model, digits)
    html = evaluation._repr_html_()
    text = Reader(html).text
    assert evaluation.score.sentence() in text[0]
    assert len(pictures(html)) == evaluation.score.errors > 0
    counts = [int(cell) for cell in re.findall(r"<td>(\d+)</td>", html)]
    assert counts == [n for n in evaluation.confusion.ravel() if n]


def test_a_reading_shows_its_digits_where_they_were_read():
    image = np.zeros((28, 28), np.uint8)
    image[5:20, 8:12] = 200
    about = {"label": 1, "second": ("7", 0.1), "probabilities": np.zeros(10), "score": 1.0}
    about |= {"image": image, "ink": None, "fragments": ()}
    one = Digit(box=(10, 20, 4, 15), name="1", confidence=0.9, rejected=False, **about)
    two = Digit(box=(30, 20, 4, 15), name=EVIL, confidence=1.0, rejected=True, **about)
    html = Reading("1?", (one, two), 0.5)._repr_html_()
    page = Reader(html)
    assert page.text == ["1 90.0 %", f"{EVIL}? 99.9 %", "1?"]
    assert len(page.of("rect")) == 2
    assert "x='30' y='20' width='4' height='15'" in html
    assert [z.shape for z in pictures(html)] == [(15, 4), (15, 4)], "without the margin"
    assert EMPTY._repr_html_() == "<p>no digits</p>"


def test_a_network_shows_its_layers_and_a_history_its_curves(digits):
    model = Sequential([Flatten(), Dense(3)], (4, 4, 1))
    text = Reader(model._repr_html_()).text
    assert text[:3] == ["layer", "output", "parameters"]
    assert text[3:] == ["Flatten()", "16", "0", "Dense(3)", "3", "51", "total", "51"]

    fitted = model.fit(digits.train_images, digits.train_labels, epochs=1, batch_size=8)
    assert isinstance(fitted, History)
    history = History(EpochRecord(k, 1 / k, 2 / k, 0.9, 0.1, 1.0, 50.0) for k in (1, 2))
    pytest.importorskip("matplotlib")
    assert history._repr_html_().startswith("<svg")


def test_progress_in_a_notebook_is_plain_lines(monkeypatch, capsys):
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    log_console().print("epoch 1/9")
    assert capsys.readouterr().err == "epoch 1/9\n"
