"""Which images weights were trained on, so that no network is tested on its training images.

Data sets overlap: the bundled digits are part of MNIST's training set. A weights file carries the
``SAMPLE`` smallest hashes of its training images. Of another set, an image whose hash is below the
largest of them is in the sample, or was not trained on; the share that is in the sample estimates
the share of the set that was trained on (a bottom-k sketch, Cohen 1997).
"""

import base64
import hashlib
from typing import Any

import numpy as np

SAMPLE = 1024


def sample_of(images: np.ndarray, before: str = "") -> str:
    """The smallest hashes of images (N,H,W), as text: at most 11 kilobytes.

    ``before`` is the sample of other images; the result is that of both together.
    """
    hashes = np.union1d(_hashes(images), _decoded(before)) if before else np.sort(_hashes(images))
    return base64.b64encode(hashes[:SAMPLE].tobytes()).decode()


def sample_in(description: dict[str, Any]) -> str:
    """The sample in the description of a weights file; "" if it has none, or none that is sound."""
    try:
        sample = str(description["training"]["sample"])
        _decoded(sample)
    except (LookupError, TypeError, ValueError):
        return ""
    return sample


def share_known(images: np.ndarray, sample: str) -> float:
    """About which share of ``images`` was among those of ``sample``; a handful can be missed."""
    known, hashes = _decoded(sample), _hashes(images)
    if len(known) == SAMPLE:  # a full sample says nothing of hashes above its largest
        hashes = hashes[hashes <= known[-1]]
    return float(np.isin(hashes, known).mean()) if len(hashes) else 0.0


def _decoded(sample: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(sample, validate=True), np.uint64)


def _hashes(images: np.ndarray) -> np.ndarray:
    digests = (hashlib.sha256(image.tobytes()).digest()[:8] for image in images)
    return np.frombuffer(b"".join(digests), np.uint64)
