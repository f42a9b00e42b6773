"""``python -m tinycnn.convert FILE -o WEIGHTS`` imports a network from another program."""

from collections.abc import Sequence
from pathlib import Path

from tinycnn.cli import Parser, add_json, run_command
from tinycnn.files import refuse_to_overwrite, to_json

EXAMPLES = """\
examples:
  python -m tinycnn.convert model.onnx -o w.safetensors
  python -m tinycnn.convert model.keras -o w.safetensors
  python -m tinycnn.convert state_dict.safetensors --preset lenet -o w.safetensors
"""

parser = Parser(
    prog="python -m tinycnn.convert",
    description="Make a weights file of a network from PyTorch (a state_dict in safetensors), "
    "Keras (.keras, or a whole model in .h5) or ONNX.",
    epilog=EXAMPLES,
)
parser.add_argument("file", metavar="FILE", help="a file that another program has written")
parser.add_argument("-o", "--output", metavar="WEIGHTS", required=True, help="file to write")
layers = parser.add_mutually_exclusive_group()
layers.add_argument("--preset", metavar="NAME", help="or layers as text: those of a state_dict")
layers.add_argument(
    "--like", metavar="WEIGHTS", help="the same: those of a weights file, which may be untrained"
)
add_json(parser)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, convert and print; return the exit code."""
    arguments = parser.parse_args(argv)

    from tinycnn.exchange.importers import read
    from tinycnn.nn import Sequential, build
    from tinycnn.train.folder import find_weights

    source, target = Path(arguments.file), Path(arguments.output)
    like = find_weights(arguments.like) if arguments.like else None
    refuse_to_overwrite([target], [source, like])
    known = Sequential.load(like) if like else None
    model = read(source, build(arguments.preset) if arguments.preset else known)
    model.save(target)
    origin = model.description["converted_from"]
    if arguments.json:
        print(to_json({"from": origin, "weights": str(target)}))
    else:
        print(f"{model.summary()}\n\nwrote  {target}, the network of {source} ({origin})")
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
