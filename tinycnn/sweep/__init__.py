"""Sweeps: many runs that differ in a few settings and in their seeds, and one table at the end.

Reading order: ``plan`` (the trials), ``folder`` (their files), ``trial`` (one trial, in a process
of its own), ``launch`` (these processes, and all of it together), ``results`` (table and chart).
Every trial is an ordinary run folder, so it resumes as any run does.
"""
