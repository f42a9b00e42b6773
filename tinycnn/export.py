"""``python -m tinycnn.export WEIGHTS --to onnx`` writes a network for another program."""

from collections.abc import Sequence
from pathlib import Path

from tinycnn.cli import Parser, add_json, add_network, run_command
from tinycnn.errors import TinyCNNError
from tinycnn.exchange import ENDINGS
from tinycnn.files import refuse_to_overwrite, to_json

EXAMPLES = """\
examples:
  python -m tinycnn.export last --to onnx                  network.onnx: images -> logits
  python -m tinycnn.export default --to onnx --softmax     ... -> probabilities
  python -m tinycnn.export default --to pytorch            a state_dict, and the module it is for
"""

parser = Parser(
    prog="python -m tinycnn.export",
    description="Export a trained network to another program.",
    epilog=EXAMPLES,
)
parser.add_argument("weights", metavar="WEIGHTS", help="a file, a run folder, last, default")
parser.add_argument("--to", choices=ENDINGS, required=True, help="the other program")
parser.add_argument("-o", "--output", metavar="FILE", help="default: network.onnx, ...")
parser.add_argument("--softmax", action="store_true", help="onnx: probabilities instead of logits")
add_network(parser)
add_json(parser)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, export and print; return the exit code."""
    arguments = parser.parse_args(argv)
    if arguments.softmax and arguments.to != "onnx":
        raise TinyCNNError("--softmax goes with --to onnx only; a state_dict gives logits")

    from tinycnn.console import log_console
    from tinycnn.exchange.exporters import export
    from tinycnn.nn import Sequential
    from tinycnn.train.compile_progress import compilation_shown
    from tinycnn.train.folder import find_weights

    source = find_weights(arguments.weights)
    target = Path(arguments.output or f"network{ENDINGS[arguments.to]}")
    model = Sequential.load(source)
    refuse_to_overwrite([target], [source])
    with compilation_shown(log_console()):
        report = export(model, arguments.to, target, arguments.softmax)
    print(to_json(report._asdict()) if arguments.json else report)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
