"""Where the digits come from: IDX files, the sets that have a name, and a folder of one's own."""

from tinycnn.data.catalogue import CATALOGUE as CATALOGUE
from tinycnn.data.catalogue import NamedSet as NamedSet
from tinycnn.data.datasets import Dataset as Dataset
from tinycnn.data.datasets import load_dataset as load_dataset
from tinycnn.data.datasets import split_validation as split_validation
from tinycnn.data.idx import read_idx as read_idx
from tinycnn.data.idx import write_idx as write_idx
