"""The page of recipes: every block is short and runs."""

import csv
import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest
from PIL import Image

from tinycnn.cli import COMMANDS, run_command
from tinycnn.data import load_dataset
from tinycnn.train import parts

PAGE = Path(__file__).parents[2] / "docs/your-own-work.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
MOST_LINES = 12


@pytest.fixture
def place(write_digits, tmp_path, monkeypatch):
    """A folder with the files that the page names; afterwards nothing is registered."""
    monkeypatch.chdir(tmp_path)
    write_digits(Path("own50"), 50, 50)
    Path("scans").mkdir()
    data = load_dataset()
    for path, image in zip(
        ("photo.png", "scans/a.png", "scans/b.png"), data.test_images, strict=False
    ):
        Image.fromarray(image).save(path)
    before = {kind: dict(table) for kind, table in parts.TABLES.items()}
    yield data.test_labels
    for kind, table in parts.TABLES.items():
        table.clear()
        table.update(before[kind])
    sys.modules.pop("mynet", None)


def command(line):
    program, *words = shlex.split(line)
    if program == "tail":
        return 0 if Path(words[-1]).read_text().count("\n") == 4 else 1
    module, *words = words[1:]
    return run_command(importlib.import_module(COMMANDS[module.split(".")[1]][0]).main, words)


def test_every_recipe_has_at_most_twelve_lines():
    assert len(BLOCKS) > 10
    assert [b for _, b in BLOCKS if sum(map(bool, b.splitlines())) > MOST_LINES] == []


def test_every_recipe_runs(place):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    names = {}
    for language, block in BLOCKS:
        if block.startswith("# mynet.py"):
            Path("mynet.py").write_text(block)
        elif language == "python":
            exec(compile(block, PAGE.name, "exec"), names)
        else:
            for line in block.splitlines():
                assert command(line) == 0, line
    rows = csv.DictReader(Path("scans.csv").read_text().splitlines())
    assert [row["text"] for row in rows] == [str(label) for label in place[1:3]]
