"""The parameters of ``DigitClassifier``."""

from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator


@dataclass(kw_only=True, eq=False, repr=False)  # as scikit-learn asks: __init__ only assigns
class Parameters(BaseEstimator):
    """Where None is the default, the recipe of ``tinycnn.train`` decides."""

    image_shape: tuple[int, int] | None = None
    """(H, W) of a row; None: square if the number of features is, otherwise 1 x features."""

    scale: float | str = "max"
    """The value in X that means full ink, usually 255 or 1, by which X is divided. "max": the
    largest magnitude in ``fit``, but at most twice ``rms_`` if some values are negative."""

    preset: str | None = None
    """The network; None: "lenet" for images of 16 x 16 and more, "dense" for smaller ones."""

    layers: list[Any] | None = None
    """The network instead of a preset's; ``fit`` trains copies of them."""

    epochs: int | None = None
    batch_size: int | None = None
    lr: float | None = None
    optimizer: str | None = None
    schedule: str | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    average: float | None = None
    """What ``python -m tinycnn.train --help`` tells of the options with these names."""

    augment: str | None = None
    """"none", "light", "mild", "strong" or "drawings". None: that of the preset's recipe for images
    of 16 x 16 and more with values from 0 to ``scale``, otherwise "none"."""

    validation: float = 0.1
    """The fraction of the samples, at least one, that is held out to choose the best epoch."""

    early_stopping: bool = False
    """Whether to stop when ``n_iter_no_change`` epochs have brought no better one."""

    n_iter_no_change: int = 10
    """Epochs without a better one that ``early_stopping`` waits for."""

    warm_start: bool = False
    """Whether ``fit`` goes on with the network of the last ``fit``."""

    class_weight: Any = None
    """"balanced", or a weight for each class: that of its samples in ``fit``."""

    shuffle: bool = True
    """Whether those are drawn at random, stratified by class; False: the last ones, as
    ``python -m tinycnn.train`` takes them (in MNIST, writers are contiguous)."""

    random_state: Any = None
    """An int is the seed of the recipe; otherwise a seed is drawn from it."""

    n_jobs: int | None = None
    """Threads, -1 for all. None: as set by ``tinycnn.set_threads``, or else all, and in a worker of
    joblib its share. Weights do not depend on it."""

    verbose: bool = False
    """Whether to print a line per epoch on stderr."""
