"""What has changed in a project since the last look, whoever changed it.

Jobs, notebooks and the command line write records without asking this server. So the records
themselves are looked at: a few numbers of each kind that differ when something was written. On
SQLite that is only done when its files differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, case, func, select

from workbench.errors import WorkbenchError
from workbench.git import Repository
from workbench.jobs.engine.files import JOURNAL
from workbench.project import Project
from workbench.server.tasks import stamp
from workbench.store import (
    AlertRow,
    ApprovalRow,
    DatasetRow,
    DecisionRow,
    FeatureViewRow,
    GateRow,
    JobRow,
    MaterializationRow,
    ReproductionRow,
    WindowRow,
    database,
)

__all__ = ["TOPICS", "Topic", "Watch"]

Topic = Literal[
    "branch", "runs", "jobs", "progress", "models", "features", "data", "monitors", "tasks"
]

TOPICS: tuple[Topic, ...] = get_args(Topic)

Marks = tuple[Any, ...]


class Watch:
    """Remembers how a project's records stood. Blocks while it looks; not for several threads."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files: Marks | None = None
        self._records: dict[Topic, Marks] = {}
        self._running: list[str] = []
        self._seen = self._look()

    def changed(self) -> list[Topic]:
        """Return what has changed since the last call; `jobs` has `progress` in it."""
        before, self._seen = self._seen, self._look()
        found = [topic for topic in TOPICS if before.get(topic) != self._seen.get(topic)]
        return [topic for topic in found if topic != "progress" or "jobs" not in found]

    def _look(self) -> dict[Topic, Marks]:
        project = self._project
        found: dict[Topic, Marks] = {
            "branch": _git(project),
            "runs": _runs(project),
            "tasks": (stamp(project.root),),
        }
        files = _stored(project)
        if files is None or files != self._files:
            try:
                self._records = {topic: mark(project) for topic, mark in _MARKS.items()}
                self._running = _running(project)
                self._files = files
            except WorkbenchError:
                self._files = None  # a store that is away is asked again
        found["progress"] = tuple(_written(project, job_id) for job_id in self._running)
        return {**found, **self._records}


def _sizes(*paths: Path) -> Marks:
    marks: list[tuple[int, int] | None] = []
    for path in paths:
        try:
            found = path.stat()
            marks.append((found.st_mtime_ns, found.st_size))
        except OSError:
            marks.append(None)
    return tuple(marks)


def _git(project: Project) -> Marks:
    repository = Repository(project.root)
    if not repository.exists:
        return ()
    try:
        folder = repository.git_dir
    except WorkbenchError:
        return ()
    return _sizes(*(folder / name for name in ("HEAD", "index", "logs/HEAD", "MERGE_HEAD")))


def _running(project: Project) -> list[str]:
    with database(project).session() as session:
        return sorted(session.scalars(select(JobRow.id).where(JobRow.state == "running")))


def _written(project: Project, job_id: str) -> int:
    """How much a job's journal has: it grows as its cells go on, of which no table tells."""
    try:
        return (project.state / "jobs" / job_id / JOURNAL).stat().st_size
    except OSError:
        return 0


def _sqlite(address: str) -> Path | None:
    kind, _, path = address.partition(":///")
    return Path(path) if kind == "sqlite" else None


def _runs(project: Project) -> Marks:
    path = _sqlite(project.tracking_uri)
    if path is not None:
        return _sizes(path, path.with_name(f"{path.name}-wal"))
    from workbench.tracking import list_runs

    try:
        return tuple((run.run_id, run.status) for run in list_runs(project, limit=1))
    except WorkbenchError:
        return ()


def _stored(project: Project) -> Marks | None:
    path = _sqlite(project.database_url)
    return None if path is None else _sizes(path, path.with_name(f"{path.name}-wal"))


def _marked(*columns: ColumnElement[Any]) -> Callable[[Project], Marks]:
    def mark(project: Project) -> Marks:
        with database(project).session() as session:
            return tuple(session.execute(select(*columns)).one())

    return mark


def _several(*marks: Callable[[Project], Marks]) -> Callable[[Project], Marks]:
    return lambda project: tuple(value for mark in marks for value in mark(project))


def _state(column: Any, *states: str) -> ColumnElement[Any]:
    return func.sum(case((column.in_(states), 1), else_=0))


_MARKS: Mapping[Topic, Callable[[Project], Marks]] = {
    "jobs": _marked(
        func.count(),
        func.max(JobRow.created_at),
        func.max(JobRow.started_at),
        func.max(JobRow.finished_at),
        _state(JobRow.state, "queued"),
        _state(JobRow.state, "running"),
    ),
    "models": _several(
        _marked(func.max(GateRow.id)),
        _marked(func.max(DecisionRow.id)),
        _marked(func.max(ApprovalRow.id)),
        _marked(func.max(ReproductionRow.id)),
    ),
    "features": _several(
        _marked(func.count(), func.max(FeatureViewRow.applied_at)),
        _marked(func.max(MaterializationRow.id), func.max(MaterializationRow.finished_at)),
    ),
    "data": _marked(func.max(DatasetRow.id)),
    "monitors": _several(
        _marked(func.max(WindowRow.id)),
        _marked(func.max(AlertRow.id), _state(AlertRow.state, "open")),
    ),
}
