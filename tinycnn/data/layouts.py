"""Digits as people keep them: IDX, .npz, CSV, a folder of pictures for each class.

Whatever the layout, four arrays come out: images and labels to train, and to test. Where there is
only one part, the last fifth of each class is the test part.
"""

import csv
import math
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from tinycnn.data.catalogue import FILE_NAMES
from tinycnn.data.idx import MAX_BYTES, read_idx
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
LARGEST_SIDE = 512  # pixels
TEST_SHARE = 5  # one of so many


@dataclass(frozen=True)
class Layout:
    """Two or four arrays, what each is called in messages, and the names of the classes."""

    arrays: tuple[np.ndarray, ...]
    sources: tuple[str, ...]
    class_names: tuple[str, ...] | None = None


def read_layout(place: Path) -> Layout:
    """The data set in a folder or file; DataError if there is none."""
    if not place.exists() and not _is_emnist(place):
        raise DataError(f"there is no folder {place}")
    for read in (_idx, _npz, _csv, _class_folders):
        try:
            found = read(place)
        except DataError:
            raise
        except Exception as error:  # other libraries' parsers raise all kinds
            why = " ".join(f"{error}".split())[:160]
            raise DataError(f"{place} cannot be read: {why}") from error
        if found:
            found = _named(place, found if len(found.arrays) == 4 else _with_test_part(found))
            strange = [name for name in found.class_names or () if not name.isprintable()]
            if strange:
                raise DataError(f"{place} has a class named {strange[0]!r}; letters are wanted")
            return found
    raise DataError(
        f"{place} holds no {FILE_NAMES[0]} and the like (plain or .gz), no .npz, no .csv and no "
        "folders of pictures; a data set is images and labels to train and to test"
    )


def _named(place: Path, found: Layout) -> Layout:
    folder = place if place.is_dir() else place.parent
    if found.class_names or not (folder / CLASSES).is_file():
        return found
    names = (folder / CLASSES).read_text(encoding="utf-8").split("\n")
    return replace(found, class_names=tuple(name.strip() for name in names if name.strip()))


def _with_test_part(found: Layout) -> Layout:
    images, labels = found.arrays
    if len(images) != len(labels):
        held = f"{len(images):,} images and {len(labels):,} labels"
        raise DataError(f"{found.sources[0]} holds {held}; each image has one label")
    rank = np.empty(len(labels), int)
    counts = np.bincount(labels)
    for k in range(len(counts)):
        rank[labels == k] = np.arange(counts[k])
    test = rank >= counts[labels] - counts[labels] // TEST_SHARE
    arrays = images[~test], labels[~test], images[test], labels[test]
    return replace(found, arrays=arrays, sources=2 * found.sources)


# --------------------------------------------------------------------------------------- IDX


def idx_files(folder: Path, prefix: str = "") -> list[Path]:
    """The four IDX files in ``folder``, in the catalogue's order; none if none is there.

    A name may end in .gz, may have a dot instead of its last but one dash
    (``train-images.idx3-ubyte``), and may be a folder that holds the file, as in Kaggle's archive.
    """
    names = [prefix + (name.replace("t10k", "test") if prefix else name) for name in FILE_NAMES]
    found = {name: _variants(folder, name) for name in names}
    missing = [name for name, paths in found.items() if not paths]
    if 0 < len(missing) < len(names):
        raise DataError(
            f"{folder} holds no {', '.join(missing)} (plain or .gz); "
            "a data set is four IDX files, images and labels to train and to test"
        )
    return [paths[0] for paths in found.values() if paths]


def _variants(folder: Path, name: str) -> list[Path]:
    dotted = name.replace("-idx", ".idx")
    names = (f"{name}.gz", name, f"{dotted}.gz", dotted)
    inside = [folder / outer / inner for outer in names for inner in names]
    return [path for path in [*(folder / z for z in names), *inside] if path.is_file()]


def _idx(place: Path) -> Layout | None:
    """IDX files in the folder, in torchvision's MNIST/raw below it, or EMNIST's."""
    found = [place] if idx_files(place) else []
    for below in ("raw", "*/raw"):
        found += [folder for folder in sorted(place.glob(below)) if idx_files(folder)]
    found += [place] if _is_emnist(place) else _emnist_sets(place)
    if len(found) > 1:
        raise DataError(f"{place} holds several data sets; name one: {', '.join(map(str, found))}")
    if not found:
        return None
    if _is_emnist(found[0]):
        return _read_emnist(found[0])
    paths = idx_files(found[0])
    return Layout(tuple(map(read_idx, paths)), tuple(map(str, paths)))


def _is_emnist(place: Path) -> bool:
    """Whether ``place`` is a folder and the start of file names in it: DIR/emnist-digits."""
    return not place.exists() and bool([*place.parent.glob(f"{place.name}-train-images*")])


def _emnist_sets(place: Path) -> list[Path]:
    folders = [place, place / "gzip", *place.glob("*/raw")]
    files = (path for folder in folders for path in folder.glob("emnist-*-train-images*"))
    return sorted({path.with_name(path.name.partition("-train-images")[0]) for path in files})


def _read_emnist(place: Path) -> Layout:
    """EMNIST's images are transposed, and the labels of its letters count from 1."""
    paths = idx_files(place.parent, f"{place.name}-")
    arrays = [*map(read_idx, paths)]
    first = np.uint8(min(arrays[1].min(initial=1), 1))
    for part in (0, 2):
        arrays[part] = np.ascontiguousarray(arrays[part].swapaxes(1, 2))
        arrays[part + 1] = arrays[part + 1] - first
    mapping, names = place.with_name(f"{place.name}-mapping.txt"), None
    if mapping.is_file():  # label, then the code of the character
        names = tuple(chr(int(line.split()[1])) for line in mapping.read_text().splitlines())
    return Layout(tuple(arrays), tuple(map(str, paths)), names)


# ------------------------------------------------------------------------------ .npz and CSV


def _npz(place: Path) -> Layout | None:
    files = [place] if place.suffix == ".npz" else sorted(place.glob("*.npz"))
    if not files:
        return None
    with zipfile.ZipFile(files[0]) as archive:
        sizes = {z.filename.removesuffix(".npy"): z.file_size for z in archive.infolist()}
        for keys in KEYS:
            if {*keys} <= {*sizes}:
                if max(sizes[key] for key in keys) > MAX_BYTES:
                    raise DataError(f"{files[0]} holds more than {MAX_BYTES:,} bytes in an array")
                arrays = [_array(archive, key) for key in keys]
                return _as_gray(arrays, tuple(f"{files[0]}: {key}" for key in keys))
    known = "; ".join(", ".join(keys) for keys in KEYS)
    found = ", ".join(map(repr, sizes))[:160]
    raise DataError(f"{files[0]} holds {found}, but not {known}")


def _array(archive: zipfile.ZipFile, key: str) -> np.ndarray:
    with archive.open(f"{key}.npy") as file:
        array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
        return array


def _csv(place: Path) -> Layout | None:
    """A row for each image: its label, then its pixels; the first row may hold names."""
    files = [place] if place.suffix == ".csv" else sorted(place.glob("*.csv"))
    if not files:
        return None
    test = [path for path in files if any(name in path.stem.lower() for name in TEST_NAMES)]
    train = [path for path in files if path not in test] or files
    tables = [_table(path) for path in (train[0], *test[:1])]
    if len({table.shape[1] for table in tables}) > 1:  # Kaggle's test.csv has no labels
        tables = tables[:1]
    names = [str(path) for path in (train[0], *test)][: len(tables)]
    arrays = [part for table in tables for part in (table[:, 1:], table[:, 0])]
    return _as_gray(arrays, tuple(name for name in names for _ in "il"))


def _table(path: Path) -> np.ndarray:
    with path.open(newline="", encoding="utf-8-sig") as file:
        first = next(csv.reader(file), [""])
        has_names = not first[0].strip().isdecimal()
    table = np.loadtxt(path, np.uint8, delimiter=",", skiprows=int(has_names), ndmin=2)
    if table.shape[1] < 2:
        raise DataError("a row is a label and the pixels of an image, with commas between them")
    return table


def _as_gray(arrays: list[np.ndarray], sources: tuple[str, ...]) -> Layout:
    """Images (N,H,W) uint8, from rows or with an axis for the channel too, and labels (N,)."""
    found = []
    for images, labels in zip(arrays[::2], arrays[1::2], strict=True):
        N, *sizes = images.shape
        sizes = [size for size in sizes if size > 1] if len(sizes) > 2 else sizes
        side = math.isqrt(math.prod(sizes))
        sizes = sizes if len(sizes) == 2 else [side, side]
        if side < 1 or math.prod(sizes) * N != images.size:
            shape = " x ".join(map(str, images.shape))
            raise DataError(f"{sources[0]} is {shape}, which are no gray images")
        scale = 255 if images.dtype.kind == "f" and images.max(initial=0) <= 1 else 1
        levels = np.rint(images * scale).reshape(N, *sizes)
        for z in (levels, labels):
            if not (z >= 0).all() or not (z <= 255).all():  # or it is NaN
                raise DataError(f"{sources[0]} or its labels are not all from 0 to 255")
        if (labels % 1).any():
            raise DataError(f"the labels of {sources[0]} are not all whole numbers")
        found += [levels.astype(np.uint8), labels.reshape(-1).astype(np.uint8)]
    return Layout(tuple(found), sources)


# ------------------------------------------------------------------- a folder for each class


def _class_folders(place: Path) -> Layout | None:
    """Pictures in DIR/CLASS, or in DIR/train/CLASS and DIR/test/CLASS."""
    inside = {path.name.lower(): path for path in sorted(place.glob("*/"))}
    train = inside.get("train", inside.get("training", place))
    test = [inside[name] for name in TEST_NAMES if name in inside and train != place]
    parts = [train, *test[:1]]
    names = sorted({path.parent.name for part in parts for path in _pictures(part)}, key=_order)
    if not names:
        return None
    if len(names) > 256:
        raise DataError(f"{train} holds {len(names)} folders of pictures, more than 256")
    arrays, sources = [], []
    for part in parts:
        arrays += _read_pictures(part, names)
        sources += [str(part), str(part)]
    return Layout(tuple(arrays), tuple(sources), tuple(names))


def _order(name: str) -> tuple[int, str]:
    return (int(name) if name.isdecimal() else 10**9, name)


def _pictures(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*/*")) if path.suffix.lower() in PICTURES]


def _read_pictures(folder: Path, names: list[str]) -> list[np.ndarray]:
    paths, size = _pictures(folder), None
    images = []
    for path in paths:
        with Image.open(path, formats=("PNG", "JPEG", "BMP", "WEBP")) as picture:
            size = size or picture.size
            if picture.size != size or max(size) > LARGEST_SIDE:
                wanted = f"{size[0]} x {size[1]}, as {paths[0]} is, and {LARGEST_SIDE} at most"
                raise DataError(
                    f"{path} is {picture.width} x {picture.height} pixels, not {wanted}; "
                    "give all pictures one size, 28 x 28 for digits"
                )
            images.append(np.asarray(picture.convert("L")))
    if len(images) * images[0].size > MAX_BYTES:
        raise DataError(f"{folder} holds more pixels than the {MAX_BYTES:,} that are read")
    labels = np.array([names.index(path.parent.name) for path in paths], np.uint8)
    return [np.stack(images), labels]
