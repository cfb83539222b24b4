"""How far each view is in the online store, kept in our tables and true whatever is killed."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.project import Project
from workbench.store import MaterializationRow, database, insert_missing

__all__ = ["Progress", "Step", "forget", "last_progress", "progress_of", "save"]


class Step(BaseModel):
    """A piece of work: what became known in (since, until], out of one content, to one version.

    `over` is the version that was served when it was chosen, and that it may take the place of.
    """

    model_config = ConfigDict(frozen=True)

    version: int
    content: list[str]
    since: datetime | None
    until: datetime
    done: int = 0
    over: int | None = None


class Progress(BaseModel):
    """How far a view is: complete until a moment, and the step that is under way or was last."""

    model_config = ConfigDict(frozen=True)

    view: str
    store: str
    digest: str
    state: Literal["running", "complete"]
    until: datetime | None
    rows: int
    newest: datetime | None
    step: Step
    started_at: datetime
    finished_at: datetime | None


def progress_of(project: Project, store: str) -> dict[str, Progress]:
    """Return how far each view is in the store at that address."""
    query = select(MaterializationRow).where(MaterializationRow.store == store)
    with database(project).session() as session:
        return {row.view: _progress(row) for row in session.scalars(query)}


def last_progress(project: Project, view: str) -> Progress | None:
    """Return how far a view is in the store that it was last brought to, whichever that is."""
    query = select(MaterializationRow).where(MaterializationRow.view == view)
    newest = query.order_by(MaterializationRow.started_at.desc()).limit(1)
    with database(project).session() as session:
        row = session.scalars(newest).first()
        return None if row is None else _progress(row)


def save(project: Project, progress: Progress) -> None:
    """Write down how far a view is, in the place of what was written before."""
    values = {
        "digest": progress.digest,
        "state": progress.state,
        "until": progress.until,
        "rows": progress.rows,
        "progress": progress.model_dump(mode="json", include={"step", "newest"}),
        "started_at": progress.started_at,
        "finished_at": progress.finished_at,
    }
    key = {"view": progress.view, "store": progress.store}
    with database(project).session() as session:
        insert_missing(session, MaterializationRow, [{**key, **values}])
        row = session.scalars(select(MaterializationRow).filter_by(**key)).one()
        for name, value in values.items():
            setattr(row, name, value)


def forget(project: Project, store: str, view: str) -> None:
    """Forget a view, which is about to leave the store."""
    with database(project).session() as session:
        for row in session.scalars(select(MaterializationRow).filter_by(view=view, store=store)):
            session.delete(row)


def _progress(row: MaterializationRow) -> Progress:
    return Progress(
        view=row.view,
        store=row.store,
        digest=row.digest,
        state="complete" if row.state == "complete" else "running",
        until=row.until,
        rows=row.rows,
        newest=row.progress["newest"],
        step=Step.model_validate(row.progress["step"]),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
