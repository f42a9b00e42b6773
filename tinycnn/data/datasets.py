"""A data set is four arrays that belong together, and this module makes sure that they do.

``load_dataset("mnist10k")`` comes with tinycnn, the other names of the catalogue are downloaded
once, and a folder of your own needs only the four IDX files. Images stay uint8, one byte per
pixel; training scales them batch by batch.
"""

import functools
import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinycnn import notebook
from tinycnn.data.catalogue import (
    CATALOGUE,
    NamedSet,
    bundled_folder,
    named_set,
    sha256_of,
)
from tinycnn.data.checks import check_arrays, check_labels, count_classes, oddity
from tinycnn.data.idx import read_idx
from tinycnn.data.layouts import Layout, read_layout
from tinycnn.errors import DataError
from tinycnn.files import PathLike

DEFAULT = "mnist10k"
ENVIRONMENT_VARIABLE = "TINYCNN_DATA"
TORCHVISION = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "kmnist": "KMNIST"}
"""The folders that torchvision makes in its root folder."""
SHOWN = 20  # digits, in a notebook


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels for training, and others for testing.

    images (N,H,W) are uint8, for digits 0 is paper and 255 ink; labels (N,) are uint8, indices
    into ``class_names``. ``sources`` names the file of each array, if there is one. Arrays made in
    memory may also be float32, with 1 for ink, and labels uint16; the test part may be empty.
    Raises DataError if the arrays do not fit together.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    sources: tuple[str, ...] = ("train_images", "train_labels", "test_images", "test_labels")

    def __post_init__(self) -> None:
        arrays = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        check_arrays(arrays, self.sources, from_files=False)
        check_labels(self.train_labels, len(self.class_names), self.sources[1])
        check_labels(self.test_labels, len(self.class_names), self.sources[3])

    @property
    def image_size(self) -> tuple[int, int]:
        """(H, W), the same in both parts."""
        _, height, width = self.train_images.shape
        return height, width

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the training pixels and labels: the same data, however compressed."""
        return _sha256(self.train_images, self.train_labels)

    @functools.cached_property
    def test_fingerprint(self) -> str:
        """The same of the test part."""
        return _sha256(self.test_images, self.test_labels)

    def _repr_html_(self) -> str:
        """Show the sizes, and the first digits, in a notebook."""
        H, W = self.image_size
        sizes = [("training", len(self.train_images)), ("test", len(self.test_images))]
        rows = [(part, f"{count:,}", f"{H} x {W}") for part, count in sizes]
        names = [self.class_names[k] for k in self.train_labels[:SHOWN]]
        return notebook.table((self.name, "images", "pixels"), *rows) + notebook.gallery(
            self.train_images[:SHOWN], names
        )

    def part(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """The images and labels to "train" or to "test"."""
        if split == "train":
            return self.train_images, self.train_labels
        return self.test_images, self.test_labels

    def labels_in(self, classes: Sequence[str], labels: np.ndarray) -> np.ndarray:
        """``labels`` of this data set as indices into ``classes``; -1 where a class is missing."""
        numbers = [classes.index(name) if name in classes else -1 for name in self.class_names]
        indices: np.ndarray = np.array(numbers)[labels]
        return indices


def load_dataset(name: str = DEFAULT, data_dir: PathLike | None = None) -> Dataset:
    """The data set ``name``, or the one in the folder ``data_dir``.

    ``mnist10k`` is bundled. ``mnist``, ``fashion-mnist`` and ``kmnist`` are downloaded into the
    user's cache the first time, unless TINYCNN_DATA names a folder that has them.

    ``data_dir`` always wins. It holds the four IDX files under their usual names, plain or .gz,
    or has a folder ``name`` that does; or it is any other layout that ``layouts.py`` reads, and
    names of classes may be in its classes.txt. With a downloadable ``name`` it replaces the
    download; without (``mnist10k`` needs no folder) it is a data set of your own, whose classes
    are counted from its labels unless it names them. TINYCNN_DATA leaves ``mnist10k`` alone, so
    that the default means the same digits everywhere.

    Raises DataError, DownloadError or EnvironmentFault.
    """
    named = named_set(name)
    if data_dir is not None:
        return _warned_of(_from_folder(Path(data_dir), None if named.bundled else named))
    if named.bundled:
        folder = _verified_bundle(named)
    elif instead := os.environ.get(ENVIRONMENT_VARIABLE):
        try:
            return _warned_of(_from_folder(Path(instead), named))
        except DataError as error:
            raise DataError(f"{ENVIRONMENT_VARIABLE} is set, but {error}") from error
    else:
        from tinycnn.data.download import fetch  # the network's libraries, only when needed

        folder = fetch(named)
    paths = [folder / file.name for file in named.files]
    arrays = tuple(map(read_idx, paths))
    return _checked(named.name, Layout(arrays, tuple(map(str, paths)), named.class_names))


def split_validation(count: int, fraction: float = 0.1) -> tuple[range, range]:
    """Indices (to train on, to validate on) of ``count`` training images.

    The validation images are the last block, not a random draw: neighbors in MNIST are by the
    same writer, and a random draw would only test on writers the network has seen.
    """
    if not 0 < fraction < 1 or not 0 < round(count * fraction) < count:
        raise DataError(
            f"{fraction:g} of {count:,} training images cannot be kept apart for validation; "
            "at least one image has to be on either side"
        )
    start = count - round(count * fraction)
    return range(start), range(start, count)


def _verified_bundle(named: NamedSet) -> Path:
    folder = bundled_folder(named.name)
    for file in named.files:
        if not file.is_genuine(folder / file.name):
            raise DataError(
                f"the bundled file {folder / file.name} is missing or damaged; "
                "install or check out tinycnn again"
            )
    return folder


def _from_folder(folder: Path, named: NamedSet | None) -> Dataset:
    """The data set in a folder: your own, or ``named`` instead of its download."""
    if named:
        below = (folder / name for name in (named.name, TORCHVISION.get(named.name, named.name)))
        folder = next((path for path in below if path.is_dir()), folder)
    found = read_layout(folder)
    if named is None:
        return _checked(folder.resolve().name or str(folder), found)
    dataset = _checked(named.name, replace(found, class_names=named.class_names))
    owners = (_owner(Path(source)) for source in found.sources if os.path.isfile(source))
    impostors = {known.name for known in owners if known} - {named.name}
    if impostors:
        raise DataError(
            f"{folder} holds files of {' and '.join(impostors)}, not of {named.name}; put those "
            f"of {named.name} into a folder {named.name} inside it, or name another folder"
        )
    return dataset


def _warned_of(dataset: Dataset) -> Dataset:
    """Return ``dataset``; warn first if its images look inverted, transposed or unscaled."""
    for split, name in zip(("train", "test"), dataset.sources[::2], strict=True):
        if found := oddity(*dataset.part(split), name):
            _warn_once(f"the images in {name} look as if they {found}")
            break
    return dataset


@functools.cache
def _warn_once(sentence: str) -> None:
    print(f"warning: {sentence}", file=sys.stderr)


def _checked(name: str, found: Layout) -> Dataset:
    """Check the arrays; without names of classes, these are those of the labels."""
    train_images, train_labels, test_images, test_labels = arrays = found.arrays
    check_arrays(arrays, found.sources)
    class_names = found.class_names
    if class_names is None:
        n_classes = count_classes(train_labels, test_labels, found.sources[1])
        class_names = tuple(map(str, range(n_classes)))
    return Dataset(
        name, train_images, train_labels, test_images, test_labels, class_names, found.sources
    )


def _owner(path: Path) -> NamedSet | None:
    """The set that published this very file, if one of the catalogue did."""
    owners = {file.sha256: named for named in CATALOGUE.values() for file in named.files}
    return owners.get(sha256_of(path))


def _sha256(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
