"""Pictures of a version: what its gate found, why it says what it says, where it comes from."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ConfigDict, Field
from sqlalchemy import select

from workbench.errors import NotFoundError, StoreError
from workbench.explanation import read_explanation
from workbench.gates import stored_reports
from workbench.lineage import Cut, Node
from workbench.lineage import show as chain_around
from workbench.project import Project
from workbench.server.operation import Operation, Query
from workbench.server.resources.drawn import Drawn, Shade, executed_notebook
from workbench.server.resources.models.listing import find_versions
from workbench.store import GateRow, database
from workbench.tracking import client

__all__ = ["OPERATIONS"]

_MOST_EDGES = 500
_MOST_NODES = 200


class ShadeQuery(Query):
    """In which of the two colours."""

    shade: Shade = "light"


class ExplanationQuery(Query):
    """Of what."""

    row: int | None = Field(default=None, ge=0, description="one row of those that were explained")


class Explained(Drawn):
    """An explanation, and the rows of which it can tell one by one."""

    rows: list[int] = Field(description="the first of them")


class LineageQuery(Query):
    """Which part of the chain."""

    node: str = Field(min_length=1, max_length=500, description="`model:NAME@ALIAS`, a run, …")
    up: bool = Field(default=True, description="what it came from")
    down: bool = Field(default=True, description="what came of it")
    depth: int = Field(default=3, ge=0, le=50, description="how many edges away at the most")
    columns: bool = Field(default=False, description="whether columns are followed too")


class Chain(Drawn):
    """A picture of the chain, with the names that are in it."""

    model_config = ConfigDict(frozen=True)

    nodes: list[Node] = Field(description="the nearest first, as many as can be looked through")
    more: int = Field(description="how many nodes are left out of `nodes`")
    cuts: list[Cut] = Field(description="what is left out of the picture, and why")


def show_gate(project: Project, name: str, version: str) -> Drawn:
    """Draw what the newest gate found of a version."""
    find_versions(project, name, version)
    reports = stored_reports(project, name, version)
    if not reports:
        raise NotFoundError(f"{name} version {version} has been through no gate")
    return Drawn(title=f"{name} {version}", html=reports[-1]._repr_html_())


def show_gate_notebook(project: Project, name: str, version: str, query: ShadeQuery) -> Drawn:
    """Draw the executed notebook that judged a version."""
    find_versions(project, name, version)
    newest = (
        select(GateRow.document)
        .where(GateRow.model == name, GateRow.version == version)
        .order_by(GateRow.id.desc())
        .limit(1)
    )
    with database(project).session() as session:
        document = session.scalar(newest) or ""
    if not document.endswith(".ipynb"):
        raise NotFoundError(f"{name} version {version} was judged by no notebook")
    return executed_notebook(f"{name} {version}", _artifact(project, document), query.shade)


def show_explanation(
    project: Project, name: str, version: str, query: ExplanationQuery
) -> Explained:
    """Draw the explanation that was stored with a version, of all its rows or of one."""
    find_versions(project, name, version)
    found = read_explanation(project, name, version)
    picture = found.summary() if query.row is None else found.local(query.row)
    image = b64encode(picture.png).decode()
    html = (
        f'<figure class="wb-picture"><img alt="{escape(picture.caption)}" '
        f'src="data:image/png;base64,{image}"></figure>{found._repr_html_()}'
    )
    rows = list(found.places or range(found.rows))[:_MOST_NODES]
    return Explained(title=f"{name} {version}", html=html, rows=rows)


def show_lineage(project: Project, query: LineageQuery) -> Chain:
    """Draw what something came from and what came of it."""
    found = chain_around(
        query.node,
        up=query.up,
        down=query.down,
        depth=query.depth,
        columns=True if query.columns else None,
        limit=_MOST_EDGES,
        project=project,
    )
    nodes = found.nodes
    return Chain(
        title=found.title,
        html=f'<div class="wb-scroll">{found.svg()}</div>',
        nodes=nodes[:_MOST_NODES],
        more=max(0, len(nodes) - _MOST_NODES),
        cuts=found.cuts,
    )


def _artifact(project: Project, address: str) -> str:
    """Read a text that lies with a run, by its address `runs:/ID/PATH`."""
    from mlflow.exceptions import MlflowException

    run_id, _, path = address.removeprefix("runs:/").partition("/")
    with TemporaryDirectory() as folder:
        try:
            here = client(project).download_artifacts(run_id, path, folder)
            return Path(here).read_text(encoding="utf-8")
        except (MlflowException, OSError) as error:
            raise StoreError(f"{address}: can't be read: {error}") from error


OPERATIONS = (
    Operation("GET", "/models/{name}/versions/{version}/gate", show_gate),
    Operation("GET", "/models/{name}/versions/{version}/gate/notebook", show_gate_notebook),
    Operation("GET", "/models/{name}/versions/{version}/explanation", show_explanation),
    Operation("GET", "/lineage", show_lineage),
)
