"""Adapting: people correct the network, and a copy of it learns from their corrections.

Read it in this order: ``corrections`` (the file), ``adaptation`` and ``folds`` (how a network
learns), ``comparison`` (whether it helped).
"""

from tinycnn.adapt.adaptation import Adaptation, adapt, save_adapted
from tinycnn.adapt.comparison import Change
from tinycnn.adapt.corrections import Correction, CorrectionFile, export

__all__ = [
    "Adaptation",
    "Change",
    "Correction",
    "CorrectionFile",
    "adapt",
    "export",
    "save_adapted",
]
