"""Teaching: people correct the network, and a copy of it learns from them.

Read it in this order: ``corrections`` (what is kept), ``adapt`` and ``pupil`` (how it is learned),
``comparison`` (whether it helped), ``saving``, ``export``.
"""

from tinycnn.teaching.adapt import Adaptation, adapt
from tinycnn.teaching.comparison import Comparison
from tinycnn.teaching.corrections import Correction, CorrectionFile
from tinycnn.teaching.export import export
from tinycnn.teaching.saving import save_adapted

__all__ = [
    "Adaptation",
    "Comparison",
    "Correction",
    "CorrectionFile",
    "adapt",
    "export",
    "save_adapted",
]
