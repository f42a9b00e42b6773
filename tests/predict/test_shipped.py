"""The weights that come with the package: they are found, small, and read what they should."""

import configparser
import json
from pathlib import Path

import pytest

from tinycnn.cli import run_command
from tinycnn.data import load_dataset
from tinycnn.evaluate.__main__ import main as evaluate
from tinycnn.ink import Recognizer
from tinycnn.nn import Sequential
from tinycnn.train.folder import SHIPPED, find_weights


@pytest.fixture(scope="module")
def model():
    return Sequential.load(find_weights("default"))


def test_default_names_them_and_any_other_file_is_named_by_its_path():
    assert find_weights("default") == SHIPPED
    assert find_weights("./default") != SHIPPED


def test_they_are_small_and_part_of_the_package():
    assert SHIPPED.stat().st_size < 1_000_000
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    pattern = setup["options.package_data"]["tinycnn.train"]
    assert SHIPPED in set(SHIPPED.parent.glob(pattern))


def test_they_say_how_they_were_made(model):
    training = model.description["training"]
    assert training["dataset"] == "mnist"
    assert training["recipe"]["preset"] == "lenet"
    assert training["recipe"]["augment"] == "drawings"
    assert set(model.description["calibration"]) == {"temperature", "threshold"}


def test_they_read_the_bundled_digits(model):
    digits = load_dataset("mnist10k")
    opinions = Recognizer.of(model)(digits.test_images)
    assert (opinions.probabilities.argmax(axis=1) == digits.test_labels).mean() > 0.99


def test_evaluate_takes_their_name_and_says_that_they_know_the_bundled_digits(capsys):
    code = run_command(evaluate, ["default", "--dataset", "mnist10k", "--json"])
    printed = capsys.readouterr()
    assert code == 0
    assert json.loads(printed.out)["accuracy"] > 0.99
    assert "trained on" in printed.err
