"""``python -m tinycnn.data`` lists, fetches, verifies and shows data sets."""

import os
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tinycnn.cli import Parser, add_data_dir, add_json, run_command
from tinycnn.data.ascii_art import draw
from tinycnn.data.catalogue import CATALOGUE, FILE_NAMES, NamedSet, bundled_folder, named_set
from tinycnn.data.datasets import DEFAULT, ENVIRONMENT_VARIABLE, Dataset, load_dataset
from tinycnn.data.download import cache_folder, fetch
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


def list_sets(arguments: Namespace) -> int:
    """Print one line for each set of the catalogue."""
    for named in CATALOGUE.values():
        where = _where(named)
        record = {"name": named.name, "title": named.title, "where": where}
        _print(arguments, record, f"{named.name:<14} {named.title:<48} {where}")
    return 0


def get(arguments: Namespace) -> int:
    """Download a set and print its folder."""
    named = named_set(arguments.name)
    folder = str(bundled_folder(named.name) if named.bundled else fetch(named))
    _print(arguments, {"name": named.name, "folder": folder}, folder)
    return 0


def verify(arguments: Namespace) -> int:
    """Compare the files that are here with their checksums; return 1 if one is wrong."""
    sets = [named_set(arguments.name)] if arguments.name else list(CATALOGUE.values())
    fine = True
    for named in sets:
        paths = [_folder(named) / file.name for file in named.files]
        if not arguments.name and not any(path.exists() for path in paths):
            continue  # never fetched, and not asked for
        for path, file in zip(paths, named.files, strict=True):
            state = "ok" if file.is_genuine(path) else "damaged" if path.exists() else "missing"
            fine = fine and state == "ok"
            record = {"set": named.name, "file": str(path), "state": state}
            _print(arguments, record, f"{state:<8} {path}")
    return 0 if fine else 1


def info(arguments: Namespace) -> int:
    """Load a set, with all its checks, and describe it."""
    dataset = load_dataset(arguments.name, arguments.data_dir)
    facts = _describe(dataset)
    lines = []
    for key, value in facts.items():
        shown = " ".join(map(str, value)) if isinstance(value, list) else value
        lines.append(f"{key.replace('_', ' '):<18} {shown}")
    _print(arguments, facts, "\n".join(lines))
    return 0


def make(arguments: Namespace) -> int:
    """Write the four IDX files of another layout, and classes.txt, into a folder."""
    dataset = load_dataset(data_dir=arguments.source)
    names = list(dataset.class_names)
    if arguments.classes is not None:
        names = [name.strip() for name in arguments.classes.split(",")]
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
    counts = {"train": len(arrays[0]), "test": len(arrays[2])}
    text = f"{counts['train']:,} images to train and {counts['test']:,} to test are in {folder}"
    _print(arguments, {"folder": str(folder), **counts}, text)
    return 0


def show(arguments: Namespace) -> int:
    """Draw images, each under a line with its label."""
    dataset = load_dataset(arguments.name, arguments.data_dir)
    images, labels = dataset.part(arguments.split)
    for index in arguments.indices:
        if not 0 <= index < len(images):
            raise DataError(
                f"the {arguments.split} part of {dataset.name} has no image {index}; "
                f"choose from 0 to {len(images) - 1}"
            )
    for index in arguments.indices:
        print(f"{arguments.split} image {index}: {dataset.class_names[labels[index]]}")
        print(draw(images[index], sys.stdout.encoding))
    return 0


def _print(arguments: Namespace, record: Mapping[str, object], text: str) -> None:
    print(to_json(record) if arguments.json else text)


def _folder(named: NamedSet) -> Path:
    return bundled_folder(named.name) if named.bundled else cache_folder(named.name)


def _where(named: NamedSet) -> str:
    folder = _folder(named)
    if not named.bundled and os.environ.get(ENVIRONMENT_VARIABLE):
        return f"{ENVIRONMENT_VARIABLE}={os.environ[ENVIRONMENT_VARIABLE]}"
    if all((folder / file.name).exists() for file in named.files):
        return "bundled" if named.bundled else str(folder)
    return f"not fetched ({named.size / 1e6:.1f} MB)"


def _describe(dataset: Dataset) -> dict[str, object]:
    n_classes = len(dataset.class_names)
    facts: dict[str, object] = {"name": dataset.name, "classes": list(dataset.class_names)}
    for split in ("train", "test"):
        images, labels = dataset.part(split)
        facts[f"{split}_images"] = list(images.shape)
        facts[f"{split}_per_class"] = np.bincount(labels, minlength=n_classes).tolist()
    facts["mean_ink"] = round(float(dataset.train_images.mean()) / 255, 4)
    facts["fingerprint"] = dataset.fingerprint
    facts["test_fingerprint"] = dataset.test_fingerprint
    facts["folder"] = str(Path(dataset.sources[0]).parent)
    return facts


parser = Parser(
    prog="python -m tinycnn.data",
    description="Data sets to learn from: fetch them, verify them, look at them.",
    epilog=EXAMPLES,
)
commands = parser.add_subparsers(required=True, metavar="COMMAND")
machine = Parser(add_help=False)
add_json(machine, "one JSON object per line")
source = Parser(add_help=False)
add_data_dir(source)

lister = commands.add_parser("list", parents=[machine], help="all sets")
lister.set_defaults(command=list_sets)
getter = commands.add_parser("get", parents=[machine], help="download a set")
getter.add_argument("name", metavar="NAME")
getter.set_defaults(command=get)
verifier = commands.add_parser("verify", parents=[machine], help="compare with the checksums")
verifier.add_argument("name", metavar="NAME", nargs="?", help="default: all that are here")
verifier.set_defaults(command=verify)
teller = commands.add_parser("info", parents=[machine, source], help="check and describe a set")
teller.add_argument("name", metavar="NAME", nargs="?", default=DEFAULT)
teller.set_defaults(command=info)
maker = commands.add_parser("make", parents=[machine], help="write IDX files from another layout")
maker.add_argument("folder", metavar="DIR", help="where to")
maker.add_argument(
    "--from",
    dest="source",
    metavar="X",
    required=True,
    help="a folder of IDX files, of pictures in a folder per class, an .npz or a .csv",
)
maker.add_argument("--classes", metavar="NAME,...", help="the names of the classes, in order")
maker.set_defaults(command=make)
shower = commands.add_parser("show", parents=[source], help="draw images in the terminal")
shower.add_argument("name", metavar="NAME")
shower.add_argument("indices", metavar="N", type=int, nargs="+", help="counting from 0")
shower.add_argument("--split", choices=("train", "test"), default="train")
shower.set_defaults(command=show)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and call the function of the command; return its exit code."""
    arguments = parser.parse_args(argv)
    code: int = arguments.command(arguments)
    return code


if __name__ == "__main__":
    raise SystemExit(run_command(main))
