"""Models of the project's own classes: stored with their source, run as they were then.

A class with `fit`, `predict` and a `schema`, in a module of the project, is a model like those of
the four libraries. No pickle is made of it: its attributes are stored as data, or as its own
`save(folder)` does, and beside them the source of its module and of what that imports of the
project. A version goes on answering as it did after the class was edited, or deleted.

Nothing runs that only a model's folder has. The stored source has to be the project's own: known to
its Git repository, or the same as the files of today.
"""

from workbench.tracking.custom.classes import as_stored
from workbench.tracking.custom.example import shown
from workbench.tracking.custom.loader import StoredModel
from workbench.tracking.custom.storing import (
    CODE,
    CUSTOM,
    LOADER,
    check_same,
    check_source,
    read_custom,
    write_custom,
)

__all__ = [
    "CODE",
    "CUSTOM",
    "LOADER",
    "StoredModel",
    "as_stored",
    "check_same",
    "check_source",
    "read_custom",
    "shown",
    "write_custom",
]
