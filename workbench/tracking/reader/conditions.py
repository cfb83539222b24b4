"""Each condition of a filter as SQL: of a run itself, or of a table of keys and values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Select,
    String,
    Text,
    and_,
    bindparam,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.sql.expression import literal

from workbench.tracking.reader.filters import Condition
from workbench.tracking.reader.tables import (
    BY_KIND,
    attribute,
    datasets,
    input_tags,
    inputs,
    is_postgresql,
    runs,
)

__all__ = ["PREFIX", "among", "matches", "of_each_run", "on_run"]

PREFIX = 200
"""Characters of a value that PostgreSQL's index holds: a row of an index has a limit there."""

_RUN_NAME_TAG = "mlflow.runName"
_CONTEXT_TAG = "mlflow.data.context"


def among(
    connection: Connection, column: ColumnElement[str], ids: Sequence[str]
) -> ColumnElement[bool]:
    """Bind any number of ids as one value: databases limit how many values they take."""
    if is_postgresql(connection):
        return column == func.any(bindparam(None, list(ids), ARRAY(String)))
    each = func.json_each(json.dumps(list(ids))).table_valued("value")
    return column.in_(select(each.c.value))


def on_run(condition: Condition) -> ColumnElement[bool]:
    """Write a condition that each run has to be asked for."""
    if condition.comparator in ("IS NULL", "IS NOT NULL"):
        table = BY_KIND[condition.kind]
        present = exists(
            select(table.c.run_uuid)
            .where(table.c.run_uuid == runs.c.run_uuid, table.c.key == condition.key)
            .correlate(runs)
        )
        return present if condition.comparator == "IS NOT NULL" else not_(present)
    return _compared(attribute(condition.key), condition)


def matches(connection: Connection, condition: Condition) -> Select[Any] | None:
    """Select the runs that meet a condition on a table of keys; None for one on `runs`."""
    if condition.kind == "dataset":
        return _dataset_matches(condition)
    if condition.kind == "attribute":
        if condition.key != "run_name":
            return None
        # The column is empty in runs of old, so MLflow looks for the name in the tags.
        condition = replace(condition, kind="tag", key=_RUN_NAME_TAG)
    if condition.comparator in ("IS NULL", "IS NOT NULL"):
        return None
    table = BY_KIND[condition.kind]
    compared = _compared(table.c.value, condition)
    if condition.kind == "metric":
        # MLflow stores NaN as 0 with a mark; NaN differs from every number.
        compared = (
            or_(compared, table.c.is_nan == true())
            if condition.comparator == "!="
            else and_(compared, table.c.is_nan == false())
        )
    elif is_postgresql(connection) and condition.comparator == "=":
        shortened = literal(str(condition.value)[:PREFIX], Text)
        compared = and_(func.left(table.c.value, text(str(PREFIX))) == shortened, compared)
    return select(table.c.run_uuid).where(table.c.key == condition.key, compared)


def of_each_run(connection: Connection, matching: Select[Any]) -> ColumnElement[bool]:
    """Ask each run in turn whether it is among those that match."""
    (run_id,) = matching.selected_columns
    asked = matching.where(run_id == runs.c.run_uuid).correlate(runs)
    # PostgreSQL would rather join all that match first; an offset keeps it from doing so.
    return exists(asked.offset(0) if is_postgresql(connection) else asked)


def _dataset_matches(condition: Condition) -> Select[Any]:
    used = inputs.join(datasets, inputs.c.source_id == datasets.c.dataset_uuid)
    if condition.key != "context":
        return (
            select(inputs.c.destination_id)
            .select_from(used)
            .where(_compared(datasets.c[condition.key], condition))
            .distinct()
        )
    labelled = used.join(input_tags, input_tags.c.input_uuid == inputs.c.input_uuid)
    return (
        select(inputs.c.destination_id)
        .select_from(labelled)
        .where(input_tags.c.name == _CONTEXT_TAG, _compared(input_tags.c.value, condition))
        .distinct()
    )


def _compared(column: Any, condition: Condition) -> ColumnElement[bool]:
    value = condition.value
    comparisons: dict[str, Any] = {
        "=": column.__eq__,
        "!=": column.__ne__,
        ">": column.__gt__,
        ">=": column.__ge__,
        "<": column.__lt__,
        "<=": column.__le__,
        "LIKE": column.like,
        "ILIKE": column.ilike,
        "IN": column.in_,
        "NOT IN": column.not_in,
    }
    compared: ColumnElement[bool] = comparisons[condition.comparator](value)
    return compared
