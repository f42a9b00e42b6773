"""``python -m tinycnn.data`` lists, fetches, verifies and shows data sets."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinycnn.cli import Parser, add_data_dir, add_json, run_command
from tinycnn.data.catalogue import CATALOGUE, FILE_NAMES, NamedSet, named_set
from tinycnn.data.datasets import DEFAULT, ENVIRONMENT_VARIABLE, load_dataset
from tinycnn.data.download import fetch
from tinycnn.data.idx import write_idx
from tinycnn.data.layouts import CLASSES
from tinycnn.errors import DataError
from tinycnn.files import refuse_to_overwrite, to_json, write_bytes

EXAMPLES = """\
examples:
  python -m tinycnn.data list                    all sets, and which are here already
  python -m tinycnn.data get mnist               download one
  python -m tinycnn.data show mnist10k 0 1       draw two of its training images
  python -m tinycnn.data info --data-dir DIR     check and describe a folder of your own
  python -m tinycnn.data make DIR --from X.csv   write IDX files of .npz, CSV, folders of pictures
"""


SHADES = " ░▒▓█"
ASCII_SHADES = " .:*#"  # for a terminal that cannot show the blocks

Lines = Iterator[tuple[dict[str, Any], str]]
"""What a command prints, line by line: for machines, and for people."""


def list_sets(_: Namespace) -> Lines:
    """Yield a line for each set of the catalogue."""
    for named in CATALOGUE.values():
        where = _where(named)
        record = {"name": named.name, "title": named.title, "where": where}
        yield record, f"{named.name:<14} {named.title:<48} {where}"


def get(arguments: Namespace) -> Lines:
    """Download a set and yield its folder."""
    named = named_set(arguments.name)
    fetch(named)
    yield {"name": named.name, "folder": str(named.folder)}, str(named.folder)


def verify(arguments: Namespace) -> Lines:
    """Compare the files that are here with their checksums."""
    for named in [named_set(arguments.name)] if arguments.name else CATALOGUE.values():
        paths = [named.folder / file.name for file in named.files]
        if not arguments.name and not any(path.exists() for path in paths):
            continue  # never fetched, and not asked for
        for path, file in zip(paths, named.files, strict=True):
            state = "ok" if file.is_genuine(path) else "damaged" if path.exists() else "missing"
            record = {"set": named.name, "file": str(path), "state": state}
            yield record, f"{state:<8} {path}"


def info(arguments: Namespace) -> Lines:
    """Load a set, with all its checks, and describe it."""
    dataset = load_dataset(arguments.name, arguments.data_dir)
    facts: dict[str, Any] = {"name": dataset.name, "classes": [*dataset.class_names]}
    for split in ("train", "test"):
        images, labels = dataset.part(split)
        per_class = np.bincount(labels, minlength=len(dataset.class_names))
        facts |= {f"{split}_images": [*images.shape], f"{split}_per_class": per_class.tolist()}
    facts |= {
        "mean_ink": round(float(dataset.train_images.mean()) / 255, 4),
        "fingerprint": dataset.fingerprint,
        "test_fingerprint": dataset.test_fingerprint,
        "folder": str(Path(dataset.sources[0]).parent),
    }
    shown = {key: " ".join(map(str, z)) if type(z) is list else z for key, z in facts.items()}
    yield facts, "\n".join(f"{key.replace('_', ' '):<18} {z}" for key, z in shown.items())


def make(arguments: Namespace) -> Lines:
    """Write the four IDX files of another layout, and classes.txt, into a folder."""
    dataset = load_dataset(data_dir=arguments.source)
    given = ",".join(dataset.class_names) if arguments.classes is None else arguments.classes
    names = [name.strip() for name in given.split(",")]
    if not len({*names} - {""}) == len(names) == len(dataset.class_names):
        raise DataError(f"--classes has to give {len(dataset.class_names)} different names")
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.gz" for name in FILE_NAMES]
    refuse_to_overwrite(paths, dataset.sources)
    arrays = [*dataset.part("train"), *dataset.part("test")]
    for path, array in zip(paths, arrays, strict=True):
        write_idx(path, array)
    write_bytes(folder / CLASSES, "".join(f"{name}\n" for name in names).encode())
    record = {"folder": str(folder), "train": len(arrays[0]), "test": len(arrays[2])}
    yield record, "{train:,} images to train and {test:,} to test are in {folder}".format(**record)


def show(arguments: Namespace) -> Lines:
    """Draw images, each under a line with its label."""
    dataset = load_dataset(arguments.name, arguments.data_dir)
    images, labels = dataset.part(arguments.split)
    for index in arguments.indices:
        if not 0 <= index < len(images):
            part = f"the {arguments.split} part of {dataset.name}"
            raise DataError(f"{part} has no image {index}; choose from 0 to {len(images) - 1}")
    for index in arguments.indices:
        name = dataset.class_names[labels[index]]
        drawing = draw(images[index], sys.stdout.encoding)
        record = {"index": index, "label": name, "image": images[index]}
        yield record, f"{arguments.split} image {index}: {name}\n{drawing}"


def draw(image: np.ndarray, encoding: str | None = "utf-8") -> str:
    """The lines of an image (H,W) uint8, in five shades that the terminal's ``encoding`` has."""
    known = SHADES.encode(encoding or "ascii", "ignore")
    shades = SHADES if len(known) > 1 else ASCII_SHADES
    levels = np.minimum(image.astype(int) * len(shades) // 255, len(shades) - 1)
    return "\n".join("".join(2 * shades[level] for level in row) for row in levels)


def _where(named: NamedSet) -> str:
    instead = os.environ.get(ENVIRONMENT_VARIABLE)
    if instead and not named.bundled:
        return f"{ENVIRONMENT_VARIABLE}={instead}"
    if all((named.folder / file.name).exists() for file in named.files):
        return "bundled" if named.bundled else str(named.folder)
    return f"not fetched ({sum(file.size for file in named.files) / 1e6:.1f} MB)"


parser = Parser(
    prog="python -m tinycnn.data",
    description="Data sets to learn from: fetch them, verify them, look at them.",
    epilog=EXAMPLES,
)
commands = parser.add_subparsers(required=True, metavar="COMMAND")


def _add(run: Callable[[Namespace], Lines], name: str, purpose: str) -> Any:
    command = commands.add_parser(name, help=purpose)
    command.set_defaults(command=run)
    add_json(command, "one JSON object per line")
    if run in (info, show):
        add_data_dir(command)
    return command


_add(list_sets, "list", "all sets")
_add(get, "get", "download a set").add_argument("name", metavar="NAME")
verifier = _add(verify, "verify", "compare with the checksums")
verifier.add_argument("name", metavar="NAME", nargs="?", help="default: all that are here")
teller = _add(info, "info", "check and describe a set")
teller.add_argument("name", metavar="NAME", nargs="?", default=DEFAULT)
maker = _add(make, "make", "write IDX files from another layout")
maker.add_argument("folder", metavar="DIR", help="where to")
layouts = "a folder of IDX files, of pictures in a folder per class, an .npz or a .csv"
maker.add_argument("--from", dest="source", metavar="X", required=True, help=layouts)
maker.add_argument("--classes", metavar="NAME,...", help="the names of the classes, in order")
shower = _add(show, "show", "draw images in the terminal")
shower.add_argument("name", metavar="NAME")
shower.add_argument("indices", metavar="N", type=int, nargs="+", help="counting from 0")
shower.add_argument("--split", choices=("train", "test"), default="train")


def main(argv: Sequence[str] | None = None) -> int:
    """Print what the command yields; return 1 if a file is not as it was published."""
    arguments = parser.parse_args(argv)
    code = 0
    for record, text in arguments.command(arguments):
        print(to_json(record) if arguments.json else text)
        code |= record.get("state", "ok") != "ok"
    return code


if __name__ == "__main__":
    raise SystemExit(run_command(main))
