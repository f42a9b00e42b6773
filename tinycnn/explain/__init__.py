"""One operation in full: its formula, both codes, an example, its gradient and its speed.

Read it in this order: ``catalogue`` (names and code), ``worked`` and ``example`` (numbers that can
be checked with a pencil), ``explanation`` (everything together), ``sections`` and ``figures`` (for
people), ``command`` (on a terminal or a page).
"""
