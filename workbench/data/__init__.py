"""Sources of data by name; every read leaves its schema, row count and digest.

>>> import workbench as wb
>>> flights = wb.data.read("flights")  # doctest: +SKIP

"The same data?" is then a comparison of two digests, whatever file it was read from.
"""

from workbench.data.datasets import Dataset, list_datasets, record
from workbench.data.digest import frame_digest
from workbench.data.observers import observing
from workbench.data.readers import ReaderTap
from workbench.data.sources import read, stamp

__all__ = [
    "Dataset",
    "ReaderTap",
    "frame_digest",
    "list_datasets",
    "observing",
    "read",
    "record",
    "stamp",
]
