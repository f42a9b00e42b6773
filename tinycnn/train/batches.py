"""Which images come next is a pure function of seed, epoch and batch: nothing to remember.

A generator that ran through all epochs would have to be saved with every checkpoint; this way a
run that goes on in epoch 7 at batch 120 sees exactly the images it would have seen.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from tinycnn.augment.policies import AUGMENTATIONS, FINAL_AUGMENTATIONS
from tinycnn.errors import RunError
from tinycnn.train.recipe import SEEDS

T = TypeVar("T")


class Batches:
    """Images (N,H,W) uint8 and labels (N,), in a new order every epoch.

    Without augmentation the images may be float32 as well. After ``augmented_epochs``
    images stay as they are.

    The last batch of an epoch holds what is left, so every image is seen once; fewer than
    ``smallest`` join the batch before. ``share`` says which images of so many are made; the others
    are left to other ranks.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        size: int,
        seed: int,
        augment: str = "none",
        augmented_epochs: float = math.inf,
        share: Callable[[int], slice] = slice,
        smallest: int = 1,
    ) -> None:
        if size > len(images):
            raise RunError(
                f"`batch_size` {size} is more than the {len(images):,} images to train on"
            )
        if augment != "none" and images.dtype != np.uint8:
            raise RunError(
                f"`augment` {augment} takes images of 256 gray levels, uint8, not {images.dtype}"
            )
        self.images, self.labels, self.size, self.seed = images, labels, size, seed
        self.augment = look_up("augment", augment, AUGMENTATIONS)
        self.settled, self.augmented_epochs = FINAL_AUGMENTATIONS[augment], augmented_epochs
        self._share, self._smallest = share, smallest

    def __len__(self) -> int:
        """How many batches an epoch has."""
        whole, left = divmod(len(self.images), self.size)
        return whole + (left >= self._smallest)

    def count(self, batch: int) -> int:
        """How many images batch number ``batch`` (from 0) of an epoch has."""
        left = len(self.images) - batch * self.size
        return left if batch == len(self) - 1 else self.size

    def of_epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches of ``epoch`` (counted from 1) from batch ``start`` (from 0) on."""
        augment = self.augment if epoch <= self.augmented_epochs else self.settled
        order = stream(self.seed, epoch).permutation(len(self.images))
        for batch in range(start, len(self)):
            chosen = order[batch * self.size :][: self.count(batch)]
            # Counted from 1: SeedSequence takes [seed, epoch, 0] and [seed, epoch] for the same.
            rng = stream(self.seed, epoch, batch + 1)
            share = self._share(len(chosen))
            yield augment(self.images[chosen], self.labels[chosen], rng, share)


def stream(seed: int, *place: int) -> np.random.Generator:
    """A generator that belongs to one ``place`` under ``seed``, and to no other.

    NumPy writes all numbers in words of 32 bits, one after the other, so a longer seed would
    be taken for a shorter one with another place behind it.
    """
    if not 0 <= seed < 2**32:
        raise RunError(f"a seed must be {SEEDS}, not {seed}")
    return np.random.default_rng([seed, *place])


def ahead(batches: Iterator[T]) -> Iterator[T]:
    """The same batches; the next one is made while the last one is used.

    Augmenting images leaves the interpreter free, so both really happen at a time.
    """
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = worker.submit(next, batches, None)
            yield batch


def look_up(name: str, value: str, table: Mapping[str, T]) -> T:
    """Return the entry of ``table`` for ``value``, the value of the parameter ``name``."""
    if value not in table:
        raise RunError(f"there is no `{name}` {value}; choose from {', '.join(table)}")
    return table[value]
