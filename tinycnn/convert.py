"""``python -m tinycnn.convert FILE -o WEIGHTS`` takes a network from another program.

Only arguments and printing; the work is done in ``tinycnn.exchange``.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinycnn.cli import Parser, run_command
from tinycnn.errors import TinyCNNError
from tinycnn.files import refuse_to_overwrite, to_json

if TYPE_CHECKING:  # at run time only when needed: --help should not wait for the compiler
    from tinycnn.exchange.importers import Known

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

    from tinycnn.exchange.importers import convert
    from tinycnn.train.folder import find_weights

    source, target = Path(arguments.file), Path(arguments.output)
    like = find_weights(arguments.like) if arguments.like else None
    refuse_to_overwrite([target], [source, like])
    model = convert(source, target, _known(arguments))
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
    parser.add_argument("file", metavar="FILE", help="what another program has written")
    parser.add_argument("-o", "--output", metavar="WEIGHTS", required=True, help="what to write")
    layers = parser.add_mutually_exclusive_group()
    layers.add_argument("--preset", metavar="NAME", help="the layers, if FILE does not say them")
    layers.add_argument("--like", metavar="WEIGHTS", help="the same: those of a weights file")
    parser.add_argument(
        "--epsilon",
        metavar="E",
        type=float,
        help="of its BatchNorm, where FILE does not say it (PyTorch's own: 1e-5, Keras' own: 1e-3)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _known(arguments: argparse.Namespace) -> "Known | None":
    """What the layers are, if the command line says so; for images as MNIST's if by a preset."""
    from tinycnn.exchange.importers import Known
    from tinycnn.nn import PRESETS, Sequential
    from tinycnn.train.folder import find_weights

    if arguments.like:
        model = Sequential.load(find_weights(arguments.like))
        return Known(lambda classes: model.layers, model.input_shape, arguments.epsilon)
    if arguments.preset is None and arguments.epsilon is not None:
        raise TinyCNNError("--epsilon goes with --preset or --like; other files say it themselves")
    if arguments.preset is None:
        return None
    if arguments.preset not in PRESETS:
        names = ", ".join(PRESETS)
        raise TinyCNNError(f"there is no preset {arguments.preset!r}; there are {names}")
    return Known(PRESETS[arguments.preset], (28, 28, 1), arguments.epsilon)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
