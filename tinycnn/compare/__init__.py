"""Other classifiers on the same digits: their accuracy, their speed and their size.

Reading order: ``task`` (what every classifier gets and returns), ``baselines`` (the classifiers),
``measurement`` (how they are measured), ``command`` (the table).
"""
