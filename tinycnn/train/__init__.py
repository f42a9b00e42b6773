"""A training run turns a recipe and a data set into a folder with trained weights.

Reading order: ``recipe`` (the values that decide the result), ``batches`` (which images come
next), ``trainer`` (the loop), ``checkpoint`` and ``folder`` (how nothing gets lost), ``run`` and
``command`` (all of it together). ``ranks`` and ``mpi`` concern trainings of several processes only;
``fitting``, ``parts`` and ``callbacks`` are for networks and programs of your own.
"""
