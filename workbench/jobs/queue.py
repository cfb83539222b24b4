"""Submitting: all of a batch is checked, then recorded, then may begin."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.access import require
from workbench.errors import UsageError
from workbench.jobs.cache import CacheKeys
from workbench.jobs.parameters import (
    Parameter,
    check_parameters,
    load_notebook,
    read_parameters,
    split_secrets,
    to_json,
)
from workbench.jobs.records import Job, find_done, new_id
from workbench.jobs.requests import JobRequest, Options
from workbench.jobs.waiting import source_path
from workbench.lineage import Edge, link_all
from workbench.project import Project
from workbench.store import JobRow, database, now, write_atomic
from workbench.tracking import code_status
from workbench.tracking.entries import check_text
from workbench.tracking.store import ask_experiment

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["Queued", "admit", "enqueue"]


@dataclass(frozen=True)
class Queued:
    """A job that waits, with what is in no record: the values of its secrets."""

    job: Job
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Notebook:
    """A notebook that jobs were asked for: as it is now, whatever becomes of the file."""

    content: NotebookNode
    contract: list[Parameter]
    digest: str


def enqueue(
    project: Project, requests: Sequence[JobRequest], *, holder: str, batch: str | None = None
) -> list[Queued]:
    """Check all requests, then write all of them down as one batch; give their jobs in order.

    A request that may be served from the cache, and can be, gives the earlier job.

    Raises
    ------
    NotebookError, ParameterError
        If a notebook or a parameter isn't right; then nothing was recorded.
    ForbiddenError
        If who asks isn't a developer, or the store's server doesn't let their login log runs; then
        neither.
    """
    admit(project, tracked=any(request.track for request in requests))
    batch = batch or new_id()
    notebooks = _Notebooks(project)
    prepared = [_prepare(project, notebooks, request) for request in requests]
    notebooks.keep()
    found = [_cached(project, row) for row, _ in prepared]
    fresh = [row for (row, _), known in zip(prepared, found, strict=True) if known is None]
    statuses = {root: code_status(root) for root in {Path(row.options["cwd"]) for row in fresh}}
    for row in fresh:
        status = statuses[Path(row.options["cwd"])]
        row.holder, row.batch = holder, batch
        row.branch, row.commit = status.branch, status.commit
    with database(project).session() as session:
        session.add_all(fresh)
    link_all(
        project,
        [
            Edge(source=f"commit:{row.commit}", target=f"job:{row.id}", relation="code")
            for row in fresh
            if row.commit
        ],
    )
    return [
        Queued(known or Job.model_validate(row), {} if known else secrets)
        for (row, secrets), known in zip(prepared, found, strict=True)
    ]


def admit(project: Project, *, tracked: bool) -> None:
    """Let a developer run jobs, nobody less: asked of who submits, not of who carries them out.

    Raises
    ------
    ForbiddenError
        If who asks isn't one, or jobs are tracked and the store's server doesn't let their login.
    """
    what = "run jobs"
    require(project, "developer", what)
    if tracked:
        ask_experiment(project, what)


class _Notebooks:
    """The notebooks of a submission, each read once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._read: dict[Path, _Notebook] = {}

    @cached_property
    def keys(self) -> CacheKeys:
        """Made where a request asks for it: looking at the code and the packages takes a while."""
        return CacheKeys(self._project)

    def get(self, root: Path, name: str) -> _Notebook:
        path = (root / name).resolve()
        if not path.is_relative_to(root.resolve()):
            raise UsageError(f"{name}: outside the project {root}")
        if path not in self._read:
            notebook = load_notebook(path)
            for cell in notebook.cells:
                if cell.cell_type == "code":  # what a former run left is no part of what is asked
                    cell.outputs, cell.execution_count = [], None
            digest = hashlib.sha256(json.dumps(notebook, sort_keys=True).encode()).hexdigest()[:32]
            self._read[path] = _Notebook(notebook, read_parameters(notebook, name), digest)
        return self._read[path]

    def keep(self) -> None:
        """Write them down where who runs the jobs finds them."""
        import nbformat

        for notebook in self._read.values():
            path = source_path(self._project, notebook.digest)
            if not path.exists():
                with write_atomic(path) as beside:
                    nbformat.write(notebook.content, beside)


def _prepare(
    project: Project, notebooks: _Notebooks, request: JobRequest
) -> tuple[JobRow, Mapping[str, str]]:
    root = request.code or project.root
    check_text("label", request.notebook, request.label)
    notebook = notebooks.get(root, request.notebook)
    values = check_parameters(notebook.contract, request.parameters, request.notebook)
    public, secrets = split_secrets(notebook.contract, values)
    parameters = to_json(notebook.contract, public)
    options = Options(
        source=notebook.digest,
        cwd=str(root),
        track=request.track,
        limits=request.limits,
        retries=request.retries,
        environment=dict(request.environment),
        secrets=sorted(secrets),
        cache=request.cache,
    )
    row = JobRow(
        id=new_id(),
        notebook=request.notebook,
        parameters=parameters,
        state="queued",
        label=request.label,
        key=request.key,
        options=options.model_dump(mode="json"),
        priority=request.priority,
        attempt=1,
        attempts=[],
        created_at=now(),
    )
    if request.cache:
        own = {p.name: p.default for p in notebook.contract if not p.required}
        row.key = notebooks.keys.key(request, notebook.content, {**own, **parameters})
    return row, secrets


def _cached(project: Project, row: JobRow) -> Job | None:
    """Find an earlier job that did the same, whose record is still there."""
    if not row.options["cache"] or row.key is None:
        return None
    job = find_done(project, row.key)
    if job is not None and row.options["track"] and job.run_id is None:
        return None  # a run is wanted, and that one has none
    if job is None or job.output is None or not (project.root / job.output).exists():
        return None
    return job.model_copy(update={"cached": True})
