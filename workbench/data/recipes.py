"""Recipes: how a frame came to be, so that it can be made again and compared.

A recipe is data and never code. A filter stays as polars' own bytes of the expression, for polars
rounds floats where it reads JSON; of one that holds a Python function only its text is kept.
"""

from __future__ import annotations

import base64
import re
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from workbench.errors import DataError

__all__ = ["Recipe", "derived", "from_reader", "from_source"]


class Recipe(BaseModel):
    """How a dataset was made: read from a source, heard of a reader, or derived from others."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Literal["source", "reader", "derived", "unknown"] = "unknown"
    source: str = ""
    columns: list[str] | None = None
    where: str = ""
    """The filter as people read it."""
    filter: str = ""
    """The filter as polars reads it, in base64; empty if there is none, or if it holds a Python
    function.
    """
    as_of: datetime | None = None
    reader: str = ""
    options: list[str] = []
    """The names of the reader's further arguments; their values may be secrets."""
    made_from: list[str] = []
    code: str = ""
    cells: dict[str, str] = {}
    """Each column's digest, so that it can be said later which of them changed."""

    def stored(self) -> dict[str, Any]:
        """Write the recipe as its row holds it."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def expression(self) -> pl.Expr | None:
        """Return the filter, to read by again.

        Raises
        ------
        DataError
            If the filter was not kept, or this version of polars doesn't know it.
        """
        if not self.where:
            return None
        if not self.filter:
            raise DataError(f"the filter {self.where} holds a Python function: it isn't kept")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of polars: another version may not read it
                return pl.Expr.deserialize(base64.b64decode(self.filter, validate=True))
        except Exception as error:  # polars raises what its parser does, of many kinds
            raise DataError(
                f"the filter {self.where} was kept by another version of polars"
            ) from error

    def told(self) -> str:
        """Say the recipe in a line."""
        if self.kind == "source":
            chosen = f", columns {', '.join(self.columns)}" if self.columns is not None else ""
            rows = f", where {self.where}" if self.where else ""
            moment = f", as of {self.as_of.isoformat()}" if self.as_of else ""
            return f"read from source {self.source}{chosen}{rows}{moment}"
        if self.kind == "reader":
            given = f" with {', '.join(self.options)}" if self.options else ""
            return f"read by {self.reader}{given}"
        if self.kind == "derived":
            by = f" by {self.code}" if self.code else ""
            return f"derived from {', '.join(self.made_from) or 'nothing'}{by}"
        return "not known"


def from_source(
    name: str,
    columns: Sequence[str] | None = None,
    where: pl.Expr | None = None,
    as_of: datetime | None = None,
) -> Recipe:
    """Make the recipe of a frame that was read from the source called `name`."""
    return Recipe(
        kind="source",
        source=name,
        columns=None if columns is None else list(columns),
        where="" if where is None else _text(where),
        filter="" if where is None else _bytes(where),
        as_of=as_of,
    )


def from_reader(reader: str, arguments: Sequence[Any], options: Mapping[str, Any]) -> Recipe:
    """Make the recipe of a frame that `polars.read_csv` or its like gave."""
    further = [f"argument {place + 1}" for place in range(1, len(arguments))]
    return Recipe(kind="reader", reader=reader, options=[*further, *sorted(options)])


def derived(made_from: Sequence[str], code: str = "") -> Recipe:
    """Make the recipe of a frame that `code` made from the datasets with these lineage nodes."""
    return Recipe(kind="derived", made_from=list(made_from), code=code)


def _text(where: pl.Expr) -> str:
    text = " ".join(str(where).split())
    return re.sub(r"\(dyn \w+: ([^)]*)\)", r"(\1)", text)  # polars' word for an untyped literal


def _bytes(where: pl.Expr) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of polars: another version may not read it
        try:
            tree = where.meta.serialize(format="json")
        except pl.exceptions.PolarsError:
            return ""
        # A Python function in it is a pickle, and loading that would run it.
        if re.search(r'"(Anonymous|Python)\w*"\s*:', tree):
            return ""
        return base64.b64encode(where.meta.serialize()).decode()
