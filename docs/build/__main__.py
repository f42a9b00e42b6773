"""Make the chapters of the book from their sources: ``python docs/build [--check] [CHAPTER ...]``.

``docs/chapters`` has the sources. Their code is run, and what it prints, computes and draws is
filled in: that makes the pages of ``docs/book``. Commit both. ``--check`` writes nothing, and
ends with 1 if a page is no longer what its source makes.
"""

import argparse
import json
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(DOCS), str(DOCS.parent), str(DOCS / "exercises")]

from build import pictures  # noqa: E402
from build.execute import PageError, run, same  # noqa: E402
from build.measure import FILE as MEASURED  # noqa: E402

SOURCES, BOOK = DOCS / "chapters", DOCS / "book"
SVG_TEXT = re.compile(r">([^<>]+)</text>")

Files = dict[Path, str]


def make(source: Path) -> Files:
    """Run a chapter; return its page and its pictures."""
    drawn: Files = {}

    def picture(name: str, alt: str, *arguments: object) -> str:
        """Draw with a function of ``pictures``; ``alt`` tells it to those who cannot see."""
        file = BOOK / "pictures" / f"{source.stem[:2]}-{name}.svg"
        drawn[file] = pictures.svg(getattr(pictures, name)(*arguments))
        return f"![{alt}](pictures/{file.name})"

    helpers = {"picture": picture, "measured": json.loads(MEASURED.read_text())}
    command = f"python docs/build {source.name[:2]}"
    note = f"\n<!-- Made from docs/chapters/{source.name} by: {command} -->\n"
    return {BOOK / source.name: run(source.read_text(), helpers) + note, **drawn}


def is_current(file: Path, text: str) -> bool:
    """Tell whether a file is what was made now; of a picture, its words and numbers count."""
    if not file.exists():
        return False
    texts = (file.read_text(), text)
    if file.suffix == ".svg":  # lines move a little with another version of matplotlib
        texts = tuple(" ".join(sorted(SVG_TEXT.findall(each))) for each in texts)
    return same(*texts)


def main() -> int:
    """Make or check what is named, or all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python docs/build", description=__doc__)
    parser.add_argument("chapters", metavar="CHAPTER", type=int, nargs="*")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    stale = False
    for source in sorted(SOURCES.glob("*.md")):
        if options.chapters and int(source.name[:2]) not in options.chapters:
            continue
        try:
            made = make(source)
        except PageError as error:
            print(f"{source}, {error}", file=sys.stderr)
            return 1
        for file, text in made.items():
            if options.check and not is_current(file, text):
                print(f"{file} is stale: python docs/build {source.name[:2]}", file=sys.stderr)
                stale = True
            elif not options.check:
                file.parent.mkdir(exist_ok=True)
                file.write_text(text)
    return int(stale)


if __name__ == "__main__":
    raise SystemExit(main())
