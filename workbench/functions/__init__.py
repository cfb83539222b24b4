"""The project's own functions: versioned, typed, documented, searchable, in Python and by SQL.

One idea: a function is its text. Its version is the digest of what it is made of (the statements
that it names, the project's modules that it imports), and a version once registered is run from
that text for ever, whatever became of the notebook or the file that it was written in.

>>> import workbench as wb
>>> @wb.function(test=[((20.0,), True), ((3.0,), False)])  # doctest: +SKIP
... def is_late(delay: float) -> bool:
...     '''Whether a flight counts as late: fifteen minutes or more.'''
...     return delay >= 15
>>> wb.functions.get("is_late@1")(20.0)  # doctest: +SKIP
True

What its annotations say decides how it is called: a function of scalars is called for each row, one
of polars Series or expressions for all rows at once. Either takes both, and so does SQL.
"""

from workbench.functions.declare import function
from workbench.functions.examples import check
from workbench.functions.function import Function
from workbench.functions.records import FunctionVersion, history, list_functions, versions_of
from workbench.functions.registering import (
    Registered,
    get,
    register,
    register_cell,
    register_file,
    register_notebook,
    register_tagged,
)

__all__ = [
    "Function",
    "FunctionVersion",
    "Registered",
    "check",
    "function",
    "get",
    "history",
    "list_functions",
    "register",
    "register_cell",
    "register_file",
    "register_notebook",
    "register_tagged",
    "versions_of",
]
