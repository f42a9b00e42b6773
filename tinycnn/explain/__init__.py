"""One operation from all sides: its formula, both codes, an example, its gradient, its time.

Read it in this order: ``catalogue`` (names), ``listings`` (code), ``small``, ``example`` and
``by_hand`` (numbers to follow), ``clock``, ``explanation`` (all of it); ``figures``, ``words``
and ``page`` show it.
"""

from tinycnn.explain.catalogue import NAMES, Operation, find
from tinycnn.explain.explanation import Explanation, explain
from tinycnn.explain.html import as_page
from tinycnn.explain.text import as_text

__all__ = ["NAMES", "Explanation", "Operation", "as_page", "as_text", "explain", "find"]
