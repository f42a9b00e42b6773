"""Import: turn a file written by PyTorch, Keras or ONNX tools into an ordinary weights file.

The first bytes tell which kind of file it is. A file is untrusted data: no code in it is ever run,
and everything wrong with it ends in a WeightsError of one sentence.
"""

import io
import zipfile
from pathlib import Path

import numpy as np

from tinycnn.errors import EnvironmentFault, TinyCNNError, WeightsError, need
from tinycnn.exchange.chain import Chain
from tinycnn.exchange.pytorch import read_state_dict
from tinycnn.nn import Sequential
from tinycnn.nn.weights import MAX_BYTES

HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"


def read(source: Path, known: Sequential | None = None) -> Sequential:
    """Return the network in ``source``; ``converted_from`` in its description names the program.

    ``known`` has the layers of a state_dict, which holds only arrays. Raises WeightsError if the
    file cannot be read or has unsupported parts, EnvironmentFault if a package that reads it is
    missing.
    """
    try:
        kind, chain = _read(source, known)
        with np.errstate(all="ignore"):  # numbers that are not finite are refused below
            arrays = chain.final_arrays()
        origin = {"converted_from": kind}
        return Sequential.of_arrays(source, chain.layers, chain.input_shape, arrays, origin)
    except EnvironmentFault:
        raise
    except TinyCNNError as error:
        text = str(error)
        raise WeightsError(text if text.startswith(str(source)) else f"{source}: {text}") from error
    except Exception as error:  # other libraries' parsers raise all kinds
        why = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise WeightsError(f"{source} is damaged or of no supported kind: {why}") from error


def _read(source: Path, known: Sequential | None) -> tuple[str, Chain]:
    if not source.is_file():
        raise WeightsError("there is no such file")
    if source.stat().st_size > MAX_BYTES:
        raise WeightsError(f"it is longer than {MAX_BYTES:,} bytes")
    payload = source.read_bytes()
    # safetensors: eight bytes with the length of the header, then the header, which is JSON
    if payload[8:9] == b"{" and payload[:1] != b"{":
        return "PyTorch", read_state_dict(source, known)
    if _is_pickle(payload):
        raise WeightsError(
            "it is a pickle, which can run any code and is never read here; save it in PyTorch "
            "with safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
        )
    if known:
        raise WeightsError("it already describes its layers; leave out --preset and --like")
    if payload.startswith((HDF5, ZIP)):
        need("h5py", "export", f"reading {source}")
        from tinycnn.exchange.keras_import import read_archive, read_hdf5

        return "Keras", (read_archive if payload.startswith(ZIP) else read_hdf5)(payload)
    need("onnx", "export", f"reading {source}")
    from tinycnn.exchange.onnx_import import read_onnx

    return "ONNX", read_onnx(payload, source.parent)


def _is_pickle(payload: bytes) -> bool:
    """Whether torch.save or pickle wrote the file; torch.save puts its pickle into an archive."""
    if not payload.startswith(ZIP):
        return payload[:1] == b"\x80"
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        return any(name.endswith("data.pkl") for name in archive.namelist())
