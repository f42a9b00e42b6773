"""The data sets that have a name, from ``catalogue.toml``, with the checksum of every file.

MNIST's are of the files as first published, the others TensorFlow Datasets' (``url_checksums/``).
Mirrors need no trust: a file counts only if its SHA-256 is right.
"""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinycnn.errors import DataError
from tinycnn.files import user_folder

# training images, training labels, test images, test labels: this order everywhere
FILE_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class OfficialFile:
    """One file as its makers published it; ``size`` in bytes."""

    name: str
    size: int
    sha256: str

    def is_genuine(self, path: Path) -> bool:
        """Whether ``path`` is there and holds exactly these bytes."""
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256


@dataclass(frozen=True)
class NamedSet:
    """A data set that ``load_dataset`` knows by name; without mirrors it comes with tinycnn."""

    name: str
    title: str
    class_names: tuple[str, ...]
    files: tuple[OfficialFile, ...]
    mirrors: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    """What is unpacked, if the file is a zip archive."""

    @property
    def bundled(self) -> bool:
        return not self.mirrors

    @property
    def folder(self) -> Path:
        """Where its files are: in the user's cache, in the package or in the checkout."""
        if not self.bundled:
            return user_folder("cache") / self.name
        package = Path(__file__).parent
        installed = package / "bundled" / self.name
        return installed if installed.is_dir() else package.parents[1] / "data" / self.name

    def missing(self) -> list[OfficialFile]:
        """The files that are not there, damaged or not unpacked."""
        unpacked = all((self.folder / member).is_file() for member in self.members)
        return [z for z in self.files if not (unpacked and z.is_genuine(self.folder / z.name))]


def named_set(name: str) -> NamedSet:
    """The data set called ``name``, or a DataError that lists the names there are."""
    if name not in CATALOGUE:
        raise DataError(f"there is no data set {name!r}; choose from {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def _from_table(name: str, files: list[dict[str, Any]], **table: Any) -> NamedSet:
    given: dict[str, Any] = {k: tuple(z) if isinstance(z, list) else z for k, z in table.items()}
    return NamedSet(name=name, files=tuple(OfficialFile(**file) for file in files), **given)


_TABLES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

CATALOGUE = {name: _from_table(name, **table) for name, table in _TABLES.items()}
