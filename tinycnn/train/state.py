"""How far a training has come: plain numbers, which JSON and checkpoints hold."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class EpochRecord:
    """One line of metrics.jsonl; ``lr`` is that of the last step."""

    epoch: int
    loss: float
    validation_loss: float
    validation_accuracy: float
    lr: float
    seconds: float
    images_per_second: float


@dataclass
class State:
    """How far training has come; plain numbers, so that JSON can hold it."""

    epoch: int = 1  # the epoch to train, counted from 1
    batch: int = 0  # how many batches of it are done
    images: int = 0  # and how many images those held
    loss_sum: float = 0.0  # their losses, summed over images
    epoch_seconds: float = 0.0  # spent on those batches, making them included
    training_seconds: float = 0.0  # spent on all batches so far
    run_seconds: float = 0.0  # spent on the whole run, compiling and saving included
    best_epoch: int = 0  # 0: none yet
    best_accuracy: float = 0.0
    history: list[EpochRecord] = field(default_factory=list)

    def add_batch(self, count: int, loss: float, seconds: float) -> None:
        """Record a batch of ``count`` images and its mean loss."""
        self.batch += 1
        self.images += count
        self.loss_sum += loss * count
        self.epoch_seconds += seconds
        self.training_seconds += seconds


def state_as_dict(state: State) -> dict[str, Any]:
    """The state without its history, ready for JSON."""
    numbers = asdict(state)
    del numbers["history"]
    return numbers
