"""Jobs: what is queued, what runs, how the others ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from workbench.errors import ForbiddenError
from workbench.jobs import JOB_STATES, Job, list_jobs, settle
from workbench.panels.notebook import parts
from workbench.panels.notebook.controls import button, choice, refreshed, row
from workbench.panels.notebook.panel import Panel, Still
from workbench.panels.notebook.parts import Cell, Column, Table
from workbench.panels.notebook.pictures import Bar, bars
from workbench.panels.page import resolve_project
from workbench.project import Project
from workbench.store import now

__all__ = ["jobs"]

_EMPTY = "No job yet, or none in this state. To ask for one: workbench run NOTEBOOK"
_DRAWN = 20
_ALL = "every state"


def jobs(
    state: str | None = None,
    limit: int = 50,
    *,
    project: Project | None = None,
    live: bool | None = None,
) -> Panel:
    """Show notebook jobs, newest first; with a kernel to look again and to choose a state.

    Parameters
    ----------
    state
        Only those that are `queued`, `running`, `succeeded`, `failed`, `cancelled` or `lost`.
    project
        Default: that of the variable WORKBENCH_PROJECT, else the one around the working folder.
    live
        Whether to bring what can be clicked; unless said, in a kernel that runs for no job.

    Raises
    ------
    NotFoundError
        If there is no such state.
    """
    project = resolve_project(project)
    if state is not None and state not in JOB_STATES:
        from workbench.errors import NotFoundError

        raise NotFoundError.named("state", state, JOB_STATES)
    found = _read(project, state, limit)
    listed = _table(found)
    head = parts.title(f"Jobs of {project.name}", _counted(found))
    still = Still(
        head + (listed.html() if found else parts.empty(_EMPTY)),
        bars([_bar(job) for job in found if job.started_at][:_DRAWN], "seconds"),
        f"Jobs of {project.name}\n{listed.text() if found else _EMPTY}",
    )
    return Panel(still, lambda: _live(project, state, limit), live=live)


def _read(project: Project, state: str | None, limit: int) -> list[Job]:
    with suppress(ForbiddenError):  # who may only read leaves it to others to close the dead
        settle(project)
    return list_jobs(project, limit, states=[state] if state else None)


def _counted(found: Sequence[Job]) -> str:
    counts = Counter(job.state for job in found)
    return ", ".join(f"{counts[state]} {state}" for state in JOB_STATES if counts[state])


def _table(found: Sequence[Job]) -> Table:
    columns = [
        Column("State", whole=True),
        Column("Notebook"),
        Column("For"),
        Column("Started", whole=True),
        Column("Took", number=True),
        Column("What went wrong"),
        Column("Job", whole=True),
    ]
    return Table("jobs", columns, [_row(job) for job in found])


def _row(job: Job) -> list[Cell]:
    return [
        parts.status(job.state),
        parts.words(job.notebook),
        parts.words(_purpose(job)),
        parts.moment(job.started_at),
        Cell(job.took),
        _problem(job),
        parts.code(job.id),
    ]


def _purpose(job: Job) -> str:
    return job.label or ", ".join(f"{name}={value}" for name, value in job.params.items())


def _problem(job: Job) -> Cell:
    if not job.error:
        return Cell("")
    where = f"cell {job.error_cell + 1}: " if job.error_cell is not None else ""
    return parts.words(f"{where}{job.error}", 160)


def _bar(job: Job) -> Bar:
    begun, ended = job.started_at, job.finished_at or now()
    seconds = max(0.0, (ended - begun).total_seconds()) if begun else 0.0
    label = f"{job.notebook.rpartition('/')[2]} {_purpose(job)}"
    return Bar(label, seconds, f"{job.state} {job.took if job.finished_at else ''}", _tone(job))


def _tone(job: Job) -> str:
    return parts.tone(job.state)


def _live(project: Project, state: str | None, limit: int) -> list[Any]:
    states = [(_ALL, ""), *((name, name) for name in JOB_STATES)]
    chosen = choice("State", states, state or "")
    again = button("Refresh", "Read the jobs again", "refresh")

    def render() -> str:
        found = _read(project, chosen.value or None, limit)
        head = parts.title(f"Jobs of {project.name}", _counted(found))
        return head + (_table(found).html() if found else parts.empty(_EMPTY))

    return [row(chosen, again), refreshed(render, chosen, again)]
