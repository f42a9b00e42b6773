"""Adapting: people correct the network, and a copy of it learns from their corrections.

Read it in this order: ``corrections`` (the file), ``adaptation`` and ``folds`` (how a network
learns, and whether it helped).
"""

from tinycnn.adapt.adaptation import Adaptation, Change, adapt
from tinycnn.adapt.corrections import Correction, CorrectionFile, export

__all__ = ["Adaptation", "Change", "Correction", "CorrectionFile", "adapt", "export"]
