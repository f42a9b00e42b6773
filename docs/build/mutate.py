"""What is said when a kernel of the library is broken: tried in a copy, which is thrown away."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from build.source import ROOT, find

JUDGE = """
import sys
sys.path[:0] = ["docs/exercises", "."]
import checking, checks.ch12, ch12_kernel
print(*checking.judge(ch12_kernel, {"maxpool2d": checks.ch12.maxpool2d}))
"""


def verdict_on_maxpool2d(dotted: str, old: str, new: str) -> str:
    """Put ``new`` in the place of ``old`` in a kernel, and return what chapter 12's check says.

    Uncompiled, because nothing compiled is there for code that has never been seen.
    """
    found = find(dotted)
    if found.text.count(old) != 1:
        raise LookupError(f"{dotted} has no {old!r} to be replaced, or several")
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name)
        for part in ("tinycnn", "benchmarks", "docs/exercises"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, copy / part, ignore=ignore)
        file = copy / found.name
        file.write_text(file.read_text().replace(found.text, found.text.replace(old, new)))
        environment = {**os.environ, "PYTHONPATH": name, "NUMBA_DISABLE_JIT": "1"}
        done = subprocess.run(
            [sys.executable, "-c", JUDGE],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.rstrip()
