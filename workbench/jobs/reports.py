"""A job as people look at it: its cells' states, its log, a page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.errors import NotFoundError, StoreError
from workbench.jobs.engine.files import INPUT
from workbench.jobs.engine.journal import follow as follow_journal
from workbench.jobs.engine.journal import read, states
from workbench.jobs.records import ENDED, Job, folder, get_job
from workbench.project import Project
from workbench.store import write_atomic

__all__ = ["cell_sources", "cell_states", "events", "write_html"]

_POLL_SECONDS = 0.5


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
