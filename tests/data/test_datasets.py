"""A data set is refused unless its four arrays belong together, and the right one is found."""

import shutil

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinycnn.data import CATALOGUE, Dataset, load_dataset, split_validation, write_idx
from tinycnn.data.catalogue import FILE_NAMES, NamedSet
from tinycnn.data.checks import oddity as check_oddity
from tinycnn.errors import DataError

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILE_NAMES


@pytest.fixture
def arrays():
    """Thirty training and ten test images, three classes."""
    rng = np.random.default_rng(5)
    return {
        TRAIN_IMAGES: rng.integers(0, 256, (30, 8, 6), dtype=np.uint8),
        TRAIN_LABELS: np.arange(30, dtype=np.uint8) % 3,
        TEST_IMAGES: rng.integers(0, 256, (10, 8, 6), dtype=np.uint8),
        TEST_LABELS: np.arange(10, dtype=np.uint8) % 3,
    }


@pytest.fixture(autouse=True)
def no_folder_in_the_environment(monkeypatch):
    monkeypatch.delenv("TINYCNN_DATA", raising=False)


def write_set(folder, arrays, rename=lambda name: name):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        write_idx(folder / rename(name), array)
    return folder


def test_mnist10k_is_fixed_and_stratified_and_no_digit_is_in_both_parts():
    dataset = load_dataset()
    train, test = np.bincount(dataset.train_labels), np.bincount(dataset.test_labels)
    # Counts of the first 10,000 digits of MNIST; a fifth of each class is for testing.
    assert (train + test).tolist() == [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]
    assert np.abs(test - (train + test) / 5).max() < 1
    assert dataset.fingerprint.startswith("d66af95fb7b1331a")
    assert dataset.test_fingerprint.startswith("099988209f6bb60c")
    digits = {image.tobytes() for image in (*dataset.train_images, *dataset.test_images)}
    assert len(digits) == 10_000


def test_a_damaged_or_missing_bundled_file_is_never_used(tmp_path, monkeypatch):
    shutil.copytree(CATALOGUE["mnist10k"].folder, tmp_path / "mnist10k")
    monkeypatch.setattr(NamedSet, "folder", tmp_path / "mnist10k")
    assert load_dataset().sources[0].startswith(str(tmp_path))
    victim = tmp_path / "mnist10k" / "t10k-labels-idx1-ubyte.gz"
    content = bytearray(victim.read_bytes())
    content[500] ^= 1
    victim.write_bytes(content)
    for spoil in (lambda: None, victim.unlink):
        spoil()
        with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz is missing or damaged"):
            load_dataset()


def changed(arrays, name, change):
    return {**arrays, name: change(arrays[name])}


def with_label(value, index):
    return lambda labels: np.where(np.arange(len(labels)) == index, value, labels).astype(np.uint8)


BAD_SETS = {
    "one label too few": (TRAIN_LABELS, lambda a: a[:-1], ["30 images", "29 labels"]),
    "no images": (TEST_IMAGES, lambda a: a[:0], ["no images"]),
    "flat images": (TRAIN_IMAGES, lambda a: a.reshape(30, 48), ["is 30 x 48", "no gray images"]),
    "other sizes": (TEST_IMAGES, lambda a: a[:, 1:], ["8 x 6 pixels", "7 x 6"]),
    "a stray label": (TRAIN_LABELS, with_label(200, 7), ["label 200 is out of range", "class 3"]),
    "a stray 10": (TRAIN_LABELS, with_label(10, 4), ["label 10 is out of range", "fewer than two"]),
}


@pytest.mark.parametrize("case", BAD_SETS)
def test_arrays_that_do_not_fit_are_refused_with_the_file_and_the_numbers(tmp_path, arrays, case):
    name, change, phrases = BAD_SETS[case]
    folder = write_set(tmp_path / "bad", changed(arrays, name, change))
    with pytest.raises(DataError) as caught:
        load_dataset(data_dir=folder)
    for phrase in [str(folder / name), *phrases]:
        assert phrase in str(caught.value)
    (folder / TRAIN_LABELS).unlink()
    with pytest.raises(DataError, match=f"{folder} holds no {TRAIN_LABELS} "):
        load_dataset(data_dir=folder)


def test_classes_are_counted_and_a_few_digits_need_not_show_all(tmp_path, arrays):
    labels = np.arange(30, dtype=np.uint8) // 2  # fifteen classes, two examples each
    many = write_set(tmp_path / "many", {**arrays, TRAIN_LABELS: labels})
    assert len(load_dataset(data_dir=many).class_names) == 15
    few = write_set(tmp_path / "few", changed(arrays, TEST_LABELS, with_label(9, 0)))
    assert load_dataset(data_dir=few).class_names == tuple("0123456789")


def test_a_folder_replaces_a_download_and_may_have_one_for_each_name(tmp_path, arrays):
    write_set(tmp_path / "kmnist", arrays)
    write_set(tmp_path / "FashionMNIST", changed(arrays, TRAIN_IMAGES, lambda a: 255 - a))
    kmnist = load_dataset("kmnist", tmp_path)
    np.testing.assert_array_equal(kmnist.train_images, arrays[TRAIN_IMAGES])
    fashion = load_dataset("fashion-mnist", tmp_path)
    np.testing.assert_array_equal(fashion.train_images, 255 - arrays[TRAIN_IMAGES])
    assert (fashion.name, fashion.class_names[9]) == ("fashion-mnist", "Ankle boot")
    assert load_dataset("kmnist", tmp_path / "FashionMNIST").name == "kmnist"


def test_the_environment_variable_replaces_a_download_and_nothing_else(
    tmp_path, arrays, monkeypatch
):
    monkeypatch.setenv("TINYCNN_DATA", str(write_set(tmp_path / "here", arrays)))
    other = write_set(tmp_path / "there", {name: z[:9] for name, z in arrays.items()})
    assert len(load_dataset("mnist").train_images) == 30
    assert len(load_dataset("mnist10k").train_images) == 8000
    assert len(load_dataset("mnist", data_dir=other).train_images) == 9
    monkeypatch.setenv("TINYCNN_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="TINYCNN_DATA is set, but there is no folder"):
        load_dataset("mnist")


def test_a_dataset_made_of_arrays_is_checked_too(arrays):
    assert Dataset("mine", *arrays.values(), class_names=("a", "b", "c")).image_size == (8, 6)
    with pytest.raises(DataError, match=r"train_labels: label 2 at index 2 .*0 to 1"):
        Dataset("mine", *arrays.values(), class_names=("a", "b"))


def test_the_fingerprint_tells_the_data_and_the_sources_tell_the_files(tmp_path, arrays):
    plain = write_set(tmp_path / "plain", arrays)
    packed = write_set(tmp_path / "packed", arrays, lambda name: f"{name}.gz")
    pixel = np.zeros((30, 8, 6), np.uint8)
    pixel[29, 7, 5] = 1
    other = write_set(tmp_path / "other", changed(arrays, TRAIN_IMAGES, lambda a: a ^ pixel))
    one, two, three = (load_dataset(data_dir=folder) for folder in (plain, packed, other))
    assert one.fingerprint == two.fingerprint != three.fingerprint
    assert one.test_fingerprint == three.test_fingerprint != one.fingerprint
    assert (one.name, two.name) == ("plain", "packed")
    assert two.sources == tuple(f"{packed / name}.gz" for name in FILE_NAMES)


@given(count=st.integers(2, 70_000), fraction=st.floats(0.01, 0.9))
@example(count=10, fraction=1.0)
@example(count=10, fraction=float("nan"))
@example(count=3, fraction=0.1)
def test_validation_is_the_last_block_and_no_side_is_empty(count, fraction):
    if not (0 < fraction < 1 and 0 < round(count * fraction) < count):
        with pytest.raises(DataError, match="kept apart for validation"):
            split_validation(count, fraction)
        return
    train, validation = split_validation(count, fraction)
    assert [*train, *validation] == list(range(count))
    assert abs(len(validation) - count * fraction) <= 0.5


ODD = {
    "inverted": lambda images: 255 - images,
    "transposed": lambda images: images.transpose(0, 2, 1),
    "not scaled": lambda images: images // 16,
}


@pytest.mark.parametrize("oddity", ODD)
def test_images_that_look_inverted_transposed_or_unscaled_are_warned_of_once(
    tmp_path, capsys, oddity
):
    images, labels = (z[:400] for z in load_dataset().part("train"))
    odd = ODD[oddity](images)
    arrays = dict(zip(FILE_NAMES, (odd, labels, odd, labels), strict=True))
    folder = write_set(tmp_path / "own", arrays)
    for _ in range(2):
        load_dataset(data_dir=folder)
    (line,) = capsys.readouterr().err.splitlines()
    assert TRAIN_IMAGES in line
    assert f"are {oddity}" in line


def test_no_part_of_mnist_looks_odd_and_every_transposed_part_does():
    digits = load_dataset()
    for start in range(0, 8000, 400):
        images, labels = (z[start : start + 400] for z in digits.part("train"))
        assert check_oddity(images, labels, "images") is None
        assert check_oddity(images, None, "images") is None
        assert "transposed" in check_oddity(images.transpose(0, 2, 1), labels, "images")
        assert "transposed" in check_oddity(images.transpose(0, 2, 1), None, "emnist.gz")
        assert check_oddity(images, None, "emnist.gz") is None


def test_ordinary_pictures_of_other_things_do_not_look_odd():
    rng = np.random.default_rng(3)
    wide = np.zeros((200, 28, 28), np.uint8)
    wide[:, 10:18, 2:26] = rng.integers(100, 256, (200, 8, 24))  # shoes, not transposed digits
    labels = np.arange(200) % 10
    wide[labels == 1] = wide[labels == 1].transpose(0, 2, 1)  # trousers
    for images in (wide, rng.integers(0, 256, (200, 28, 28), dtype=np.uint8)):
        assert check_oddity(images, labels, "images") is None
