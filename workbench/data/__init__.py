"""Sources of data by name; every read leaves its schema, row count, digest and recipe.

>>> import workbench as wb
>>> flights = wb.data.read("flights")  # doctest: +SKIP

"The same data?" is then a comparison of two digests, whatever file it was read from. What the
rows must be like stands in a contract (`guard`), and what they are like in a `report`.
"""

from workbench.data.contracts import Check, check, guard, infer_contract, last_checks
from workbench.data.datasets import Dataset, find_dataset, list_datasets, record
from workbench.data.diff import DataDiff, diff, frame_diff
from workbench.data.digest import frame_digest
from workbench.data.observers import observing
from workbench.data.readers import ReaderTap
from workbench.data.rebuild import Rebuild, rebuild
from workbench.data.recipes import Recipe, derived, from_source
from workbench.data.report import ColumnReport, report
from workbench.data.sides import frame_of, row_keys
from workbench.data.sources import Source, open_source, read, stamp

__all__ = [
    "Check",
    "ColumnReport",
    "DataDiff",
    "Dataset",
    "ReaderTap",
    "Rebuild",
    "Recipe",
    "Source",
    "check",
    "derived",
    "diff",
    "find_dataset",
    "frame_diff",
    "frame_digest",
    "frame_of",
    "from_source",
    "guard",
    "infer_contract",
    "last_checks",
    "list_datasets",
    "observing",
    "open_source",
    "read",
    "rebuild",
    "record",
    "report",
    "row_keys",
    "stamp",
]
