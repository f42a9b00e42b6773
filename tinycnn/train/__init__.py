"""Training runs: a recipe and a data set become a folder with trained weights.

Reading order: ``recipe`` (what decides the result), ``batches`` (which images come next),
``training`` (the loop), ``checkpoint`` and ``folder`` (how nothing gets lost), ``run`` (all of
it together). ``measure`` says how good the outcome is.
"""
