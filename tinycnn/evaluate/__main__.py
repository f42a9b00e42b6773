"""``python -m tinycnn.evaluate WEIGHTS`` measures a trained network: the arguments."""

from tinycnn.cli import Command, add_data_dir, add_json, add_network, run_command

EXAMPLES = """\
examples:
  python -m tinycnn.evaluate last                          the newest training run
  python -m tinycnn.evaluate runs/RUN/weights.safetensors  a weights file
  python -m tinycnn.evaluate last --dataset mnist10k,mnist several data sets
  python -m tinycnn.evaluate last --compare default        is it better than another network?
  python -m tinycnn.evaluate last --dataset mnist --json   other digits, output for programs

With several data sets, --data-dir replaces those that would be downloaded, and --json prints one
object per line.
"""


main = Command(
    "tinycnn.evaluate", "Measure a trained network on one data set or several.", EXAMPLES
)
main.add_argument("weights", metavar="WEIGHTS", help="a file, a run folder, last, default")
main.add_argument(
    "--dataset",
    metavar="NAME[,NAME...]",
    action="extend",
    type=lambda names: names.split(","),
    help="default: the one trained on; may be repeated",
)
add_data_dir(main)
add_network(main)
main.add_argument("--split", choices=("test", "validation", "train"), default="test", help="(test)")
main.add_argument("--compare", metavar="WEIGHTS", help="a second network, same images")
add_json(main, "one JSON object per data set")


if __name__ == "__main__":
    raise SystemExit(run_command(main))
