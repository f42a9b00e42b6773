"""Other classifiers on the same digits: how well they read, how long it takes, how large they are.

Read it in this order: ``task`` (what all of them get and give), ``classics`` (of scikit-learn),
``networks`` (made of our layers), ``contest`` (measuring); ``table`` and ``chart`` show results.
"""

from tinycnn.compare.chart import draw
from tinycnn.compare.drawings import load_drawings
from tinycnn.compare.measuring import BASELINES, Result, compete
from tinycnn.compare.table import as_table, captions
from tinycnn.compare.task import Baseline, Task, Trained

__all__ = [
    "BASELINES",
    "Baseline",
    "Result",
    "Task",
    "Trained",
    "as_table",
    "captions",
    "compete",
    "draw",
    "load_drawings",
]
