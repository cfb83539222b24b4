"""The tables of a query: what it was given, the project's sources, and its scored windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import polars as pl

from workbench.data import open_source, read
from workbench.errors import DataError, NotFoundError, UsageError
from workbench.project import Project
from workbench.serving.batch import list_predictions, read_predictions
from workbench.serving.sql.tree import Node, nodes, tables_in

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["give_tables"]

Frame: TypeAlias = Union[pl.DataFrame, pl.LazyFrame, "pd.DataFrame"]

_PREDICTIONS = "predictions"


def give_tables(
    connection: duckdb.DuckDBPyConnection,
    tree: Node,
    project: Project,
    tables: Mapping[str, Frame],
) -> dict[str, pl.DataFrame]:
    """Let the query see each table that it names, and of a source only the columns it may need.

    Returns
    -------
    dict
        The tables by the names that the query has for them.

    Raises
    ------
    NotFoundError
        If it names one that doesn't exist.
    DataError
        If one can't be read.
    """
    needed, given = _Needed.by(tree), dict[str, pl.DataFrame]()
    for name in dict.fromkeys(node["table_name"] for node in tables_in(tree)):
        frame = _frame(name, project, tables, needed)
        if frame is None:
            if name.lower() in needed.own:
                continue
            raise _unknown(name, project, tables, needed.own)
        if odd := [column for column, dtype in frame.schema.items() if dtype == pl.Object]:
            raise DataError(f"SQL: table {name}: column {odd[0]} holds Python objects")
        try:
            connection.register(name, frame.to_arrow())
        except Exception as error:  # of a column that Arrow, or DuckDB, has no type for
            raise DataError(f"SQL: table {name}: {str(error).partition(chr(10))[0]}") from error
        given[name] = frame
    return given


def _frame(
    name: str, project: Project, tables: Mapping[str, Frame], needed: _Needed
) -> pl.DataFrame | None:
    if (given := _match(name, tables)) is not None:
        return _collected(given, tables[given])
    if (source := _match(name, project.settings.sources)) is not None:
        return _read(source, project, needed)
    if name.lower() == _PREDICTIONS and name.lower() not in needed.own:
        return _predictions(project)
    return None


def _match(name: str, known: Mapping[str, Any]) -> str | None:
    """Find a name as SQL does, which doesn't mind the case; the same case comes first."""
    if name in known:
        return name
    return next((other for other in known if other.lower() == name.lower()), None)


def _unknown(
    name: str, project: Project, tables: Mapping[str, Frame], own: set[str]
) -> NotFoundError:
    known = {*tables, *project.settings.sources, _PREDICTIONS, *own}
    hint = "; SQL reads no files" if "." in name or "/" in name else ""
    return NotFoundError(f"{NotFoundError.named('table', name, known)}{hint}")


def _collected(name: str, frame: Frame) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    if not isinstance(frame, pl.LazyFrame) and not hasattr(frame, "iloc"):
        raise UsageError(f"tables[{name!r}] is a {type(frame).__name__}; expected a frame")
    try:
        return frame.collect() if isinstance(frame, pl.LazyFrame) else pl.from_pandas(frame)
    except Exception as error:  # a lazy frame may read files; pandas' columns may hold anything
        raise DataError(f"SQL: table {name}: {str(error).partition(chr(10))[0]}") from error


def _read(name: str, project: Project, needed: _Needed) -> pl.DataFrame:
    columns = None
    if needed.columns is not None:
        schema = list(open_source(name, project).schema())
        # COUNT(*) needs none, but its table has to have one.
        columns = [c for c in schema if c.lower() in needed.columns] or schema[:1]
    try:
        return read(name, project, columns=columns, lazy=True).collect()
    except pl.exceptions.PolarsError as error:
        raise DataError(f"SQL: source {name}: {str(error).partition(chr(10))[0]}") from error


def _predictions(project: Project) -> pl.DataFrame:
    """Put all scored windows under each other, each row with its factory and window."""
    frames = [
        read_predictions(project, window).with_columns(
            factory=pl.lit(window.factory), window_start=pl.lit(window.window_start)
        )
        for window in list_predictions(project)
    ]
    if not frames:
        raise NotFoundError("table predictions: no window was scored yet: workbench score run")
    return pl.concat(frames, how="diagonal_relaxed")


class _Needed:
    """What a query names, so that no more is read.

    Attributes
    ----------
    columns
        Every name that may be a column's, in lower case; None if it may need them all.
    own
        The tables that it makes itself (`WITH`), in lower case.
    """

    def __init__(self, columns: set[str] | None, own: set[str]) -> None:
        self.columns = columns
        self.own = own

    @classmethod
    def by(cls, tree: Node) -> _Needed:
        parts = list(nodes(tree))
        own = {entry["key"].lower() for part in parts for entry in _map(part.get("cte_map"))}
        if any(map(_wants_all, parts)):
            return cls(None, own)
        tables = {str(part[key]).lower() for part in parts for key in _OF_TABLES if part.get(key)}
        names: set[str] = set()
        for part in parts:
            names |= {name.lower() for name in part.get("using_columns") or ()}
            named = [name.lower() for name in part.get("column_names") or ()]
            if len(named) == 1 and named[0] in tables:
                return cls(None, own)  # a table's name for its whole row
            names |= {*named}
        return cls(names, own)


_OF_TABLES = ("table_name", "alias")


def _map(cte_map: Any) -> Iterator[Node]:
    yield from (cte_map or {}).get("map", ())


def _wants_all(part: Node) -> bool:
    return (
        part.get("class") == "STAR"
        or part.get("ref_type") in {"NATURAL", "POSITIONAL"}
        or part.get("type") in {"SHOW_REF", "PIVOT"}
        or part.get("class") == "POSITIONAL_REFERENCE"
        or bool(part.get("column_name_alias"))
    )
