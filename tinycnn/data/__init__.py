"""Where the digits come from: IDX files, the sets that have a name, and a folder of one's own."""

from tinycnn.data.catalogue import CATALOGUE, NamedSet
from tinycnn.data.datasets import Dataset, load_dataset, split_validation
from tinycnn.data.idx import read_idx, write_idx

__all__ = ["CATALOGUE", "Dataset", "NamedSet"]
__all__ += ["load_dataset", "read_idx", "split_validation", "write_idx"]
