"""Augmentation: other handwriting from the same digits."""

from dataclasses import replace

import numpy as np
import pytest
from plain_warp import spread

from tinycnn.augment import policies
from tinycnn.augment.policies import AUGMENTATIONS, Augmentation
from tinycnn.augment.rows import NONE, windows
from tinycnn.data import load_dataset
from tinycnn.train.batches import Batches

STILL = Augmentation(
    rotation=0, scale=0, stretch=0, slant=0, shift=0, elastic=0, thickness=0, barrel=0
)


def maps(**limits):
    return policies.affine_maps(np.random.default_rng(0).random((7, 500)), replace(STILL, **limits))


@pytest.fixture(scope="module")
def digits():
    dataset = load_dataset("mnist10k")
    return dataset.test_images[:200], dataset.test_labels[:200]


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_equal_generators_give_equal_images_and_others_do_not(digits, name):
    kept = [z.copy() for z in digits]
    once, again, other = (
        AUGMENTATIONS[name](*digits, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert all(map(np.array_equal, once, again))
    assert np.array_equal(once[0], other[0]) == (name == "none")
    assert (once[0].dtype, once[0].shape) == (np.uint8, kept[0].shape)
    assert all(map(np.array_equal, digits, kept))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_epoch_resumed_in_the_middle_sees_the_same_images(digits, name):
    batches = Batches(*digits, size=64, seed=3, augment=name)
    whole, rest = list(batches.of_epoch(2)), list(batches.of_epoch(2, start=2))
    for one, same in zip(whole[2:], rest, strict=True):
        assert all(map(np.array_equal, one, same))


def test_the_final_epochs_show_unchanged_digits_but_augmented_drawings(digits):
    images, _ = digits
    for name, unchanged in (("mild", True), ("drawings", False)):
        batches = Batches(*digits, size=200, seed=3, augment=name, augmented_epochs=9)
        before, augmented, final = (next(batches.of_epoch(epoch))[0] for epoch in (8, 9, 10))
        shown = {image.tobytes() for image in images}
        assert not all(image.tobytes() in shown for image in augmented)
        assert {z.tobytes() for z in before} - shown != {z.tobytes() for z in augmented} - shown
        assert all(image.tobytes() in shown for image in final) == unchanged


def test_augmented_digits_keep_most_of_their_ink_and_one_in_five_is_left_alone(digits):
    images = np.concatenate([digits[0]] * 5)
    for limits in (policies.LIGHT, policies.MILD):
        made = limits(images, images, np.random.default_rng(2))[0]
        ratio = made.mean(axis=(1, 2)) / images.mean(axis=(1, 2))
        assert 0.5 < ratio.min() <= ratio.max() < 2
        assert ratio.mean() == pytest.approx(1, abs=0.1)
        assert (made == images).all(axis=(1, 2)).mean() == pytest.approx(0.2, abs=0.04)


def test_each_limit_changes_its_own_part_of_a_map_up_to_its_size():
    slanted, turned, scaled, stretched = (
        maps(slant=20), maps(rotation=30), maps(scale=0.2), maps(stretch=0.2)
    )  # fmt: skip
    assert slanted[:, 0] == pytest.approx(np.tile([1.0, 0.0, 0.0], (500, 1)))
    assert abs(np.degrees(np.arctan(slanted[:, 1, 0]))).max() == pytest.approx(20, abs=0.5)
    turned = turned[:, :, :2]
    assert turned @ turned.transpose(0, 2, 1) == pytest.approx(np.tile(np.eye(2), (500, 1, 1)))
    assert 29 < abs(np.degrees(np.arctan2(turned[:, 1, 0], turned[:, 0, 0]))).max() < 30
    assert np.array_equal(scaled[:, 0, 0], scaled[:, 1, 1])
    assert abs(np.corrcoef(stretched[:, 0, 0], stretched[:, 1, 1])[0, 1]) < 0.1
    for changed in (scaled, stretched):
        assert 0.8 <= changed[:, 0, 0].min() < 0.81
        assert 1.19 < changed[:, 0, 0].max() <= 1.2


def test_a_bow_moves_the_middle_and_leaves_opposite_sides_alone():
    nets = policies.barrels((500, 28, 28), 3.0, np.random.default_rng(0))
    moved = np.einsum("ia,jb,nabz->nijz", spread(28), spread(28), nets)
    assert abs(moved[:, [0, -1], :, 0]).max() < 1  # upper and lower edge do not move up or down
    assert 1.8 < abs(moved[:, 14, :, 0]).max() < 3
    assert np.ptp(moved[..., 0], axis=2).max() == pytest.approx(0, abs=1e-5)


def test_a_window_is_named_after_the_digit_in_its_middle_and_none_is_where_no_digit_is(digits):
    images, labels = digits
    shapes = {cropped(image): label for image, label in zip(images, labels, strict=True)}
    made, named = windows(images, labels, np.random.default_rng(5))
    whole = {cropped(z): (z, label) for z, label in zip(made, named, strict=True) if z.any()}
    alone = [(*pair, shapes[key]) for key, pair in whole.items() if key in shapes]
    assert len(alone) > 10
    for window, label, digit in alone:
        columns = np.flatnonzero((window > 127).any(axis=0))
        away = abs((columns[0] + columns[-1] + 1) / 2 - 14)
        assert label == digit if away < 1 else label == NONE or away < 2


def cropped(image):
    """The bytes of an image without its blank rows and columns."""
    return image[image.any(axis=1)][:, image.any(axis=0)].tobytes()
