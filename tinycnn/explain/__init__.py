"""One operation in full: its formula, both codes, and an example.

Read it in this order: ``catalogue`` (names and code), ``example`` (few small numbers), ``figures``
(these as text), ``command`` (all together).
"""
