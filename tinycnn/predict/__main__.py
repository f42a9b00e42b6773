"""``python -m tinycnn.predict FILES`` reads the digits in pictures and drawings: the arguments."""

import argparse
from pathlib import Path

from tinycnn.cli import Command, add_json, add_network, run_command

EXAMPLES = """\
examples:
  python -m tinycnn.predict photo.jpg scan.png           read pictures
  python -m tinycnn.predict photo.jpg --boxes seen.png   see what was found where
  python -m tinycnn.predict --strokes drawings.jsonl     read drawings, one per line
  python -m tinycnn.predict scans --csv scans.csv        a folder of pictures to a table
  cat photo.jpg | python -m tinycnn.predict - --json     output for programs
"""


def _png(text: str) -> Path:
    if not text.lower().endswith(".png"):
        raise argparse.ArgumentTypeError(f"{text} does not end in .png")
    return Path(text)


main = Command("tinycnn.predict", "Read the digits in pictures, drawings and IDX files.", EXAMPLES)
main.add_argument(
    "files", metavar="FILE", nargs="*", help="pictures, IDX or stroke files, folders; - is stdin"
)
main.add_argument("--recursive", action="store_true", help="read the folders in folders, too")
main.add_argument("--single", action="store_true", help="each picture or drawing is one digit")
main.add_argument(
    "--strokes", metavar="FILE", nargs="+", default=[], help="drawings, one JSON object per line"
)
main.add_argument(
    "--weights", metavar="WEIGHTS", default="default", help="a weights file, a run folder, last"
)
add_network(main)
add_json(main, "one JSON object for each")
main.add_argument("--csv", metavar="OUT.csv", help="write a table of all that was read")
main.add_argument(
    "--boxes", metavar="OUT.png", type=_png, help="write each page with what was read where"
)
main.add_argument(
    "--steps", metavar="OUT.png", type=_png, help="write how each digit became 28 x 28"
)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
