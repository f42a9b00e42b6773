"""What a second process compiles while the first is busy; it imports no more than that takes."""

import sys

import numpy as np

from tinycnn import kernels
from tinycnn.augment.policies import AUGMENTATIONS


def main(augment: str) -> None:
    """Call the augmentation, and the gradients of a first and of a later stage."""
    images, labels = np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8)
    AUGMENTATIONS[augment](images, labels, np.random.default_rng(0))
    for C in (1, 32):
        x, w = np.ones((1, 6, 6, C), np.float32), np.ones((1, 5, 5, C), np.float32)
        y, winner = np.ones((1, 1, 1, 1), np.float32), np.zeros((1, 1, 1, 1), np.uint8)
        kernels.conv2d_relu_maxpool2d_backward_params(y, winner, x, (5, 5), 2)
        kernels.conv2d_relu_maxpool2d_backward_input(y, winner, w, (6, 6), 2)


if __name__ == "__main__":
    main(sys.argv[1])
