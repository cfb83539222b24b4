"""What is stored, in the lineage: from its sources, column by column, and to what was appended."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import WorkbenchError
from workbench.features.columns import definition_edges
from workbench.features.definitions import FeatureView, Spine
from workbench.features.offline.sources import Sources
from workbench.lineage import Edge, column_edges, feature_node, has_columns, link_all
from workbench.project import Project

__all__ = ["link_appended", "link_stored"]

_linked: set[str] = set()
"""What this process has written: a stream grows often, and its state is asked for more often."""


def link_stored(
    project: Project,
    definition: FeatureView | Spine,
    node: str,
    inputs: Sequence[str],
    sources: Sources,
) -> None:
    """Lead from the sources to what is stored, which a version before this one may have stored.

    Parameters
    ----------
    inputs
        The nodes of the sources that were read; none of a stream.
    """
    if (key := f"{project.database_url} {node}") in _linked:
        return
    if not has_columns(project, node):
        link_all(project, _edges(definition, node, inputs, sources))
    _linked.add(key)


def link_appended(project: Project, view: FeatureView, base: str, node: str) -> None:
    """Lead from what was computed to what it is with the rows that were appended; once."""
    if (key := f"{project.database_url} {node}") in _linked:
        return
    grown = {feature_node(node, name): [feature_node(base, name)] for name in view.features}
    appended = Edge(source=base, target=node, relation="appended")
    link_all(project, [appended, *column_edges(node, grown)])
    _linked.add(key)


def _edges(
    definition: FeatureView | Spine, node: str, inputs: Sequence[str], sources: Sources
) -> list[Edge]:
    unread = [f"dataset:{name}" for name in definition.sources]
    tables = dict(zip(definition.sources, inputs or unread, strict=True))
    try:
        schemas = {name: sources.schema(name) for name in definition.sources}
    except WorkbenchError:  # a stream that is away just now: what is stored of it can be read
        return [Edge(source=table, target=node, relation="computed") for table in inputs]
    return definition_edges(definition, node, schemas, tables)
