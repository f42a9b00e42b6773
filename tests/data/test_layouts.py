"""Digits in the layouts that people have: each gives the arrays that its IDX files would give."""

import numpy as np
import pytest
from PIL import Image

from tinycnn.data import load_dataset, write_idx
from tinycnn.data.__main__ import main
from tinycnn.data.catalogue import FILE_NAMES
from tinycnn.errors import DataError


@pytest.fixture
def arrays():
    """Four arrays of 30 and 9 images of three classes."""
    rng = np.random.default_rng(0)
    found = []
    for count in (30, 9):
        found += [rng.integers(0, 200, (count, 6, 6), np.uint8), np.arange(count) % 3]
        found[-2][:, 0, 0] = 255
    return [array.astype(np.uint8) for array in found]


def idx(folder, arrays, names=FILE_NAMES):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(names, arrays, strict=True):
        write_idx(folder / name, array)


def packed_with_dots(folder, arrays):
    idx(folder, arrays, [f"{name.replace('-idx', '.idx')}.gz" for name in FILE_NAMES])


def torchvision(folder, arrays):
    idx(folder / "MNIST" / "raw", arrays)


def kaggle_archive(folder, arrays):
    """Folders named like the files that are in them."""
    for name, array in zip(FILE_NAMES, arrays, strict=True):
        idx(folder / name, [array], [name])


def emnist(folder, arrays, letters=0):
    """All images transposed; the labels of letters count from 1."""
    names = [f"emnist-digits-{name.replace('t10k', 'test')}.gz" for name in FILE_NAMES]
    turned = [z.swapaxes(1, 2) if z.ndim == 3 else z + np.uint8(letters) for z in arrays]
    idx(folder / "gzip", turned, names)


def emnist_letters(folder, arrays):
    emnist(folder, arrays, letters=1)


def npz_of_keras(folder, arrays):
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez_compressed(folder / "mnist.npz", **dict(zip(names, arrays, strict=True)))


def npz_of_floats(folder, arrays):
    """With an axis for the channel, and numbers from 0 to 1."""
    names = ("train_images", "train_labels", "test_images", "test_labels")
    changed = [z[:, None] / 255 if z.ndim == 3 else z[:, None].astype(int) for z in arrays]
    np.savez(folder / "x.npz", **dict(zip(names, changed, strict=True)))


def table(path, images, labels, head=True):
    rows = np.column_stack([labels, images.reshape(len(images), -1)])
    names = ",".join(["label", *(f"pixel{k}" for k in range(images[0].size))])
    np.savetxt(path, rows, "%d", ",", header=names if head else "", comments="")


def two_csv(folder, arrays):
    table(folder / "mnist_train.csv", *arrays[:2])
    table(folder / "mnist_test.csv", *arrays[2:], head=False)


def pictures(folder, images, labels):
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        of_class = folder / str(label)
        of_class.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(of_class / f"{index:03}.png")


def folder_of_pictures(folder, arrays):
    pictures(folder / "train", *arrays[:2])
    pictures(folder / "test", *arrays[2:])


LAYOUTS = [idx, packed_with_dots, torchvision, kaggle_archive, emnist, emnist_letters]
LAYOUTS += [npz_of_keras, npz_of_floats, two_csv, folder_of_pictures]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_images_and_labels(layout, tmp_path, arrays):
    layout(tmp_path, arrays)
    dataset = load_dataset(data_dir=tmp_path)
    found = [*dataset.part("train"), *dataset.part("test")]
    for mine, theirs in zip(found, arrays, strict=True):
        if layout is folder_of_pictures:  # class by class
            order = np.argsort(arrays[1 if len(theirs) == 30 else 3], kind="stable")
            theirs = theirs[order]
        np.testing.assert_array_equal(mine, theirs)
    assert dataset.class_names == ("0", "1", "2")


def one_csv(folder, arrays):
    """Kaggle's train.csv, with a test.csv that has no labels."""
    table(folder / "train.csv", *arrays[:2])
    np.savetxt(folder / "test.csv", arrays[2].reshape(9, 36), "%d", ",", header="p", comments="")


def one_npz(folder, arrays):
    np.savez(folder / "x.npz", images=arrays[0], labels=arrays[1])


@pytest.mark.parametrize("layout", [one_csv, one_npz])
def test_of_a_single_part_the_last_fifth_of_each_class_is_for_testing(layout, tmp_path, arrays):
    layout(tmp_path, arrays)
    dataset = load_dataset(data_dir=tmp_path)
    np.testing.assert_array_equal(dataset.train_images, arrays[0][:24])
    np.testing.assert_array_equal(dataset.test_labels, arrays[1][24:])


def test_a_folder_for_each_class_names_the_classes_and_numbers_are_in_order(tmp_path, arrays):
    pictures(tmp_path / "x", arrays[0], np.array([3, 10, 7])[arrays[1]])
    dataset = load_dataset(data_dir=tmp_path / "x")
    assert dataset.class_names == ("3", "7", "10")
    assert (len(dataset.train_images), len(dataset.test_images)) == (24, 6)


def test_make_writes_idx_files_and_names_and_not_over_its_input(tmp_path, arrays, capfd, refused):
    npz_of_keras(tmp_path, arrays)
    words = ["make", str(tmp_path / "y"), "--from", str(tmp_path / "mnist.npz"), "--classes"]
    for wrong in ("a,b", "a,b,b", "a,,b"):
        assert "--classes has to give 3 different names" in refused(main, *words, wrong)
    assert main([*words, "ant,bee,cat"]) == 0
    dataset = load_dataset(data_dir=tmp_path / "y")
    assert dataset.class_names == ("ant", "bee", "cat")
    np.testing.assert_array_equal(dataset.test_images, arrays[2])
    assert "30 images to train and 9 to test are in" in capfd.readouterr().out
    assert "is an input" in refused(main, "make", tmp_path / "y", "--from", tmp_path / "y")


def npz(images="x", labels="y", x=np.asarray, y=np.asarray):
    """Write x.npz: two names, and what is made of images and labels."""
    return lambda path, arrays: np.savez(path, **{images: x(arrays[0]), labels: y(arrays[1])})


def text(path, arrays):
    path.with_suffix(".csv").write_text("label,p\n1,2\nx,3\n")


def two_sizes(path, arrays):
    pictures(path.parent, arrays[0][:5], arrays[1][:5])
    Image.new("L", (5, 6)).save(path.parent / "0" / "zzz.png")


def two_sets(path, arrays):
    idx(path.parent / "MNIST" / "raw", arrays)
    idx(path.parent / "KMNIST" / "raw", arrays)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path, arrays: path.write_bytes(b"PK\3\4 and nothing"), "cannot be read"),
        (npz(x=lambda images: np.array([{}])), "Object arrays cannot be loaded"),
        (npz("a", "b"), "holds 'a', 'b', but not x_train, y_train"),
        (npz(x=lambda images: np.zeros((30, 6, 6, 3))), "which are no gray images"),
        (npz(x=lambda images: images * 2.0), "not all whole numbers from 0 to 255"),
        (npz(y=lambda labels: labels / 2), "labels are not all whole numbers"),
        (text, "could not convert string 'x'"),
        (two_sizes, r"zzz.png is 5 x 6 pixels, not 6 x 6; give all one size"),
        (two_sets, "holds several data sets; name one: "),
    ],
)
def test_what_cannot_be_read_is_told_with_the_file(spoil, sentence, tmp_path, arrays):
    spoil(tmp_path / "x.npz", arrays)
    with pytest.raises(DataError, match=sentence) as caught:
        load_dataset(data_dir=tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_of_several_emnist_sets_is_named_by_the_start_of_its_files(tmp_path, arrays):
    emnist(tmp_path, arrays)
    for path in [*(tmp_path / "gzip").iterdir()]:
        path.with_name(path.name.replace("digits", "letters")).write_bytes(path.read_bytes())
    (tmp_path / "gzip" / "emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n3 67 99\n")
    with pytest.raises(DataError, match="holds several data sets"):
        load_dataset(data_dir=tmp_path)
    letters = load_dataset(data_dir=tmp_path / "gzip" / "emnist-letters")
    assert (letters.name, letters.class_names) == ("emnist-letters", ("A", "B", "C"))
    np.testing.assert_array_equal(letters.train_images, arrays[0])
