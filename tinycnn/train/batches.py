"""Which images come next is a pure function of seed, epoch and batch: there is no state to save.

A random generator that runs through all epochs would have to be in every checkpoint. This way, a
run that is resumed in epoch 7 at batch 120 sees exactly the images it would have seen.
"""

import math
from collections.abc import Callable, Iterator
from itertools import groupby

import numpy as np

from tinycnn.augment.policies import AUGMENTATIONS, OF_DIGITS, Augmentation, augmented, identity
from tinycnn.errors import RunError, choose

AT_ONCE = 2**20
"""Bytes of images that are made at once: their batches take less time than each by itself."""


class Batches:
    """Images (N,H,W) uint8 and labels (N,), in a new order every epoch.

    Without augmentation the images may be float32 as well. Epochs after ``augmented_epochs`` use
    the final augmentation, which for most leaves images unchanged.

    The last batch of an epoch holds the remaining images, so every image is seen once; if fewer
    than ``smallest`` remain, they join the batch before. ``share`` maps the size of a batch to the
    slice of its images that this rank makes; other ranks make the others.
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
        self.augment = choose("augment", augment, AUGMENTATIONS)
        # Test images are not distorted; but what people draw differs from MNIST to the end.
        self.final_augment = self.augment if augment in OF_DIGITS else identity
        self.augmented_epochs = augmented_epochs
        self._share, self._smallest = share, smallest

    def __len__(self) -> int:
        """Return the number of batches per epoch."""
        whole, left = divmod(len(self.images), self.size)
        return whole + (left >= self._smallest)

    def count(self, batch: int) -> int:
        """Return the number of images in batch ``batch`` (from 0) of an epoch."""
        left = len(self.images) - batch * self.size
        return left if batch == len(self) - 1 else self.size

    def of_epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches of ``epoch`` (counted from 1) from batch ``start`` (from 0) on."""
        augment = self.augment if epoch <= self.augmented_epochs else self.final_augment
        order = stream(self.seed, epoch).permutation(len(self.images))
        few = max(1, AT_ONCE // (self.size * self.images[0].nbytes))
        alike = groupby(range(start, len(self)), lambda batch: (self.count(batch), batch // few))
        for (count, _), some in alike:
            # Counted from 1: SeedSequence treats [seed, epoch, 0] and [seed, epoch] as equal.
            rngs = {batch: stream(self.seed, epoch, batch + 1) for batch in some}
            chosen = order[min(rngs) * self.size :][: len(rngs) * count].reshape(-1, count)
            images, labels = (z.take(chosen, axis=0) for z in (self.images, self.labels))
            share = self._share(count)
            if isinstance(augment, Augmentation):
                images = augmented(images, augment, [*rngs.values()], share)
                yield from zip(images, labels[:, share], strict=True)
            else:
                for batch in zip(images, labels, rngs.values(), strict=True):
                    x, y = augment(*batch)
                    yield x[share], y[share]


def stream(seed: int, *place: int) -> np.random.Generator:
    """Return a generator that belongs to one ``place`` under ``seed``, and to no other.

    NumPy concatenates all numbers as 32-bit words, so a seed of more than 32 bits, which recipes
    refuse, would equal a shorter one followed by another place.
    """
    return np.random.default_rng([seed, *place])
