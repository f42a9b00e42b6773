"""``python -m tinycnn.sweep`` tries several settings and compares them: the arguments."""

from tinycnn.cli import Command, add_dataset, add_json, option, run_command
from tinycnn.sweep.plan import KINDS

EXAMPLES = """\
examples:
  python -m tinycnn.sweep --lr 0.02,0.05,0.1 --seeds 3        every value with three seeds
  python -m tinycnn.sweep --preset lenet,tiny --augment none,mild --limit 2000 --epochs 3
  python -m tinycnn.sweep --random 20 --lr 0.005..0.5 --batch-size 16,32,64
  python -m tinycnn.sweep --resume DIR                        resume after Ctrl-C or a crash
  python -m tinycnn.sweep --resume DIR --test                 and test in the end
  python -m tinycnn.sweep --lr 0.05,0.1 --scheduler tcp://host:8786     on a Dask cluster
"""


main = Command(
    "tinycnn.sweep", "Try several settings, with several seeds, and compare them.", EXAMPLES
)
swept = main.add_argument_group("settings to try: values A,B,C, or ranges A..B with --random")
for name in KINDS:
    swept.add_argument(option(name), metavar="VALUES", help=f"as {option(name)} of train")
swept.add_argument("--seeds", metavar="N", type=int, help="seeds 0 to N-1 for each setting (1)")
swept.add_argument("--random", metavar="N", type=int, help="N settings drawn at random")
data = main.add_argument_group("data")
add_dataset(data)
data.add_argument("--limit", metavar="N", type=int, help="only the first N training images")
data.add_argument("--validation", metavar="X", type=float, help="share to judge by (0.1)")
work = main.add_argument_group("the work")
work.add_argument("--sweep-dir", metavar="DIR", help="a new folder (runs/DATE-sweep)")
work.add_argument("--resume", metavar="DIR", help="resume the sweep in this folder")
work.add_argument("--jobs", metavar="N", type=int, help="processes (one per processor)")
work.add_argument("--threads", metavar="N", type=int, help="of each (what is left)")
work.add_argument("--scheduler", metavar="URL", help="of a Dask cluster, tcp://host:8786")
work.add_argument("--test", action="store_true", help="test all trained networks as well")
work.add_argument("--chart", metavar="FILE", help=".svg or .png (chart.svg in the folder)")
add_json(work, "the table as one JSON object")
work.add_argument("--quiet", action="store_true", help="no progress")


if __name__ == "__main__":
    raise SystemExit(run_command(main))
