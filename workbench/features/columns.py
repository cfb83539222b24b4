"""Which columns of its sources a feature needs: asked of polars, by running the definition.

Each source is replaced by one without rows that writes down which columns are read of it, and each
feature is computed by itself. polars reads what the feature is made of and what decides which rows
there are (filters, keys of joins), and no more. Where something in between hides what it uses, such
as a Python function of whole frames, polars has to read everything: then nobody can tell.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from workbench.errors import WorkbenchError
from workbench.features.definitions import FeatureView, RequestView, Spine
from workbench.lineage import Edge, column_edges, column_node, feature_node

__all__ = ["definition_edges", "request_columns", "spine_columns", "view_columns"]

_CANARY = "workbench canary"
"""A column that nothing asks for, unless everything is asked for, or only how many rows there are:
polars counts them in the first column.
"""

_logger = logging.getLogger("workbench.features")

Columns = dict[str, list[str] | None]


def definition_edges(
    definition: FeatureView | Spine,
    node: str,
    schemas: Mapping[str, pl.Schema],
    tables: Mapping[str, str],
) -> list[Edge]:
    """Lead from sources to what a definition computed of them, and from columns to columns.

    Parameters
    ----------
    node
        What was computed, in the lineage.
    schemas, tables
        The columns of each source, and its node; without a state (`@…`) where it wasn't read.
    """
    if isinstance(definition, FeatureView):
        needed = view_columns(definition, node, schemas, tables)
    else:
        needed = spine_columns(definition, node, schemas, tables)
    asked = {column for columns in needed.values() for column in columns or ()}
    edges = []
    for name, table in tables.items():
        if "@" not in table:
            continue
        named = [column_node(table, column) for column in schemas[name]]
        own = [column for column in named if column in asked]
        edges.append(Edge(source=table, target=node, relation="computed"))
        edges += column_edges(table, dict.fromkeys(own, ()))
    return [*edges, *column_edges(node, needed)]


def view_columns(
    view: FeatureView, node: str, schemas: Mapping[str, pl.Schema], tables: Mapping[str, str]
) -> Columns:
    """Name, for each feature of a view, the columns of its sources that it needs.

    Parameters
    ----------
    node
        The stored view in the lineage.
    schemas, tables
        The columns of each source, and its node.

    Returns
    -------
    dict
        The feature's node → the columns' nodes; None where polars can't tell.
    """
    asked = {feature: feature for feature in view.features}
    for aggregate in view.aggregates:  # events are counted by their time
        asked[aggregate.name] = aggregate.column or view.event_time or ""
    found = _traced(view, schemas, tables, set(asked.values()))
    return {feature_node(node, feature): found.get(asked[feature]) for feature in asked}


def spine_columns(
    spine: Spine, node: str, schemas: Mapping[str, pl.Schema], tables: Mapping[str, str]
) -> Columns:
    """Name, for each column of a spine, the columns of its sources that it needs."""
    found = _traced(spine, schemas, tables, None)
    return {column_node(node, column): found[column] for column in found}


def request_columns(
    view: RequestView, node: str, views: Mapping[str, str], spine: str | None
) -> Columns:
    """Name, for each feature of a request view, what its expression is made of.

    Parameters
    ----------
    views
        The nodes of the views that were joined before, by their names.
    spine
        The spine's node; None where the rows are the user's own, whose columns have no names here.
    """
    found: Columns = {}
    for feature, expression in view.run().items():
        nodes = []
        for root in expression.meta.root_names():
            name, two, column = root.partition("__")
            if two and name in views:
                nodes.append(feature_node(views[name], column))
            elif spine is not None:
                nodes.append(column_node(spine, root))
        found[feature_node(node, feature)] = list(dict.fromkeys(nodes))
    return found


class _Recorder:
    """Sources without rows, and what is asked of them."""

    def __init__(self, schemas: Mapping[str, pl.Schema], tables: Mapping[str, str]) -> None:
        self.asked: dict[str, None] = {}
        self.everything = False
        self._tables = tables
        self.frames = {name: self._source(name, schema) for name, schema in schemas.items()}

    def take(self) -> dict[str, None] | None:
        """Return what was asked since the last time; None if it was everything."""
        asked, hidden = self.asked, self.everything
        self.asked, self.everything = {}, False
        return None if hidden else asked

    def _source(self, name: str, schema: pl.Schema) -> pl.LazyFrame:
        from polars.io.plugins import register_io_source

        watched = pl.Schema({_CANARY: pl.Boolean(), **schema})

        def read(
            columns: list[str] | None, predicate: pl.Expr | None, *_: Any
        ) -> Iterator[pl.DataFrame]:
            self._note(name, None if columns is None or len(columns) == len(watched) else columns)
            empty = pl.DataFrame(schema=watched)
            empty = empty if predicate is None else empty.filter(predicate)
            yield empty if columns is None else empty.select(columns)

        return register_io_source(read, schema=watched)

    def _note(self, name: str, columns: list[str] | None) -> None:
        if columns is None:
            self.everything = True
        for column in columns or ():
            if column != _CANARY:
                self.asked[column_node(self._tables[name], column)] = None


def _traced(
    definition: FeatureView | Spine,
    schemas: Mapping[str, pl.Schema],
    tables: Mapping[str, str],
    columns: Iterable[str] | None,
) -> Columns:
    """Compute columns one by one; all of them if None are named, and none if that fails."""
    recorder = _Recorder(schemas, tables)
    try:
        frame = definition.run(**recorder.frames)
        everywhere = recorder.take()  # a function that collects has looked already
        found: Columns = {}
        names = frame.collect_schema().names() if columns is None else sorted(columns)
        for name in names:
            if name == _CANARY:
                continue
            frame.select(name).collect()
            own = recorder.take()
            known = own is not None and everywhere is not None
            found[name] = list({**(everywhere or {}), **(own or {})}) if known else None
    except (WorkbenchError, pl.exceptions.PolarsError, ValueError, TypeError) as error:
        _logger.debug("%s: its columns aren't known: %s", definition.where, error)
        return {}
    return found
