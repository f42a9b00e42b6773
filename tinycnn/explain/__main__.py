"""``python -m tinycnn.explain conv2d`` shows what an operation does, and how: the arguments."""

from tinycnn.cli import Command, run_command

EXAMPLES = """\
examples:
  python -m tinycnn.explain                all operations
  python -m tinycnn.explain conv2d         formula, code, an example, gradient
  python -m tinycnn.explain MaxPool2D      the same for the operation of a layer
"""

main = Command(
    "tinycnn.explain",
    "Show what an operation computes, how it is coded, and that it is right.",
    EXAMPLES,
)
main.add_argument("operation", metavar="OPERATION", nargs="?", help="or a layer, as Conv2D")


if __name__ == "__main__":
    raise SystemExit(run_command(main))
