"""The sketchpad: draw digits, and see what the network sees.

Read it in this order: ``page`` and ``state`` (what is on the paper), ``engine`` and ``worker`` (who
reads it), ``session`` and ``commands`` (what can be done); so far nothing knows of pygame. Then
``canvas`` and ``view`` with the panels (how it looks), ``app`` and ``window``.
"""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # standard output is for answers
