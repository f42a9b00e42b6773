"""Other classifiers on the same digits: how well they read, how long it takes, how large they are.

Read it in this order: ``task`` (what all of them get and give), ``classics`` (of scikit-learn),
``networks`` (made of our layers), ``contest`` (measuring); ``table`` and ``chart`` show results.
"""

from tinycnn.rivals.chart import draw
from tinycnn.rivals.contest import RIVALS, Result, compete
from tinycnn.rivals.drawings import load_drawings
from tinycnn.rivals.table import as_table, captions
from tinycnn.rivals.task import Rival, Task, Trained

__all__ = [
    "RIVALS",
    "Result",
    "Rival",
    "Task",
    "Trained",
    "as_table",
    "captions",
    "compete",
    "draw",
    "load_drawings",
]
