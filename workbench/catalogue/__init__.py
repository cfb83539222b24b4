"""The catalogue: one list of all that a project has, and of who uses it.

Sources, datasets, feature views, functions (registered ones, and those of the request), features
and models are entries of one form, found by the same words: name, description, column, owner, tag,
and what uses them (`used_by:flights-late`). It is made of settings and records alone:
nothing of the project's code runs for it.

>>> import workbench as wb
>>> wb.catalogue.search(project, "delay kind:source")  # doctest: +SKIP
"""

from workbench.catalogue.entries import KINDS, Entry, Kind
from workbench.catalogue.finding import count, list_entries, search
from workbench.catalogue.inserting import code_of
from workbench.catalogue.showing import Shown, show

__all__ = [
    "KINDS",
    "Entry",
    "Kind",
    "Shown",
    "code_of",
    "count",
    "list_entries",
    "search",
    "show",
]
