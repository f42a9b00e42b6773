"""The sketchpad: draw digits, and see what the network sees.

Read it in this order: ``document`` and ``editor`` (the paper), ``engine`` and ``worker`` (a network
in the background), ``session`` and ``commands`` (the state and its changes); so far nothing imports
pygame. Then ``canvas`` and ``view`` with the panels and tabs, ``app`` and ``window``.
"""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # standard output is for answers
