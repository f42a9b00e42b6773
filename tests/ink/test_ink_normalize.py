import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinycnn.data import load_dataset
from tinycnn.data.mnist import center, is_prepared, offset_to_center, shift


def test_recentering_any_bundled_mnist_image_is_a_no_op_and_nearly_all_count_as_prepared():
    dataset = load_dataset("mnist10k")
    images = np.concatenate([dataset.train_images, dataset.test_images])
    assert all(offset_to_center(image) == (0, 0) for image in images)
    assert np.mean([is_prepared(image) for image in images]) > 0.999


@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 20))
def test_the_center_of_mass_comes_to_index_14_unless_the_edge_is_in_the_way(seed, height, width):
    rng = np.random.default_rng(seed)
    image = np.zeros((28, 28), np.uint8)
    y, x = rng.integers(0, 29 - height), rng.integers(0, 29 - width)
    image[y : y + height, x : x + width] = rng.integers(1, 256, (height, width))
    before = image.copy()
    moved = center(image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(np.sort(moved.ravel()), np.sort(image.ravel()))  # nothing lost
    for axis in (0, 1):
        profile = moved.sum(axis=1 - axis, dtype=np.int64)
        mass = (profile * np.arange(28)).sum() / profile.sum()
        at_the_edge = profile[0] > 0 or profile[-1] > 0
        assert 13.5 <= mass < 14.5 or at_the_edge


def test_a_mass_exactly_between_two_pixels_goes_where_mnist_put_it():
    image = np.zeros((28, 28), np.uint8)
    image[13:15, 13:15] = 9  # at 13.5, which is within [13.5, 14.5)
    assert offset_to_center(image) == (0, 0)
    assert offset_to_center(shift(image, 1, 1)) == (-1, -1)
    blank = np.zeros_like(image)  # stays as it is, and is not prepared
    np.testing.assert_array_equal(center(blank), blank)
    assert not is_prepared(blank)
