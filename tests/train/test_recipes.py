"""Recipes: what is chosen for a data set, and how a network learns from it."""

import dataclasses
import math

import numpy as np
import pytest

from tinycnn.data import Dataset, load_dataset
from tinycnn.errors import RunError
from tinycnn.nn import PRESETS, build
from tinycnn.nn.fit import train_step
from tinycnn.nn.open_set import NO_CLASS, OpenSetCrossEntropy
from tinycnn.train.recipe import SUITED, Recipe
from tinycnn.train.trainer import Trainer


@pytest.fixture(scope="module")
def few():
    dataset, kept = load_dataset("mnist10k"), {"train": 300, "test": 50}
    names = [f"{part}_{array}" for part in kept for array in ("images", "labels")]
    few = {name: getattr(dataset, name)[: kept[name.split("_")[0]]] for name in names}
    return dataclasses.replace(dataset, **few)


def test_drawings_hold_some_images_of_no_class_and_a_loss_that_takes_them(few):
    trainer = Trainer(Recipe.for_data(300, augment="drawings", batch_size=90), few)
    batches = list(trainer.batches.of_epoch(1))
    labels = np.concatenate([labels for _, labels in batches])
    assert 0.01 < (labels == NO_CLASS).mean() < 0.12
    assert isinstance(trainer.loss, OpenSetCrossEntropy)
    learned = trainer.model, trainer.loss, trainer.optimizer
    losses = [train_step(*learned, *batch) for _ in range(3) for batch in batches]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_drawings_are_refused_for_what_is_no_digit(few):
    clothes = dataclasses.replace(few, name="clothes", class_names=tuple("abcdefghij"))
    small = Dataset(
        "small", *[np.zeros(s, np.uint8) for s in ((9, 5, 5), 9) * 2], tuple("0123456789")
    )
    for dataset in (clothes, small):
        with pytest.raises(RunError, match=f"28 x 28 pixels; {dataset.name} needs another"):
            Trainer(Recipe.for_data(9, augment="drawings"), dataset)


def test_the_average_follows_the_weights_and_is_what_is_judged_and_kept(few):
    trainer = Trainer(Recipe.for_data(300, average=0.9, batch_size=54, epochs=1), few)
    expected = [trainer.model.layers[0].params["w"].copy()]

    def follow():
        step = trainer.optimizer.steps
        kept = min(0.9, step / (step + 9))
        newest = trainer.model.layers[0].params["w"].astype(float)
        expected.append(kept * expected[-1] + (1 - kept) * newest)

    trainer.train(follow)
    average = trainer.answering.layers[0].params["w"]
    assert average == pytest.approx(expected[-1], rel=1e-4, abs=1e-6)
    assert not np.array_equal(average, trainer.model.layers[0].params["w"])
    best = trainer.best.arrays()
    assert all(np.array_equal(z, best[name]) for name, z in trainer.answering.arrays().items())
    images, labels = (z[trainer.validation.start :] for z in (few.train_images, few.train_labels))
    assert (trainer.answering.predict(images) == labels).mean() == trainer.state.best_accuracy


def test_the_average_is_the_model_itself_unless_it_is_asked_for(few):
    trainer = Trainer(Recipe.for_data(300), few)
    assert trainer.answering is trainer.model
    assert not [name for name in trainer.arrays() if name.startswith("average")]


def test_a_recipe_suits_the_network_and_what_is_given_counts_more():
    lenet, best = Recipe.for_data(60_000), Recipe.for_data(60_000, preset="best")
    assert (lenet.preset, lenet.epochs, lenet.average) == ("lenet", 10, 0)
    assert best.average > 0
    assert Recipe.for_data(
        60_000, preset="best", average=0.5, augment="none"
    ) == dataclasses.replace(best, average=0.5, augment="none")
    assert set(SUITED) <= set(PRESETS)
    assert build("tiny").parameter_count() <= 10_000


def test_a_recipe_suits_the_size_of_the_set():
    small, large, few = Recipe.for_data(8000), Recipe.for_data(60_000), Recipe.for_data(20)
    assert (large.batch_size, large.lr, large.momentum, large.augment) == (128, 0.1, 0.9, "strong")
    assert (small.batch_size, small.augment) == (32, "mild")
    assert large.validation < small.validation
    assert few.batch_size <= 18  # what is left of 20 without the validation part
    adam = Recipe.for_data(8000, optimizer="adam")
    assert (adam.lr, adam.momentum) == (0.001, None)
    assert Recipe(**dataclasses.asdict(small)) == small


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"epochs": 2.5}, "`epochs` must be a whole number from 1"),
        ({"lr": math.inf}, "`lr` must be a number above 0"),
        ({"momentum": 1}, "`momentum` must be"),
        ({"weight_decay": math.nan}, "`weight_decay` must be"),
        ({"average": 1.0}, "`average` must be a share from 0"),
        ({"seed": 2**32}, "`seed` must be"),
        ({"validation": 0.0}, "`validation` must be"),
        ({"optimizer": "adam", "momentum": 0.5}, "`momentum` belongs to `optimizer` sgd"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(given, words):
    with pytest.raises(RunError, match=words):
        Recipe.for_data(1000, **given)
