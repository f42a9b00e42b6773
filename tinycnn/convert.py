"""``python -m tinycnn.convert FILE -o WEIGHTS`` imports a network from another program.

This file has the arguments and the printing; ``tinycnn.exchange`` does the work.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.cli import Parser, add_json, run_command
from tinycnn.errors import TinyCNNError
from tinycnn.files import refuse_to_overwrite, to_json

if TYPE_CHECKING:
    from tinycnn.nn import Sequential

EXAMPLES = """\
examples:
  python -m tinycnn.convert model.onnx -o w.safetensors
  python -m tinycnn.convert model.keras -o w.safetensors
  python -m tinycnn.convert state_dict.safetensors --preset lenet -o w.safetensors
  python -m tinycnn.convert model.weights.h5 --like last -o w.safetensors
"""

parser = Parser(
    prog="python -m tinycnn.convert",
    description="Make a weights file of a network from PyTorch (a state_dict in safetensors), "
    "Keras (.keras, .h5, .weights.h5) or ONNX.",
    epilog=EXAMPLES,
)
parser.add_argument("file", metavar="FILE", help="a file that another program has written")
parser.add_argument("-o", "--output", metavar="WEIGHTS", required=True, help="file to write")
layers = parser.add_mutually_exclusive_group()
layers.add_argument("--preset", metavar="NAME", help="the layers, if FILE does not say them")
layers.add_argument(
    "--like", metavar="WEIGHTS", help="the same: those of a weights file, which may be untrained"
)
parser.add_argument(
    "--epsilon",
    metavar="E",
    type=float,
    help="of its BatchNorm, if FILE does not say it (PyTorch's default: 1e-5, Keras': 1e-3)",
)
add_json(parser)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, convert and print; return the exit code."""
    arguments = parser.parse_args(argv)
    if arguments.epsilon is not None and not (arguments.preset or arguments.like):
        raise TinyCNNError("--epsilon goes with --preset or --like; other files say it themselves")

    from tinycnn.exchange.importers import read
    from tinycnn.exchange.reading import KnownNetwork
    from tinycnn.nn import PRESETS, Sequential
    from tinycnn.train.folder import find_weights

    source, target = Path(arguments.file), Path(arguments.output)
    like = find_weights(arguments.like) if arguments.like else None
    refuse_to_overwrite([target], [source, like])
    known = None
    if like:
        example = Sequential.load(like)
        known = KnownNetwork(lambda classes: example.layers, example.input_shape, arguments.epsilon)
    elif arguments.preset in PRESETS:
        known = KnownNetwork(PRESETS[arguments.preset], (28, 28, 1), arguments.epsilon)
    elif arguments.preset is not None:
        names = ", ".join(PRESETS)
        raise TinyCNNError(f"there is no preset {arguments.preset!r}; choose from {names}")
    model = read(source, known)
    model.save(target)
    _report(model, source, target, arguments.json)
    return 0


def _report(model: "Sequential", source: Path, target: Path, as_json: bool) -> None:
    origin = model.description["converted_from"]
    if as_json:
        metadata = {name: model.description.get(name) for name in ("classes", "calibration")}
        print(to_json({"from": origin, "weights": str(target), **metadata}))
        return
    print(f"{model.summary()}\n")
    print(f"from   {source} ({origin})")
    print(f"wrote  {target} ({target.stat().st_size:,} bytes)")
    print(f"next   python -m tinycnn.evaluate {target} --dataset NAME")


if __name__ == "__main__":
    raise SystemExit(run_command(main))
