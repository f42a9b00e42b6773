"""Recipes: what is chosen for a data set, and how a network learns from it."""

import dataclasses

import numpy as np
import pytest

from tinycnn.data import Dataset, load_dataset
from tinycnn.errors import RunError
from tinycnn.nn.losses import NO_CLASS, OpenSetCrossEntropy
from tinycnn.runs.recipe import resolve
from tinycnn.runs.training import Trainer


@pytest.fixture(scope="module")
def few():
    dataset = load_dataset("mnist10k")
    return dataclasses.replace(
        dataset,
        train_images=dataset.train_images[:300],
        train_labels=dataset.train_labels[:300],
        test_images=dataset.test_images[:50],
        test_labels=dataset.test_labels[:50],
    )


def test_drawings_hold_some_images_of_no_class_and_a_loss_that_takes_them(few):
    trainer = Trainer(resolve(300, augment="drawings", batch_size=90), few)
    batches = list(trainer.batches.of_epoch(1))
    labels = np.concatenate([labels for _, labels in batches])
    assert 0.01 < (labels == NO_CLASS).mean() < 0.12
    assert isinstance(trainer._loss, OpenSetCrossEntropy)
    losses = [trainer.step(*batch) for _ in range(3) for batch in batches]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_drawings_are_refused_for_what_is_no_digit(few):
    clothes = dataclasses.replace(few, name="clothes", class_names=tuple("abcdefghij"))
    small = Dataset(
        "small", *[np.zeros(s, np.uint8) for s in ((9, 5, 5), 9) * 2], tuple("0123456789")
    )
    for dataset in (clothes, small):
        with pytest.raises(RunError, match=f"28 x 28 pixels; {dataset.name} needs another"):
            Trainer(resolve(9, augment="drawings"), dataset)
