"""``python -m tinycnn.compare`` compares the network with other classifiers: the arguments."""

from tinycnn.cli import Command, add_dataset, add_json, run_command

EXAMPLES = """\
classifiers:
  centroid, neighbors, softmax, svm, forest, boosting, dense, lenet, tiny

examples:
  python -m tinycnn.compare                                the bundled digits, all classifiers
  python -m tinycnn.compare --only svm,lenet --limit 1000  some, and fewer digits to learn from
"""


main = Command(
    "tinycnn.compare",
    "Train classifiers on the same digits: accuracy, time and size of each.",
    EXAMPLES,
)
add_dataset(main)
main.add_argument("--only", metavar="NAMES", help="some classifiers, as in svm,lenet")
main.add_argument("--limit", metavar="N", type=int, help="only the first N training images")
main.add_argument("--seed", metavar="N", type=int, default=0, help="(0)")
add_json(main)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
