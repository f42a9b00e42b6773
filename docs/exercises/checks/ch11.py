"""Chapter 11: saving while everything fails, and an order that needs no memory."""

import errno
import os
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

from checking import Wrong, insist

RENAMES = "replace", "rename"


def save(answer, rng):
    save, payload = answer.__wrapped__, rng.bytes(int(rng.integers(1, 3000)))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "weights"
        path.write_bytes(b"old")
        calls = _calls(save, path, payload)
        insist(path.read_bytes() == payload, "the file does not hold the payload")
        _insist_nothing_else(path, "it has been saved")
        renames = [k for k, call in enumerate(calls) if call in RENAMES]
        insist(
            bool(renames),
            "you wrote to the file itself: from the moment it is opened until its last byte is "
            "written,\nthere is no whole file under its name\n"
            "hint: write to another name in the same folder, then os.replace",
        )
        insist("fsync" in calls, "os.fsync was not called: a power cut may take the bytes")
        insist(calls.index("fsync") < renames[0], "fsync before you rename, not after it")
        for failing in ("fsync", "replace"):
            _let_fail(save, path, failing)


def _calls(save, path, payload):
    """Return which calls were made, in their order."""
    calls = mock.Mock()
    names = ("fsync", *RENAMES)
    for name in names:
        getattr(calls, name).side_effect = getattr(os, name)
    with mock.patch.multiple(os, **{name: getattr(calls, name) for name in names}):
        save(path, payload)
    return [name for name, _, _ in calls.mock_calls]


def _let_fail(save, path, failing):
    path.write_bytes(b"old")
    fault = mock.Mock(side_effect=OSError(errno.ENOSPC, "disk full"))
    names = RENAMES if failing == "replace" else (failing,)
    try:
        with mock.patch.multiple(os, **dict.fromkeys(names, fault)):
            save(path, b"new")
    except NotImplementedError:
        raise
    except OSError:
        pass
    else:
        raise Wrong(f"os.{failing} failed, and the error was hidden: let the error through")
    left = path.read_bytes() if path.exists() else b"nothing"
    insist(left == b"old", f"os.{failing} failed, and the old bytes are gone")
    _insist_nothing_else(path, f"os.{failing} failed")


def _insist_nothing_else(path, when):
    others = sorted(other.name for other in path.parent.iterdir() if other != path)
    insist(not others, f"after {when}, {', '.join(others)} is left in the folder: remove it")


def order_of_epoch(answer, rng):
    seed, epoch, count = int(rng.integers(1000)), int(rng.integers(1, 50)), 60
    first = np.asarray(answer(seed, epoch, count))
    insist(sorted(first.tolist()) == list(range(count)), "every image once, please")
    np.random.seed(epoch)  # noqa: NPY002 - an answer that draws from this one is to be caught
    same = np.array_equal(first, answer(seed, epoch, count))
    insist(same, "asked twice, it answers differently: make the generator anew in every call")
    plain = np.array_equal(first, np.arange(count))
    insist(not plain, "this is no order but the one that they are in already")
    added = (
        "seed 3 in epoch 4 is the same as seed 4 in epoch 3\n"
        "hint: do not add them up; np.random.default_rng takes a list of numbers"
    )
    others = {
        "the next epoch has the same order": (seed, epoch + 1),
        "another seed has the same order": (seed + 1, epoch),
        added: (seed + 1, epoch - 1),
    }
    for complaint, numbers in others.items():
        insist(not np.array_equal(first, answer(*numbers, count)), complaint)
