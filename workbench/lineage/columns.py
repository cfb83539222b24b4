"""Columns: from a source's to the features that need them, to what a model was fitted on.

These edges have a relation of their own, for a walk through tables has no use for them. A column
is that of one state of its table: `column:weather.temp@c728015390df`, `feature:weather:temp@…`,
and `input:RUN/weather__temp` is what the model of a run asks for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select

from workbench.lineage.edges import COLUMN, COLUMNS, UNKNOWN, Edge, upstream
from workbench.project import Project
from workbench.store import EdgeRow, database

__all__ = [
    "Needed",
    "column_edges",
    "column_node",
    "feature_node",
    "has_columns",
    "input_edges",
]

Needed = Mapping[str, Iterable[str] | None]
"""For each column or feature that is made, the nodes that it needs; None where nobody can tell."""


def column_node(table: str, column: str) -> str:
    """Name a column of the table with this node.

    >>> column_node("dataset:weather@c728015390df", "temp")
    'column:weather.temp@c728015390df'
    """
    name, at, state = table.partition(":")[2].rpartition("@")
    return f"column:{name}.{column}@{state}" if at else f"column:{state}.{column}"


def feature_node(view: str, feature: str) -> str:
    """Name a feature of the view with this node.

    >>> feature_node("view:weather@5603418a27a190a0", "temp")
    'feature:weather:temp@5603418a27a190a0'
    """
    name, _, state = view.partition(":")[2].rpartition("@")
    return f"feature:{name}:{feature}@{state}"


def column_edges(table: str, needed: Needed) -> list[Edge]:
    """Lead to each column of `table`, a spine or a view, from the table and from what it needs.

    Parameters
    ----------
    needed
        By the node of each column: the columns or features that it is made of.
    """
    made = [
        Edge(source=table, target=node, relation=UNKNOWN if sources is None else COLUMN)
        for node, sources in needed.items()
    ]
    return [
        *made,
        *(
            Edge(source=source, target=node, relation=COLUMN)
            for node, sources in needed.items()
            for source in sources or ()
        ),
    ]


def has_columns(project: Project, table: str) -> bool:
    """Whether the columns or features of a table were written down, known or not."""
    query = select(EdgeRow.id).where(EdgeRow.source == table, EdgeRow.relation.in_(COLUMNS))
    with database(project).session() as session:
        return session.scalar(query.limit(1)) is not None


def input_edges(
    project: Project, fitted: Mapping[str, Collection[str]], read: Collection[str]
) -> list[Edge]:
    """Lead to the input columns of models, and on to their runs, from the features they hold.

    Which state of a view a column is from, the chain above the run says: the nearest one counts.

    Parameters
    ----------
    fitted
        The input columns of each run's model, by the run's node.
    read
        What the runs have read and isn't in the chain yet.
    """
    found = []
    for run, columns in fitted.items():
        above = upstream(project, run, *read) if any("__" in name for name in columns) else []
        views: dict[str, str] = {}
        for node in [*read, *(edge.source for edge in above)]:
            if node.startswith("view:"):
                views.setdefault(node.partition(":")[2].rpartition("@")[0], node)
        for column in columns:
            node = f"input:{run.partition(':')[2]}/{column}"
            view, _, feature = column.partition("__")
            if view in views:
                source = feature_node(views[view], feature)
                found.append(Edge(source=source, target=node, relation=COLUMN))
            found.append(Edge(source=node, target=run, relation=COLUMN))
    return found
