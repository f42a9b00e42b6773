"""Sweeps: many runs that differ in a few settings and in their seeds, and one table at the end.

Reading order: ``plan`` (the trials), ``folder`` (their files), ``trial`` (one trial, in a process
of its own), ``workers`` (these processes), ``launch`` (all of it together), ``table`` and ``chart``
(the results). Every trial is an ordinary run folder, so it resumes as any run does.
"""
