"""One operation in full: its formula, both codes, and an example.

Read it in this order: ``catalogue`` (names and code), ``worked`` and ``example`` (numbers that can
be checked with a pencil), ``figures`` (these as text), ``explanation`` (all together).
"""
