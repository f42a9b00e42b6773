"""Other classifiers on the same digits: their accuracy, their speed and their size.

Reading order: ``task`` (what every classifier gets and returns), ``baselines`` (classifiers of
scikit-learn), ``networks`` (made of tinycnn's layers), ``measuring``; ``table`` and ``chart`` show
the results.
"""
