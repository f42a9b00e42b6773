"""``python -m tinycnn.export WEIGHTS --to onnx`` writes a network for another program.

Only arguments and printing; ``tinycnn.exchange`` does the work.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from tinycnn.cli import Parser, run_command
from tinycnn.errors import TinyCNNError
from tinycnn.files import refuse_to_overwrite, to_json

EXAMPLES = """\
examples:
  python -m tinycnn.export last --to onnx                  network.onnx: images -> logits
  python -m tinycnn.export default --to onnx --softmax     ... -> probabilities
  python -m tinycnn.export default --to pytorch            a state_dict, and code that loads it
  python -m tinycnn.export default --to keras              a model for keras.models.load_model
  python -m tinycnn.export last --to keras -o x.weights.h5 its weights, and code that loads them
"""

NAMES = {
    "onnx": "network.onnx",
    "pytorch": "network.safetensors",
    "keras": "network.keras",
}
"""The default file names."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, export, report; returns the exit code."""
    arguments = _parser().parse_args(argv)
    if arguments.softmax and arguments.to != "onnx":
        raise TinyCNNError("--softmax goes with --to onnx only; other formats give logits")

    from tinycnn.console import Console
    from tinycnn.exchange.exporters import export
    from tinycnn.nn import Sequential
    from tinycnn.train.compile_progress import compilation_shown
    from tinycnn.train.folder import find_weights

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    source = find_weights(arguments.weights)
    target = Path(arguments.output or NAMES[arguments.to])
    model = Sequential.load(source)
    refuse_to_overwrite([target], [source])
    with compilation_shown(console):
        report = export(model, arguments.to, target, arguments.softmax)
    print(to_json(report.as_dict()) if arguments.json else report)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m tinycnn.export",
        description="Write a trained network for another program.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "weights", metavar="WEIGHTS", help="a weights file, a run folder, last, default"
    )
    parser.add_argument("--to", choices=NAMES, required=True, help="the format to write")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file to write (network.onnx)")
    parser.add_argument(
        "--softmax", action="store_true", help="onnx: probabilities instead of logits"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    raise SystemExit(run_command(main))
