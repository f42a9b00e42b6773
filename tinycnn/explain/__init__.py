"""One operation from all sides: its formula, both codes, an example, its gradient, its time.

Read it in this order: ``catalogue`` (names), ``listings`` (code), ``small``, ``example`` and
``by_hand`` (numbers to follow), ``clock``, ``explanation`` (all of it); ``figures``, ``words``
and ``page`` show it.
"""
