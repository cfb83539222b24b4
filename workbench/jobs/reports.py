"""A job as people look at it: its cells' states, its log, a page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from workbench.errors import NotFoundError, StoreError
from workbench.jobs.closing import settle
from workbench.jobs.engine.files import INPUT
from workbench.jobs.engine.journal import Tail, read, states
from workbench.jobs.engine.journal import follow as follow_journal
from workbench.jobs.holders import alive
from workbench.jobs.records import ENDED, Job, folder, get_job
from workbench.project import Project
from workbench.store import write_atomic

__all__ = ["JobCell", "JobLog", "cell_sources", "cell_states", "events", "job_cells", "write_html"]

_POLL_SECONDS = 0.5
_MOST_EVENTS = 2000


def cell_states(project: Project, job_id: str) -> list[str]:
    """Return the state of each cell: completed, failed, running or pending. Empty before it began.

    In a job that has ended, `running` is the cell that ran when its kernel or its process died.
    """
    where = folder(project, job_id)
    return states(where) if (where / INPUT).exists() else []


def cell_sources(project: Project, job_id: str) -> list[str]:
    """Return the source of each cell, the injected parameters among them."""
    from workbench.jobs.parameters import load_notebook

    path = folder(project, job_id) / INPUT
    return [cell.source for cell in load_notebook(path).cells] if path.exists() else []


class JobCell(BaseModel):
    """A cell of a job's notebook."""

    model_config = ConfigDict(frozen=True)

    type: str
    """`code`, `markdown` or `raw`."""
    source: str
    state: str
    tags: list[str]


def job_cells(project: Project, job_id: str) -> list[JobCell]:
    """Return the cells of a job's notebook, as it was handed to its kernel; none before it was."""
    from workbench.jobs.parameters import load_notebook

    path = folder(project, job_id) / INPUT
    cells = load_notebook(path).cells if path.exists() else []
    found = cell_states(project, job_id)
    return [
        JobCell(
            type=cell.cell_type,
            source=cell.source,
            state=found[number] if number < len(found) else "pending",
            tags=cell.metadata.get("tags", []),
        )
        for number, cell in enumerate(cells)
    ]


def events(project: Project, job_id: str, *, follow: bool = False) -> Iterator[dict[str, Any]]:
    """Yield what the job's journal has; with `follow` as it comes, until the job has ended."""
    where = folder(project, job_id)
    yield from (_followed(project, job_id, where) if follow else read(where))


def _followed(project: Project, job_id: str, where: Path) -> Iterator[dict[str, Any]]:
    def ended() -> bool:
        return get_job(project, job_id).state in ENDED

    while not (where / INPUT).exists():
        if ended():
            return
        time.sleep(_POLL_SECONDS)
    yield from follow_journal(where, ended=ended)


class JobLog:
    """A job's journal for who looks at it now and then, and waits elsewhere.

    `events(…, follow=True)` waits inside: a server that tells many people of many jobs would lose a
    thread to each of them.
    """

    def __init__(self, project: Project, job_id: str) -> None:
        self._project = project
        self.job = get_job(project, job_id)
        """The job as it was when it was last looked at."""
        self._attempt = self.job.attempt
        self._tail = Tail(folder(project, self.job.id))

    def close(self) -> None:
        """Let go of the journal."""
        self._tail.close()

    def look(self) -> list[dict[str, Any]]:
        """Read the job and what its journal has got since the last look; at most some of it.

        A job whose holder died is closed, and one that is tried again is read from the start.
        """
        job = get_job(self._project, self.job.id)
        if job.state not in ENDED and not alive(self._project, job.holder):
            settle(self._project)
            job = get_job(self._project, job.id)
        if job.attempt != self._attempt:
            self.close()
            self._attempt, self._tail = job.attempt, Tail(folder(self._project, job.id))
        found = list(islice(self._tail.new(), _MOST_EVENTS))
        if len(found) < _MOST_EVENTS:  # else its end is told after the rest
            self.job = job
        return found


def write_html(project: Project, job: Job, path: Path | None = None, *, dark: bool = False) -> Path:
    """Write the executed notebook as a page of its own; return where it is.

    Raises
    ------
    NotFoundError
        If the job left no notebook.
    """
    from nbconvert import HTMLExporter

    if job.output is None:
        raise NotFoundError(f"job {job.id} is {job.state}: it has no executed notebook yet")
    executed = project.root / job.output
    exporter = HTMLExporter(theme="dark" if dark else "light", embed_images=True)
    try:
        page, _ = exporter.from_filename(str(executed))
    except FileNotFoundError as error:
        raise StoreError(f"{executed}: the record of job {job.id} is gone") from error
    target = path or executed.with_suffix(".html")
    with write_atomic(target) as beside:
        beside.write_text(page, encoding="utf-8")
    return target
