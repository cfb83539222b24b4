"""The offline store: each view's rows as Parquet, in the order that joins want.

A view's rows are runs: one that its function made of its sources, and those that were appended
since. Within a run all rows of an entity stand together, in order of the time from which they were
known; nothing is ever changed in place, and a manifest says which files count. What a view's
function made is known by its definition and its sources' contents, so what is there is right, and
what isn't is made.
"""

from workbench.features.offline.appending import append
from workbench.features.offline.partitions import Partition, partitions
from workbench.features.offline.sources import Sources
from workbench.features.offline.store import (
    Stored,
    key_types,
    materialize,
    materialize_spine,
    read_stored,
    rows,
)

__all__ = [
    "Partition",
    "Sources",
    "Stored",
    "append",
    "key_types",
    "materialize",
    "materialize_spine",
    "partitions",
    "read_stored",
    "rows",
]
