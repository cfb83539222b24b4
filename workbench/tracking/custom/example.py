"""The signature of a model that says itself which columns it needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.errors import UsageError
from workbench.tracking.custom.loader import StoredModel
from workbench.tracking.signatures import Example, take_example

__all__ = ["shown"]


def shown(model: StoredModel, example: Any, columns: Sequence[str] | None) -> Example:
    """Take the example's rows as the schema has them; without an example, the schema alone.

    Raises
    ------
    UsageError
        If other columns are named than those of the schema.
    DataError
        If the example doesn't fit the schema.
    """
    import polars as pl

    names = model.feature_names_in_
    if columns is not None and list(columns) != names:
        raise UsageError(
            f"columns={list(columns)}: the schema of {type(model).__name__} says {names}; leave "
            "columns out"
        )
    if example is not None:
        return take_example(model.rows(example))
    schema = {name: getattr(pl, dtype)() for name, dtype in model.schema}
    return Example(take_example(pl.DataFrame(schema=schema)).inputs, None)
