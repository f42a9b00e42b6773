"""A data set is four arrays that belong together, and this module makes sure that they do.

Images stay uint8, one byte per pixel; training scales them batch by batch.
"""

import functools
import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycnn import notebook
from tinycnn.data.catalogue import NamedSet, named_set
from tinycnn.data.checks import check_arrays, count_classes, oddity
from tinycnn.data.layouts import read_layout
from tinycnn.errors import DataError
from tinycnn.files import PathLike

DEFAULT = "mnist10k"
ENVIRONMENT_VARIABLE = "TINYCNN_DATA"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels for training, and others for testing.

    images (N,H,W) are uint8, for digits 0 is paper and 255 ink; labels (N,) are uint8, indices
    into ``class_names``. ``sources`` names the file of each array, if there is one. Images may also
    be float32, with 1 for ink, and labels uint16; the test part may be empty. Raises DataError.
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
        check_arrays(arrays, self.sources, len(self.class_names))

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
        names = [self.class_names[k] for k in self.train_labels[:20]]
        table = notebook.table((self.name, "images", "pixels"), *rows)
        return table + notebook.gallery(self.train_images[:20], names)

    def part(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """The images and labels to "train" or to "test"."""
        if split == "train":
            return self.train_images, self.train_labels
        return self.test_images, self.test_labels

    def labels_in(self, classes: Sequence[str], labels: np.ndarray) -> np.ndarray:
        """``labels`` of this data set as indices into ``classes``; -1 where a class is missing."""
        numbers = [classes.index(name) if name in classes else -1 for name in self.class_names]
        return np.asarray(np.array(numbers)[labels])


def load_dataset(name: str = DEFAULT, data_dir: PathLike | None = None) -> Dataset:
    """The data set ``name``, or the one in the folder ``data_dir``, in any layout of ``layouts``.

    ``mnist10k`` is bundled; the others are downloaded into the user's cache the first time, unless
    TINYCNN_DATA or ``data_dir`` names a folder that has them, or has a folder ``name`` that does.
    With the default name, ``data_dir`` is a data set of your own, whose classes are counted from
    its labels unless it names them. TINYCNN_DATA leaves ``mnist10k`` alone, so that the default
    means the same digits everywhere. Raises DataError, DownloadError or EnvironmentFault.
    """
    named, instead = named_set(name), os.environ.get(ENVIRONMENT_VARIABLE)
    if data_dir is not None:
        return _from_folder(Path(data_dir), None if named.bundled else named)
    if instead and not named.bundled:
        try:
            return _from_folder(Path(instead), named)
        except DataError as error:
            raise DataError(f"{ENVIRONMENT_VARIABLE} is set, but {error}") from error
    if named.missing():
        from tinycnn.data.download import fetch  # the network's libraries, only when needed

        fetch(named)
    return _from_folder(named.folder, named)


def split_validation(count: int, fraction: float = 0.1) -> tuple[range, range]:
    """Indices (to train on, to validate on) of ``count`` training images.

    The validation images are the last block, not a random draw: neighbors in MNIST are by the
    same writer, and a random draw would only test on writers the network has seen.
    """
    start = count - round(count * fraction) if 0 < fraction < 1 else 0
    if not 0 < start < count:
        what = f"{fraction:g} of {count:,} training images cannot be kept apart for validation"
        raise DataError(f"{what}; at least one image has to be on either side")
    return range(start), range(start, count)


def _from_folder(folder: Path, named: NamedSet | None) -> Dataset:
    """The data set in a folder: your own, or ``named``; warns if its images look odd."""
    if named:  # torchvision's folder is FashionMNIST
        names = named.name, named.name.replace("-", "")
        below = (path for path in folder.glob("*/") if path.name.lower() in names)
        folder = next(below, folder / named.name if named.members else folder)
    found = read_layout(folder)
    images, labels, test_images, test_labels = found.arrays
    if not len(test_images):
        raise DataError(f"{found.sources[2]} holds no images")
    class_names = named.class_names if named else found.class_names
    if class_names is None:
        n_classes = count_classes(labels, test_labels, found.sources[1])
        class_names = tuple(map(str, range(n_classes)))
    name = named.name if named else folder.resolve().name or str(folder)
    dataset = Dataset(name, images, labels, test_images, test_labels, class_names, found.sources)
    if odd := oddity(images, labels, found.sources[0]):
        _warn_once(f"the images in {found.sources[0]} look as if they {odd}")
    return dataset


@functools.cache
def _warn_once(sentence: str) -> None:
    print(f"warning: {sentence}", file=sys.stderr)


def _sha256(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
