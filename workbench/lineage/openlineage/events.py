"""A job as a RunEvent of OpenLineage 2.0.2, with the facets that its record can fill.

The words are those of the specification (https://openlineage.io/spec/2-0-2/OpenLineage.json and the
facets beside it). A job's name is its notebook, its run one attempt. What it read are its inputs;
a model that it stored is an output whose columns are those that the model asks for.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import select

from workbench.errors import GitError
from workbench.git import Repository
from workbench.lineage.edges import COLUMN, Edge, upstream
from workbench.lineage.walk import walk
from workbench.project import Project
from workbench.store import DatasetRow, EdgeRow, JobRow, database, now

__all__ = ["run_event", "without_secrets"]

_TYPES = {
    "running": "START",
    "succeeded": "COMPLETE",
    "failed": "FAIL",
    "lost": "FAIL",
    "cancelled": "ABORT",
}
_VERSION = importlib.metadata.version("jupyter-workbench")
_PRODUCER = f"pkg:pypi/jupyter-workbench@{_VERSION}"
_SPEC = "https://openlineage.io/spec"
_DATA = ("dataset:", "view:", "spine:")
_SCP = re.compile(r"(?:[^@/]+@)?([^:/]+):(?!//)(.+)")
"""Git's short way to write an address by SSH."""


def run_event(project: Project, row: JobRow) -> dict[str, Any] | None:
    """Describe how a job stands; None for one that waits."""
    if row.state not in _TYPES:
        return None
    inputs, outputs = _datasets(project, row)
    return {
        "eventType": _TYPES[row.state],
        "eventTime": _time(_moment(row)),
        "producer": _PRODUCER,
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": _run_id(row), "facets": _run_facets(row)},
        "job": {
            "namespace": _namespace(project),
            "name": row.notebook,
            "facets": _job_facets(project, row),
        },
        "inputs": inputs,
        "outputs": outputs,
    }


def without_secrets(address: str) -> str:
    """Write an address as a URI without a user, a password or a query.

    >>> without_secrets("https://me:pw@host:8080/a.csv?sig=1"), without_secrets("data/my rows.csv")
    ('https://host:8080/a.csv', 'file:data/my%20rows.csv')
    """
    if "://" not in address:
        return f"file:{quote(address)}"
    try:
        parts = urlsplit(address)
    except ValueError:
        return f"{quote(address.partition('://')[0])}:"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, quote(host, safe=":[]"), quote(parts.path), "", ""))


def _moment(row: JobRow) -> datetime:
    return (row.started_at if row.state == "running" else row.finished_at) or now()


def _run_id(row: JobRow) -> str:
    return str(uuid5(NAMESPACE_URL, f"workbench-job:{row.id}/{row.attempt}"))


def _namespace(project: Project) -> str:
    return project.settings.lineage.namespace or project.name


def _run_facets(row: JobRow) -> dict[str, Any]:
    times = {"nominalStartTime": _time(row.started_at or row.created_at)}
    if row.finished_at is not None:
        times["nominalEndTime"] = _time(row.finished_at)
    engine = {"version": _VERSION, "name": "workbench"}
    facets = {
        "nominalTime": _facet("1-0-1/NominalTimeRunFacet", times),
        "processing_engine": _facet("1-1-1/ProcessingEngineRunFacet", engine),
    }
    if row.error and row.state != "succeeded":
        said = {"message": row.failure or row.state, "programmingLanguage": "python"}
        facets["errorMessage"] = _facet("1-0-1/ErrorMessageRunFacet", said)
    return facets


def _job_facets(project: Project, row: JobRow) -> dict[str, Any]:
    kind = {"processingType": "BATCH", "integration": "WORKBENCH", "jobType": "NOTEBOOK"}
    facets = {"jobType": _facet("2-0-4/JobTypeJobFacet", kind)}
    if row.commit:
        where = _location(Path(row.options.get("cwd") or project.root), project.root)
        code = {
            "type": "git",
            "url": f"{where.rstrip('/')}/{quote(row.notebook)}",
            "repoUrl": where,
            "path": row.notebook,
            "version": row.commit,
            **({"branch": row.branch} if row.branch else {}),
        }
        facets["sourceCodeLocation"] = _facet("1-1-0/SourceCodeLocationJobFacet", code)
    return facets


def _location(root: Path, otherwise: Path) -> str:
    """Name the repository: where it was cloned from, or where it is."""
    try:
        tree = root if root.exists() else otherwise
        remote = Repository(tree).ask("config", "--get", "remote.origin.url")
    except GitError:
        remote = ""
    if "://" not in remote and (short := _SCP.fullmatch(remote)):
        remote = f"ssh://{short[1]}/{short[2]}"
    return without_secrets(remote) if "://" in remote else otherwise.as_uri()


def _datasets(project: Project, row: JobRow) -> tuple[list[Any], list[Any]]:
    target = f"run:{row.run_id}" if row.run_id else f"job:{row.id}"
    with database(project).session() as session:
        into = select(EdgeRow).where(EdgeRow.target == target).order_by(EdgeRow.id)
        edges = [Edge.model_validate(edge) for edge in session.scalars(into)]
        read = dict.fromkeys(e.source for e in edges if e.source.startswith(_DATA))
        above = [edge.source for edge in upstream(project, *read)]
        nodes = dict.fromkeys([*read, *(n for n in above if n.startswith("dataset:"))])
        names = {_parts(node)[0] for node in nodes}
        rows = session.scalars(select(DatasetRow).where(DatasetRow.name.in_(names))).all()
    known = {f"dataset:{found.name}@{found.digest[:12]}": found for found in rows}
    # What it read is made of sources, whose columns are spoken of below.
    named = [node for node in nodes if node in read or node in known]
    inputs = [_dataset(project, node, known.get(node)) for node in named]
    asked = [e.source for e in edges if e.relation == COLUMN and e.source.startswith("input:")]
    return inputs, [_model(project, str(row.run_id), asked)] if asked else []


def _dataset(project: Project, node: str, row: DatasetRow | None) -> dict[str, Any]:
    name, state = _parts(node)
    kind = node.partition(":")[0]
    facets = {"version": _facet("1-0-1/DatasetVersionDatasetFacet", {"datasetVersion": state})}
    if row is not None:
        fields = [{"name": column, "type": dtype} for column, dtype in row.schema.items()]
        facets["schema"] = _facet("1-2-0/SchemaDatasetFacet", {"fields": fields})
        facets["version"]["datasetVersion"] = row.digest
        if row.name != "query":  # whose address is a query, which may have anything in it
            at = {"name": row.name, "uri": without_secrets(row.address)}
            facets["dataSource"] = _facet("1-0-1/DatasourceDatasetFacet", at)
    shown = name if kind == "dataset" else f"{kind}/{name}"
    return {"namespace": _namespace(project), "name": shown, "facets": facets}


def _model(project: Project, run_id: str, asked: list[str]) -> dict[str, Any]:
    """Describe the model that a run stored, by the columns that it asks for."""
    walked = walk(project, asked, down=False, columns=True)
    sources: dict[str, list[str]] = defaultdict(list)
    for edge in walked.edges:
        if edge.relation == COLUMN:
            sources[edge.target].append(edge.source)
    lineage = {
        _column(node): {"inputFields": fields}
        for node in asked
        if (fields := _fields(project, _roots(node, sources)))
    }
    fields = [{"name": _column(node)} for node in asked]
    facets = {"schema": _facet("1-2-0/SchemaDatasetFacet", {"fields": fields})}
    if lineage:
        facets["columnLineage"] = _facet("1-2-0/ColumnLineageDatasetFacet", {"fields": lineage})
    name = f"runs/{run_id}/model"
    return {"namespace": _namespace(project), "name": name, "facets": facets}


def _roots(node: str, sources: Mapping[str, list[str]]) -> list[str]:
    """Go up from a column to those of the sources."""
    todo, seen, found = [node], {node}, []
    while todo:
        above = [name for name in sources[todo.pop()] if name.startswith(("column:", "feature:"))]
        for name in above:
            if name in seen:
                continue
            seen.add(name)
            todo.append(name)
            deeper = [one for one in sources[name] if one.startswith(("column:", "feature:"))]
            if name.startswith("column:") and not deeper:
                found.append(name)
    return found


def _fields(project: Project, columns: Iterable[str]) -> list[dict[str, str]]:
    found = []
    for column in columns:
        table, _, field = _parts(column)[0].partition(".")
        found.append({"namespace": _namespace(project), "name": table, "field": field})
    return found


def _column(node: str) -> str:
    return node.partition(":")[2].partition("/")[2]


def _parts(node: str) -> tuple[str, str]:
    """Part a node's name and its state."""
    name, at, state = node.partition(":")[2].rpartition("@")
    return (name, state) if at else (state, "")


def _facet(schema: str, content: Mapping[str, Any]) -> dict[str, Any]:
    title = schema.partition("/")[2]
    where = f"{_SPEC}/facets/{schema}.json#/$defs/{title}"
    return {"_producer": _PRODUCER, "_schemaURL": where, **content}


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
