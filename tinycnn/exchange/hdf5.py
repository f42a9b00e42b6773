"""The arrays of an HDF5 file, as Keras writes them; of all that HDF5 could hold, nothing else."""

import io

import h5py
import numpy as np

from tinycnn.errors import WeightsError
from tinycnn.exchange.metadata import NOTES, Notes, our_notes
from tinycnn.exchange.reading import told

MOST_OBJECTS = 10_000

Arrays = dict[str, np.ndarray]


def read_hdf5(payload: bytes) -> tuple[Arrays, Notes]:
    """Return the float32 arrays by path, "layers/dense/vars/0", and our notes, if there are any.

    Links to elsewhere are not followed. An array must lie in the file in one piece: others may
    stand in other files, or unpack to any size. Attributes are not read: damaged texts in them
    can keep the library busy for ever.
    """
    arrays: Arrays = {}
    notes = ""
    seen = 0

    def look(path: str, thing: h5py.Group | h5py.Dataset) -> None:
        nonlocal seen, notes
        seen += 1
        if seen > MOST_OBJECTS:
            raise WeightsError(f"it holds more than {MOST_OBJECTS:,} objects")
        if isinstance(thing, h5py.Dataset) and thing.dtype == np.float32:
            arrays[path] = _array(path, thing, len(payload))
        elif isinstance(thing, h5py.Dataset) and path == NOTES and thing.dtype == np.uint8:
            notes = _array(path, thing, len(payload)).tobytes().decode(errors="replace")

    with h5py.File(io.BytesIO(payload), "r") as file:
        file.visititems(look)
        return arrays, our_notes(notes)


def _array(path: str, dataset: h5py.Dataset, most: int) -> np.ndarray:
    in_one_piece = not (dataset.chunks or dataset.external or dataset.is_virtual)
    if not in_one_piece or dataset.id.get_storage_size() != dataset.nbytes:
        raise WeightsError(f"{told(path)} does not lie in the file in one piece")
    if dataset.nbytes > most:
        raise WeightsError(f"{told(path)} promises more than the file holds")
    return dataset[()]
