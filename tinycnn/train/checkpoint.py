"""A checkpoint is one file with everything that a run needs to continue as if never stopped.

It is a safetensors file: the arrays of the trainer, the history of the epochs, and a JSON note
with everything else. A checksum over both reveals a damaged file.
"""

import hashlib
import json
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from tinycnn.errors import RunError
from tinycnn.nn.weights import refuse_bombs
from tinycnn.train.state import EpochRecord, State

FORMAT = 1
MAX_BYTES = 2**26  # sixteen times the size for the largest preset
LARGEST = 2**63  # bound on each number in a state

_KEY = "tinycnn-checkpoint"
_HISTORY = "history"  # float64 (epochs, fields of EpochRecord)


@dataclass(frozen=True)
class Checkpoint:
    """``arrays`` and ``state`` are the trainer's; ``origin`` (JSON) identifies the run."""

    arrays: dict[str, np.ndarray]
    state: State
    origin: dict[str, Any]


def encode(checkpoint: Checkpoint) -> bytes:
    """Return the bytes of a checkpoint file; raises RunError for numbers that are not finite."""
    for name, array in checkpoint.arrays.items():
        if not np.isfinite(array).all():
            raise RunError(f"{name} holds numbers that are not finite, which are never saved")
    rows = [astuple(record) for record in checkpoint.state.history]
    arrays = {
        **{name: np.ascontiguousarray(array) for name, array in checkpoint.arrays.items()},
        _HISTORY: np.array(rows, np.float64).reshape(len(rows), len(fields(EpochRecord))),
    }
    note = {"state": numbers_of(checkpoint.state), "origin": checkpoint.origin}
    envelope = {"format": FORMAT, "sha256": _digest(arrays, note), "note": note}
    payload = safetensors.numpy.save(arrays, {_KEY: json.dumps(envelope)})
    if len(payload) > MAX_BYTES:
        raise RunError(f"the network is too large: checkpoints hold up to {MAX_BYTES:,} bytes")
    return payload


def read(path: Path) -> Checkpoint:
    """Return the checkpoint in ``path``; raises RunError if a single bit of it is wrong."""
    try:
        refuse_bombs(path, MAX_BYTES)
        return decode(path.read_bytes(), path)
    except RunError:
        raise
    except Exception as error:  # of many kinds, if this is another file
        raise RunError(f"{path} is no checkpoint ({error})") from error


def decode(payload: bytes, source: object) -> Checkpoint:
    """Return the checkpoint that ``encode`` made these bytes of, which are from ``source``."""
    header = json.loads(payload[8 : 8 + int.from_bytes(payload[:8], "little")])
    envelope = json.loads(header.pop("__metadata__")[_KEY])
    if any(entry["dtype"] not in ("F32", "F64") for entry in header.values()):
        raise ValueError("it holds other types than float32 and float64")
    arrays = safetensors.numpy.load(payload)
    if envelope["format"] > FORMAT:
        raise RunError(f"{source} was written by a newer tinycnn; update this one")
    if _digest(arrays, envelope["note"]) != envelope["sha256"]:
        raise RunError(f"{source} is damaged: its checksum is wrong")
    note = envelope["note"]
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite")
    rows = arrays.pop(_HISTORY).tolist()
    records = [EpochRecord(int(epoch), *numbers) for epoch, *numbers in rows]
    numbers = note["state"]
    for name, like in numbers_of(State()).items():
        if type(numbers[name]) is not type(like) or not 0 <= numbers[name] < LARGEST:
            raise ValueError(f"its {name} is {numbers[name]!r}")
    return Checkpoint(arrays, State(**numbers, history=records), note["origin"])


def numbers_of(state: State) -> dict[str, int | float]:
    """Return the state without its history."""
    return {name: value for name, value in vars(state).items() if name != "history"}


def _digest(arrays: dict[str, np.ndarray], note: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(note, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
