"""The progress of a training: plain numbers, for JSON and checkpoints."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class EpochRecord:
    """One line of metrics.jsonl; ``lr`` is the learning rate of the last step."""

    epoch: int
    loss: float
    validation_loss: float
    validation_accuracy: float
    lr: float
    seconds: float
    images_per_second: float


@dataclass
class State:
    """How far a training has come."""

    epoch: int = 1  # the epoch to train, counted from 1
    batch: int = 0  # the number of its batches that are done
    images: int = 0  # and the number of images in these
    loss_sum: float = 0.0  # their losses, summed over images
    epoch_seconds: float = 0.0  # spent on those batches, including making them
    training_seconds: float = 0.0  # spent on all batches so far
    run_seconds: float = 0.0  # spent on the whole run, including compiling and saving
    best_epoch: int = 0  # 0: none yet
    best_accuracy: float = 0.0
    history: list[EpochRecord] = field(default_factory=list)

    def add_batch(self, count: int, loss: float, seconds: float) -> None:
        """Add a batch of ``count`` images and its mean loss."""
        self.batch += 1
        self.images += count
        self.loss_sum += loss * count
        self.epoch_seconds += seconds
        self.training_seconds += seconds
