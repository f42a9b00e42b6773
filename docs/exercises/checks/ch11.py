"""Chapter 11: saving while everything fails, and an order that needs no memory."""

import errno
import os
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

from blank import NotWritten
from checking import Wrong, insist

RENAMES = "replace", "rename"


def save(answer, rng):
    payload = rng.bytes(int(rng.integers(1, 3000)))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "weights"
        path.write_bytes(b"old")
        calls = _save_watched(answer, path, payload)
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
            _let_fail(answer, path, failing)


def _save_watched(answer, path, payload) -> list[str]:
    """Return which calls were made, in their order."""
    calls: list[str] = []

    def watched(name, real):
        def call(*arguments, **options):
            calls.append(name)
            return real(*arguments, **options)

        return call

    with mock.patch.multiple(os, **{n: watched(n, getattr(os, n)) for n in ("fsync", *RENAMES)}):
        answer(path, payload)
    return calls


def _let_fail(answer, path, failing) -> None:
    path.write_bytes(b"old")
    fault = OSError(errno.ENOSPC, "disk full")
    names = RENAMES if failing == "replace" else (failing,)
    try:
        with mock.patch.multiple(os, **{name: mock.Mock(side_effect=fault) for name in names}):
            answer(path, b"new")
    except NotWritten:
        raise
    except OSError:
        pass
    else:
        raise Wrong(f"os.{failing} failed, and the error was hidden: let the error through")
    left = path.read_bytes() if path.exists() else b"nothing"
    insist(left == b"old", f"os.{failing} failed, and the old bytes are gone")
    _insist_nothing_else(path, f"os.{failing} failed")


def _insist_nothing_else(path, when) -> None:
    others = sorted(other.name for other in path.parent.iterdir() if other != path)
    insist(not others, f"after {when}, {', '.join(others)} is left in the folder: remove it")


def order_of_epoch(answer, rng):
    seed, epoch, count = int(rng.integers(1000)), int(rng.integers(1, 50)), 60
    first = answer(seed, epoch, count)
    if first is None or first is Ellipsis:
        raise Wrong(f"your function returns {first!r}")
    insist(sorted(np.asarray(first).tolist()) == list(range(count)), "every image once, please")
    np.random.seed(epoch)  # noqa: NPY002 - an answer that draws from this one is to be caught
    again = answer(seed, epoch, count)
    same = np.array_equal(first, again)
    insist(same, "asked twice, it answers differently: make the generator anew in every call")
    plain = np.array_equal(first, np.arange(count))
    insist(not plain, "this is no order but the one that they are in already")
    other = answer(seed, epoch + 1, count)
    insist(not np.array_equal(first, other), "the next epoch has the same order")
    other = answer(seed + 1, epoch, count)
    insist(not np.array_equal(first, other), "another seed has the same order")
    other = answer(seed + 1, epoch - 1, count)
    insist(
        not np.array_equal(first, other),
        "seed 3 in epoch 4 is the same as seed 4 in epoch 3\n"
        "hint: do not add them up; np.random.default_rng takes a list of numbers",
    )
