"""The sketchpad: draw digits, and see what the network sees.

Read it in this order: ``state`` (what is on the paper), ``brain`` and ``worker`` (who reads it),
``session`` (one command after the other, from a person or from a record), ``view`` (how it
looks), ``app`` (the window). Nothing before ``canvas`` knows of pygame.
"""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # standard output is for answers
