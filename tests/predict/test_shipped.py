"""The weights that come with the package: they are found, small, and read what they should."""

import configparser
from pathlib import Path

import pytest

from tinycnn.cli import run_command
from tinycnn.data import load_dataset
from tinycnn.ink import Recognizer
from tinycnn.nn import Sequential
from tinycnn.nn.classifier import CALIBRATION
from tinycnn.nn.presets import name_of
from tinycnn.train.__main__ import main as train
from tinycnn.train.folder import SHIPPED, find_weights


@pytest.fixture(scope="module")
def model():
    return Sequential.load(find_weights("default"))


def test_default_names_them_and_they_are_small_and_part_of_the_package():
    assert find_weights("default") == SHIPPED != find_weights("./default")
    assert SHIPPED.stat().st_size < 1_000_000
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg")
    pattern = setup["options.package_data"]["tinycnn.train"]
    assert SHIPPED in set(SHIPPED.parent.glob(pattern))


def test_they_say_how_they_were_made(model):
    training = model.description["training"]
    assert training["dataset"] == "mnist"
    assert training["recipe"]["preset"] == "normed"
    assert training["recipe"]["augment"] == "drawings"
    assert name_of(model) == "lenet"
    assert set(model.description["calibration"]) == set(CALIBRATION)


def test_the_command_that_made_them_saves_a_network_like_them(model, tmp_path):
    command = ["--preset", "normed", "--augment", "drawings", "--limit", "200", "--epochs", "1"]
    assert run_command(train, [*command, "--quiet", "--run-dir", str(tmp_path / "run")]) == 0
    made = Sequential.load(find_weights(str(tmp_path / "run")))
    assert {name: z.shape for name, z in made.arrays().items()} == {
        name: z.shape for name, z in model.arrays().items()
    }
    assert made.description.keys() == model.description.keys()


def test_they_read_the_bundled_digits(model):
    digits = load_dataset("mnist10k")
    opinions = Recognizer.of(model)(digits.test_images)
    assert (opinions.probabilities.argmax(axis=1) == digits.test_labels).mean() > 0.99
