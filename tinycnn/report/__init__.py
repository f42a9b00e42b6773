"""Training runs as one HTML page: how well a network reads, where it fails, how it was trained.

Reading order: ``subject`` (a run and its evaluation), ``pictures`` and ``charts`` (arrays and
curves as images), ``chapters`` and ``overview`` (the contents of the page), ``command`` (templates
make HTML of it).
"""
