"""Which images weights were trained on, so that no network is tested on its training images.

Data sets overlap: the bundled 10,000 digits are part of MNIST's training set. Comparing the
fingerprints of whole sets would not notice, so a weights file carries a sample of its training
images: the ``SAMPLE`` smallest of their hashes. Any set of images has, among its hashes below the
largest of the sample, only images that are in the sample or that were not trained on; the share
that is in the sample estimates the share of the set that was trained on (a bottom-k sketch,
Cohen 1997).
"""

import base64
import hashlib
from typing import Any

import numpy as np

SAMPLE = 1024
_HASH_BYTES = 8


def sample_of(images: np.ndarray, before: str = "") -> str:
    """The smallest hashes of images (N,H,W), as text: at most 11 kilobytes.

    ``before`` is the sample of other images; the result is that of both together.
    """
    hashes = _hashes(images)
    if before:
        hashes = np.union1d(hashes, np.frombuffer(base64.b64decode(before), np.uint64))
    return base64.b64encode(np.sort(hashes)[:SAMPLE].tobytes()).decode()


def sample_in(description: dict[str, Any]) -> str:
    """The sample in the description of a weights file; "" if it has none, or none that is sound."""
    try:
        sample = str(description["training"]["sample"])
        np.frombuffer(base64.b64decode(sample, validate=True), np.uint64)
    except (LookupError, TypeError, ValueError):
        return ""
    return sample


def share_known(images: np.ndarray, sample: str) -> float:
    """About which share of ``images`` was among those that ``sample`` was made of.

    0 if none was found: a handful of known images among many can be missed. ValueError or
    TypeError if ``sample`` is none.
    """
    known = np.frombuffer(base64.b64decode(sample, validate=True), np.uint64)
    hashes = _hashes(images)
    if len(known) == SAMPLE:  # a full sample says nothing of hashes above its largest
        hashes = hashes[hashes <= known[-1]]
    return float(np.isin(hashes, known).mean()) if len(hashes) else 0.0


def _hashes(images: np.ndarray) -> np.ndarray:
    digests = (hashlib.sha256(image.tobytes()).digest() for image in images)
    return np.frombuffer(b"".join(d[:_HASH_BYTES] for d in digests), np.uint64)
