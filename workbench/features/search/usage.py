"""Who uses what: the models, runs and notebooks that something led to, by the lineage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, collate, func, or_, select

from workbench.lineage.edges import COLUMNS
from workbench.project import Project
from workbench.store import EdgeRow, JobRow, database

__all__ = ["UNUSED", "Usage", "newest_edge", "usage"]


class Usage(NamedTuple):
    """What was made with something: models, the notebooks whose jobs did it, and their runs."""

    models: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()
    runs: int = 0

    @property
    def weight(self) -> int:
        """How much it is used, in one number."""
        return self.runs + len(self.models)

    @property
    def names(self) -> list[str]:
        """Its users as the lineage names them."""
        return [
            *(f"model:{name}" for name in self.models),
            *(f"notebook:{name}" for name in self.notebooks),
        ]


UNUSED = Usage()


def usage(project: Project, kind: str, names: Collection[str] | None = None) -> dict[str, Usage]:
    """Say who uses things of a kind (`view`, `feature`, `dataset`), all or those so named."""
    if names is not None and not names:
        return {}
    prefixes = [f"{kind}:"] if names is None else [f"{kind}:{name}@" for name in names]
    with database(project).session() as session:
        dialect = session.get_bind().dialect.name
        first = select(EdgeRow.source.label("start"), EdgeRow.target.label("node"))
        between_things = EdgeRow.relation.not_in(COLUMNS)  # columns lead to the same runs
        begun = first.where(or_(*(_begins(prefix, dialect) for prefix in prefixes)), between_things)
        nodes = begun.cte(recursive=True)
        further = select(nodes.c.start, EdgeRow.target).join(
            EdgeRow, EdgeRow.source == nodes.c.node
        )
        # What a model goes on to make is made by the model.
        reached = nodes.union(further.where(nodes.c.node.not_like("model:%"), between_things))
        query = (
            select(reached.c.start, reached.c.node, JobRow.notebook)
            .outerjoin(JobRow, JobRow.run_id == func.substr(reached.c.node, len("run:") + 1))
            .where(or_(reached.c.node.like("run:%"), reached.c.node.like("model:%")))
        )
        rows = session.execute(query).all()
    return _collected([(start, node, notebook) for start, node, notebook in rows])


def newest_edge(project: Project) -> int:
    """Return a number that changes when anything is used anew."""
    with database(project).session() as session:
        return session.scalar(select(func.max(EdgeRow.id))) or 0


def _begins(prefix: str, dialect: str) -> ColumnElement[bool]:
    """Compare by code points, in which what begins with a prefix is one stretch of the index."""
    source = collate(EdgeRow.source, "C" if dialect == "postgresql" else "BINARY")
    return (source >= prefix) & (source < prefix[:-1] + chr(ord(prefix[-1]) + 1))


def _collected(rows: list[tuple[str, str, str | None]]) -> dict[str, Usage]:
    models, notebooks, runs = (defaultdict[str, set[str]](set) for _ in range(3))
    for start, node, notebook in rows:
        name = start.partition(":")[2].rpartition("@")[0]
        kind, _, reached = node.partition(":")
        if kind == "model":
            models[name].add(reached.rpartition("/")[0])
        else:
            runs[name].add(reached)
        if notebook:
            notebooks[name].add(notebook)
    return {
        name: Usage(tuple(sorted(models[name])), tuple(sorted(notebooks[name])), len(runs[name]))
        for name in {*models, *runs}
    }
