"""Training runs as one HTML page: how well a network reads, where it fails, how it was trained.

Reading order: ``subject`` (a run and its evaluation), ``charts`` (curves as images), ``chapters``
(the contents of the page, run by run), ``command`` (what runs share; templates make HTML of all).
"""
