"""Digits as people keep them: IDX, .npz, CSV, a folder of pictures for each class.

Whatever the layout, four arrays come out: images and labels to train, and to test. Where there is
only one part, the last fifth of each class is the test part.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from tinycnn.data.catalogue import FILE_NAMES
from tinycnn.data.checks import check_part
from tinycnn.data.idx import read_idx
from tinycnn.errors import DataError

CLASSES = "classes.txt"
"""The file beside the data that names the classes, one per line."""

KEYS = [
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("images", "labels"),
    ("x", "y"),
]
"""The names of arrays in .npz files: Keras', MedMNIST's, and files with one part."""

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
TEST_NAMES = ("test", "testing", "t10k")
LARGEST_SIDE, TEST_SHARE = 512, 5  # pixels; one of so many


@dataclass(frozen=True)
class Found:
    """Two or four arrays, what each is called in messages, and the names of the classes."""

    arrays: tuple[np.ndarray, ...]
    sources: tuple[str, ...]
    class_names: tuple[str, ...] | None = None


def read_layout(place: Path) -> Found:
    """The data set in a folder or file; DataError if there is none."""
    try:
        found = _idx(place) or _npz(place) or _csv(place) or _class_folders(place)
    except DataError:
        raise
    except Exception as error:  # other libraries' parsers raise all kinds
        why = " ".join(f"{error}".split())[:160]
        raise DataError(f"{place} cannot be read: {why}") from error
    if found:
        found = _as_gray(_named(place, found))
        return found if len(found.arrays) == 4 else _with_test_part(found)
    raise DataError(
        f"{place} holds no {FILE_NAMES[0]} and the like (plain or .gz), no .npz, no .csv and no "
        "folders of pictures; a data set is images and labels to train and to test"
    )


def _named(place: Path, found: Found) -> Found:
    file = (place if place.is_dir() else place.parent) / CLASSES
    if found.class_names or not file.is_file():
        return found
    lines = (line.strip() for line in file.read_text(encoding="utf-8").split("\n"))
    return replace(found, class_names=tuple(filter(None, lines)))


def _as_gray(found: Found) -> Found:
    """Images (N,H,W) uint8, from rows or with an axis for the channel too, and labels (N,)."""
    arrays = []
    pairs = zip(found.arrays[::2], found.arrays[1::2], found.sources[::2], strict=True)
    for images, labels, source in pairs:
        N, *sizes = images.shape
        sizes = [size for size in sizes if size > 1] if len(sizes) > 2 else sizes
        side = math.isqrt(math.prod(sizes))
        sizes = sizes if len(sizes) == 2 else [side, side]
        if len(images.shape) < 2 or side < 1 or math.prod(sizes) * N != images.size:
            shape = " x ".join(map(str, images.shape))
            raise DataError(f"{source} is {shape}, which are no gray images")
        if images.dtype.kind == "f":
            images = np.rint(images * (255 if images.max(initial=0) <= 1 else 1))
        for z in (images, labels):
            if z.dtype != np.uint8 and ((z % 1 != 0) | (z < 0) | (z > 255)).any():  # NaN % 1 is NaN
                raise DataError(f"{source} or its labels are not all whole numbers from 0 to 255")
        levels = images.reshape(N, *sizes).astype(np.uint8, copy=False)
        arrays += [levels, labels.reshape(-1).astype(np.uint8, copy=False)]
    return replace(found, arrays=tuple(arrays))


def _with_test_part(found: Found) -> Found:
    images, labels = found.arrays
    check_part(images, labels, *found.sources)
    test = np.zeros(len(labels), bool)
    for k in np.unique(labels):
        places = np.flatnonzero(labels == k)
        test[places[len(places) - len(places) // TEST_SHARE :]] = True
    arrays = images[~test], labels[~test], images[test], labels[test]
    return replace(found, arrays=arrays, sources=2 * found.sources)


def _idx(place: Path) -> Found | None:
    """IDX files in the folder, in torchvision's MNIST/raw below it, or EMNIST's.

    ``place`` may also be a folder and the start of file names in it: DIR/emnist-digits.
    """
    folder, start = (place, "") if place.exists() else (place.parent, f"{place.name}-")
    folders = [folder, folder / "raw", folder / "gzip", *folder.glob("*/raw")]
    found = (path for z in folders for path in z.glob(f"{start}*train-images?idx3-ubyte*"))
    sets = {(path.parent, path.name.partition("train-images")[0]) for path in found}
    if len(sets) > 1:
        names = ", ".join(sorted(f"{z / prefix}".removesuffix("-") for z, prefix in sets))
        raise DataError(f"{place} holds several data sets; name one: {names}")
    if not sets and not place.exists():
        raise DataError(f"there is no folder {place}")
    return _read_idx_files(*sets.pop()) if sets else None


def _read_idx_files(folder: Path, prefix: str) -> Found:
    """EMNIST's images are transposed, and the labels of its letters count from 1."""
    is_emnist = prefix.startswith("emnist-")
    names = [prefix + (name.replace("t10k", "test") if is_emnist else name) for name in FILE_NAMES]
    paths = [_idx_file(folder, name) for name in names]
    arrays = [*map(read_idx, paths)]
    mapping, classes = folder / f"{prefix}mapping.txt", None
    if is_emnist:
        first = np.uint8(min(arrays[1].min(initial=1), 1))
        for part in (0, 2):
            arrays[part] = np.ascontiguousarray(arrays[part].swapaxes(1, 2))
            arrays[part + 1] = arrays[part + 1] - first
    if is_emnist and mapping.is_file():  # label, then the code of the character
        classes = tuple(chr(int(line.split()[1])) for line in mapping.read_text().splitlines())
    return Found(tuple(arrays), tuple(map(str, paths)), classes)


def _idx_file(folder: Path, name: str) -> Path:
    """The file ``name`` in ``folder``; as in Kaggle's archive, it may be in a folder of its name.

    It may end in .gz, and may have a dot instead of its second dash (``train-images.idx3-ubyte``).
    """
    pattern = name.replace("-idx", "?idx") + "*"
    for path in (*folder.glob(pattern), *folder.glob(f"{pattern}/{pattern}")):
        if path.is_file() and path.name.endswith(("ubyte", "ubyte.gz")):
            return path
    raise DataError(f"{folder} holds no {name} (plain or .gz); a data set is four IDX files")


def _files(place: Path, ending: str) -> list[Path]:
    return [place] if place.suffix == ending else sorted(place.glob(f"*{ending}"))


def _npz(place: Path) -> Found | None:
    files = _files(place, ".npz")
    if not files:
        return None
    with files[0].open("rb") as file, np.lib.npyio.NpzFile(file) as archive:  # without pickles
        for keys in KEYS:
            if {*keys} <= {*archive.files}:
                arrays = tuple(archive[key] for key in keys)
                return Found(arrays, tuple(f"{files[0]}: {key}" for key in keys))
        names = ", ".join(map(repr, archive.files))[:160]
    known = "; ".join(", ".join(keys) for keys in KEYS)
    raise DataError(f"{files[0]} holds {names}, but not {known}")


def _csv(place: Path) -> Found | None:
    """A row for each image: its label, then its pixels; the first row may hold names."""
    files = _files(place, ".csv")
    if not files:
        return None
    test = [path for path in files if any(name in path.stem.lower() for name in TEST_NAMES)]
    train = [path for path in files if path not in test]
    chosen = [*(train or files)[:1], *test[:1]]
    tables = [_table(path) for path in chosen]
    if len({table.shape[1] for table in tables}) > 1:  # Kaggle's test.csv has no labels
        del tables[1:]
    arrays = [part for table in tables for part in (table[:, 1:], table[:, 0])]
    sources = [str(path) for path in chosen[: len(tables)] for _ in "il"]
    return Found(tuple(arrays), tuple(sources))


def _table(path: Path) -> np.ndarray:
    with path.open(newline="", encoding="utf-8-sig") as file:
        has_names = not next(csv.reader(file), [""])[0].strip().isdecimal()
    table = np.loadtxt(path, np.uint8, delimiter=",", skiprows=int(has_names), ndmin=2)
    if table.shape[1] < 2:
        raise DataError("a row is a label and the pixels of an image, with commas between them")
    return table


def _class_folders(place: Path) -> Found | None:
    """Pictures in DIR/CLASS, or in DIR/train/CLASS and DIR/test/CLASS."""
    inside = {path.name.lower(): path for path in place.glob("*/")}
    train = inside.get("train", inside.get("training", place))
    test = [inside[name] for name in TEST_NAMES if name in inside and train != place]
    parts = [train, *test[:1]]
    names = sorted({path.parent.name for part in parts for path in _pictures(part)})
    names.sort(key=lambda name: int(name) if name.isdecimal() else 10**9)
    if not names:
        return None
    arrays = [array for part in parts for array in _read_pictures(part, names)]
    return Found(tuple(arrays), tuple(str(part) for part in parts for _ in "il"), tuple(names))


def _pictures(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*/*")) if path.suffix.lower() in PICTURES]


def _read_pictures(folder: Path, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    paths, size = _pictures(folder), None
    images = []
    for path in paths:
        with Image.open(path, formats=("PNG", "JPEG", "BMP", "WEBP")) as picture:
            size = size or picture.size
            if picture.size != size or max(size) > LARGEST_SIDE:
                sizes = f"{picture.width} x {picture.height} pixels, not {size[0]} x {size[1]}"
                raise DataError(f"{path} is {sizes}; give all one size, 28 x 28 for digits")
            images.append(np.asarray(picture.convert("L")))
    return np.stack(images), np.array([names.index(path.parent.name) for path in paths])
