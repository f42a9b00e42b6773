"""Other classifiers on the same digits: their accuracy, their speed and their size.

Reading order: ``baselines`` (the task and the classifiers), ``command`` (the measurements).
"""
