"""Everything that can go wrong on purpose: one small tree of exceptions.

Whoever calls the library catches ``TinyCNNError``; the commands print its sentence and leave with
its ``exit_code`` (2: bad input or usage, 3: the environment).
"""


class TinyCNNError(Exception):
    """The root of the tree; its message is one sentence that names the culprit and the way out."""

    exit_code = 2


class ShapeError(TinyCNNError, ValueError):
    """Arrays or layers that do not fit together."""


class DataError(TinyCNNError, ValueError):
    """A data file or data set that is missing, damaged or not what it says it is."""


class WeightsError(TinyCNNError, ValueError):
    """A weights file that is damaged, foreign or made for another network."""


class ImageError(TinyCNNError, ValueError):
    """A picture or drawing that cannot be read as digits."""


class RunError(TinyCNNError, RuntimeError):
    """A training run that cannot start or go on."""


class FolderInUse(RunError):  # noqa: N818 - it is one, and in use
    """A run folder in which another process is at work."""


class EnvironmentFault(TinyCNNError, OSError):  # noqa: N818 - EnvironmentError is OSError
    """The machine refuses: no display, no space, no permission."""

    exit_code = 3


class DownloadError(EnvironmentFault):
    """A data set that could not be fetched from any mirror."""
