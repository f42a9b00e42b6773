"""Sweeps: many runs that differ in a few settings and in their seeds, and one table at the end.

Reading order: ``trials`` (the runs, each a process and a run folder of its own), ``results`` (the
table), ``command`` (all of it together).
"""
