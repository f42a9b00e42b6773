"""Training runs as one HTML page: what a network can do, what it cannot, and how it was made.

Reading order: ``subject`` (what is known of a run), ``pictures`` and ``charts`` (arrays and
curves as something to look at), ``chapters`` and ``overview`` (what the page says), ``page``
(templates make HTML of it).
"""
