"""``python -m tinycnn.convert FILE -o WEIGHTS`` imports a network from another program.

Only arguments and printing; ``tinycnn.exchange`` does the work.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.cli import Parser, run_command
from tinycnn.errors import TinyCNNError
from tinycnn.files import refuse_to_overwrite, to_json

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for the compiler
    from tinycnn.exchange.reading import KnownNetwork

EXAMPLES = """\
examples:
  python -m tinycnn.convert model.onnx -o w.safetensors
  python -m tinycnn.convert model.keras -o w.safetensors
  python -m tinycnn.convert state_dict.safetensors --preset lenet -o w.safetensors
  python -m tinycnn.convert model.weights.h5 --like last -o w.safetensors
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, convert, report; returns the exit code."""
    arguments = _parser().parse_args(argv)

    from tinycnn.exchange.importers import read
    from tinycnn.train.folder import find_weights

    source, target = Path(arguments.file), Path(arguments.output)
    like = find_weights(arguments.like) if arguments.like else None
    refuse_to_overwrite([target], [source, like])
    model = read(source, _known(arguments, like))
    model.save(target)
    origin = model.description["converted_from"]
    if arguments.json:
        known = {name: model.description.get(name) for name in ("classes", "calibration")}
        print(to_json({"from": origin, "weights": str(target), **known}))
        return 0
    print(f"{model.summary()}\n")
    print(f"from   {source} ({origin})")
    print(f"wrote  {target} ({target.stat().st_size:,} bytes)")
    print(f"next   python -m tinycnn.evaluate {target} --dataset NAME")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m tinycnn.convert",
        description="Make a weights file of a network from PyTorch (a state_dict in safetensors), "
        "Keras (.keras, .weights.h5) or ONNX.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the file that another program wrote")
    parser.add_argument(
        "-o", "--output", metavar="WEIGHTS", required=True, help="the weights file to write"
    )
    layers = parser.add_mutually_exclusive_group()
    layers.add_argument(
        "--preset", metavar="NAME", help="the layers, if FILE does not describe them"
    )
    layers.add_argument(
        "--like", metavar="WEIGHTS", help="the same, taken from a weights file of tinycnn"
    )
    parser.add_argument(
        "--epsilon",
        metavar="E",
        type=float,
        help="the epsilon of its BatchNorm, if FILE does not give it (PyTorch's default is 1e-5, "
        "Keras' 1e-3)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _known(arguments: argparse.Namespace, like: Path | None) -> "KnownNetwork | None":
    """Return the network that the options describe; a preset takes images of MNIST's size."""
    from tinycnn.exchange.reading import KnownNetwork
    from tinycnn.nn import PRESETS, Sequential

    if like:
        model = Sequential.load(like)
        return KnownNetwork(lambda classes: model.layers, model.input_shape, arguments.epsilon)
    if arguments.preset is None:
        if arguments.epsilon is not None:
            raise TinyCNNError("--epsilon goes with --preset or --like only; other files give it")
        return None
    if arguments.preset not in PRESETS:
        names = ", ".join(PRESETS)
        raise TinyCNNError(f"there is no preset {arguments.preset!r}; choose from {names}")
    return KnownNetwork(PRESETS[arguments.preset], (28, 28, 1), arguments.epsilon)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
