"""``python -m tinycnn.compare`` compares the network with other classifiers: the arguments."""

from pathlib import Path

from tinycnn.cli import Command, add_dataset, add_json, run_command

EXAMPLES = """\
classifiers:
  centroid, neighbors, softmax, svm, forest, boosting, dense, lenet, tiny, best

examples:
  python -m tinycnn.compare                                the bundled digits, all classifiers
  python -m tinycnn.compare --only svm,lenet --limit 1000  some, and fewer digits to learn from
  python -m tinycnn.compare --drawings digits.jsonl        read what people drew, too
  python -m tinycnn.compare --dataset mnist --data-dir DIR --chart compare.svg
"""


main = Command(
    "tinycnn.compare",
    "Train classifiers on the same digits: accuracy, time and size of each.",
    EXAMPLES,
)
add_dataset(main)
main.add_argument("--drawings", metavar="FILE", help="a stroke file of digits, plain or .gz")
main.add_argument("--only", metavar="NAMES", help="some classifiers, as in svm,lenet")
main.add_argument("--limit", metavar="N", type=int, help="only the first N training images")
main.add_argument("--all-epochs", action="store_true", help="the whole recipes (slow)")
main.add_argument("--seed", metavar="N", type=int, default=0, help="(0)")
main.add_argument("--chart", metavar="OUT.svg", type=Path, help="draw the results")
add_json(main)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
