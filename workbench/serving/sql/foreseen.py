"""Which rows a model will be asked about, where a query makes that plain: all of its one table's.

Then nothing has to be run to find them out. To be wrong about it costs time and no more: answers
are found by the rows themselves (`gathering`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from workbench.serving.sql.tree import Node, arguments_of, nodes

__all__ = ["foreseen"]

_EACH_ROW = {"COLUMN_REF", "FUNCTION", "CONSTANT", "STAR", "CAST", None}
"""The classes of expressions that leave out no row: not CASE, nor AND, nor a subquery."""


def foreseen(
    tree: Node, frames: Mapping[str, pl.DataFrame], call: str, names: Sequence[str]
) -> pl.DataFrame | None:
    """Return the rows that a function will be called with, or None if that isn't plain.

    Parameters
    ----------
    call
        The function's name in the tree; each of its arguments has to be a column.
    names
        What to call the arguments.
    """
    table = _only_table(tree)
    if table is None or table["table_name"] not in frames:
        return None
    frame = frames[table["table_name"]]
    own = {table["table_name"].lower(), table["alias"].lower()}
    columns = {column.lower(): column for column in frame.columns}
    calls = [node for node in nodes(tree) if node.get("function_name") == call]
    asked = {tuple(_column(part, own, columns) for _, part in arguments_of(one)) for one in calls}
    if len(asked) != 1 or "" in (only := asked.pop()):
        return None
    rows = pl.DataFrame([frame[one].alias(name) for one, name in zip(only, names, strict=True)])
    return rows if all(map(_is_plain, rows.dtypes)) else None


def _only_table(tree: Node) -> Node | None:
    parts = list(nodes(tree))
    tables = [part for part in parts if part.get("type") == "BASE_TABLE"]
    selects = [part for part in parts if part.get("type") == "SELECT_NODE"]
    if len(tables) != 1 or len(selects) != 1 or not {p.get("class") for p in parts} <= _EACH_ROW:
        return None
    query, table = selects[0], tables[0]
    if query["from_table"] is not table or any(
        (query["where_clause"], query["sample"], query["qualify"], query["cte_map"]["map"])
    ):
        return None
    if any(modifier["type"] != "ORDER_MODIFIER" for modifier in query["modifiers"]):
        return None
    return None if table["sample"] or table["column_name_alias"] else table


def _column(part: Node, own: set[str], columns: Mapping[str, str]) -> str:
    """Return the table's column that an argument is; empty if it is something else."""
    *above, name = part.get("column_names") or [""]
    is_own = not above or (len(above) == 1 and above[0].lower() in own)
    return columns.get(name.lower(), "") if is_own else ""


def _is_plain(dtype: pl.DataType) -> bool:
    """Whether DuckDB gives the very type back."""
    is_number = dtype.is_numeric() and not isinstance(dtype, pl.Decimal)
    return is_number or isinstance(dtype, (pl.Boolean, pl.String))
