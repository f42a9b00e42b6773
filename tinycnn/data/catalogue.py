"""The data sets that have a name: what they hold, where they are, and the checksum of every file.

MNIST's are of the files as first published, the others TensorFlow Datasets' (``url_checksums/``).
Mirrors need no trust: a file counts only if its SHA-256 is right.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

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


def _files(*sizes_and_sums: tuple[int, str]) -> tuple[OfficialFile, ...]:
    pairs = zip(FILE_NAMES, sizes_and_sums, strict=True)
    return tuple(OfficialFile(f"{name}.gz", size, sha256) for name, (size, sha256) in pairs)


_SETS = [
    NamedSet(
        name="mnist10k",
        title="the first 10,000 digits of MNIST's training set",  # MIT, Juan Cazala
        class_names=DIGITS,
        files=_files(
            (1289742, "26b8be745c5743c2ac614ef6b8bc050caf5d2f3e965ec1680e409eb06d7f18de"),
            (3911, "a42bdb7e00cc0cb8d6d53b23c70050665377f3b91beffa3742b93ea1a62e61cd"),
            (322249, "16aff6dcbb67e86e7787ba2bb04c87222372876015ce9bddc1ddc38b463b9904"),
            (1014, "71724cce39f16074a8c2ba407cee88e6242825c9c5d3b192380f6bbebf1c6d54"),
        ),
    ),
    NamedSet(
        name="mnist",
        title="70,000 handwritten digits, the original",  # Y. LeCun, C. Cortes; CC BY-SA 3.0
        class_names=DIGITS,
        files=_files(
            (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://azureopendatastorage.blob.core.windows.net/mnist/",
        ),
    ),
    NamedSet(
        name="fashion-mnist",
        title="70,000 pictures of clothes, harder than digits",  # MIT, Zalando SE
        class_names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        files=_files(
            (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ),
        mirrors=(
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
    ),
    NamedSet(
        name="kmnist",
        title="70,000 cursive Japanese characters",  # CC BY-SA 4.0, CODH
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        files=_files(
            (18165135, "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            (29497, "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            (3041136, "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            (5120, "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        ),
        mirrors=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),  # its makers' server
    ),
    NamedSet(
        name="emnist-digits",
        title="280,000 handwritten digits, from NIST too",  # NIST, public domain
        class_names=DIGITS,
        files=(
            OfficialFile(
                "gzip.zip",
                561753746,
                "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
            ),
        ),
        mirrors=("https://biometrics.nist.gov/cs_links/EMNIST/",),
        members=tuple(f"gzip/emnist-digits-{z.replace('t10k', 'test')}.gz" for z in FILE_NAMES),
    ),
]

CATALOGUE = {named.name: named for named in _SETS}
