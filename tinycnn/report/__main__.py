"""``python -m tinycnn.report RUN`` writes one HTML page about training runs: the arguments."""

from tinycnn.cli import Command, add_dataset, add_network, run_command

EXAMPLES = """\
examples:
  python -m tinycnn.report last                     the newest run: report.html in its folder
  python -m tinycnn.report runs/A runs/B -o ab.html two runs side by side
  python -m tinycnn.report last --dataset mnist     measured on other digits than its own

The page needs no network and holds all its pictures; open it with any browser.
"""


main = Command(
    "tinycnn.report",
    "Write one HTML page about a training run, or about several side by side.",
    EXAMPLES,
    needs={"jinja2": "report", "matplotlib": "report"},
)
main.add_argument(
    "runs", metavar="RUN", nargs="+", help="a run folder, a weights file, last, default"
)
main.add_argument(
    "-o",
    "--output",
    metavar="FILE",
    help="default: report.html in the run folder, or here for several runs",
)
add_network(main)
add_dataset(main, "default: the one trained on")


if __name__ == "__main__":
    raise SystemExit(run_command(main))
