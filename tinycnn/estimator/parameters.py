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
    """The value in X that means full ink, usually 255 or 1. "max": the largest magnitude in
    ``fit``, but at most twice ``rms_`` if some values are negative, because the largest of
    standardized values is an outlier. ``fit`` and ``predict`` divide X by it, and ``predict``
    warns if X seems to be of another scale."""

    preset: str | None = None
    """The network; None: "lenet" for images of 16 x 16 and more, "dense" for smaller ones."""

    layers: list[Any] | None = None
    """The network instead of a preset's: layers that end in as many numbers as there are classes.
    ``fit`` trains copies of them."""

    epochs: int | None = None
    """Passes through all samples."""

    batch_size: int | None = None
    """Samples per step."""

    lr: float | None = None
    """The highest learning rate."""

    optimizer: str | None = None
    """"sgd" or "adam"."""

    schedule: str | None = None
    """"one-cycle", "cosine" or "constant"."""

    momentum: float | None = None
    """Of sgd."""

    weight_decay: float | None = None
    """The fraction of the weights that a step subtracts, times the learning rate."""

    average: float | None = None
    """The decay of the running average of the weights, as 0.999; 0: no average."""

    augment: str | None = None
    """The augmentation: "none", "light", "mild", "strong" or "drawings"; it rounds images to 256
    gray levels. None: that of the preset's recipe for images of 16 x 16 and more with values
    from 0 to ``scale``, otherwise "none"."""

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
    """Whether those are drawn at random, stratified by class, whatever the order of X; False: the
    last ones, as ``python -m tinycnn.train`` takes them (in MNIST, writers are contiguous)."""

    random_state: Any = None
    """An int is the seed of the recipe; otherwise a seed is drawn from it."""

    n_jobs: int | None = None
    """Threads for ``fit`` and ``predict``, -1 for all. None: as set by ``tinycnn.set_threads``, or
    else all, and in a worker of joblib its share. Weights do not depend on it."""

    verbose: bool = False
    """Whether to print a line per epoch on stderr."""
