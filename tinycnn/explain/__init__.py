"""One operation in full: its formula, both codes, an example, its gradient and its speed.

Read it in this order: ``catalogue`` (names), ``source`` (code), ``inputs``, ``worked`` and
``example`` (numbers that can be checked with a pencil), ``explanation`` (everything together).
``sections`` arranges an explanation, ``text`` and ``html`` render it, ``figures`` aligns numbers.
"""
