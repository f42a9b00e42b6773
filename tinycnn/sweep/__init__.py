"""Sweeps: many runs that differ in a few settings and in their seeds, and one table at the end.

Reading order: ``plan`` (which trials there are), ``folder`` (where they lie), ``trial`` (one of
them, in a process of its own), ``workers`` (who does the work), ``table`` and ``chart`` (what
came of it). Every trial is an ordinary run folder, so it resumes as any run does.
"""
