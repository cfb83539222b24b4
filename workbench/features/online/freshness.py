"""How fresh each view is online, beside what its declaration promises."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from workbench.features.definitions import FeatureView, duration, load_definitions
from workbench.features.online.progress import Progress, last_progress, progress_of
from workbench.features.online.stores import online_store
from workbench.project import Project
from workbench.store import now as present

__all__ = ["Freshness", "freshness", "freshness_of"]

State = Literal["kept", "late", "never", "no promise"]


class Freshness(BaseModel):
    """A view online: its newest event, until when it was materialised and when that was.

    `age` is in seconds since the newest event, for that is what a promise is about: a source that
    stopped is as stale as a materialisation that didn't run. A view whose rows have no time is as
    old as its materialisation.
    """

    model_config = ConfigDict(frozen=True)

    view: str
    promise: str | None
    newest: datetime | None
    until: datetime | None
    materialized: datetime | None
    age: float | None
    state: State


def freshness(project: Project, *, now: datetime | None = None) -> list[Freshness]:
    """Say of every view that can be online how fresh it is there."""
    moment = now or present()
    known = progress_of(project, online_store(project).address)
    return [
        _freshness(view.name, view.freshness, known.get(view.name), moment)
        for view in load_definitions(project).views.values()
        if isinstance(view, FeatureView) and view.availability != "request"
    ]


def freshness_of(
    project: Project, view: str, promise: str | None, *, now: datetime | None = None
) -> Freshness:
    """Say how fresh a view is where it was last brought to, by what was registered of it.

    Nothing of the project's code runs, and no store is asked.
    """
    return _freshness(view, promise, last_progress(project, view), now or present())


def _freshness(
    view: str, promise: str | None, progress: Progress | None, now: datetime
) -> Freshness:
    # Readers see nothing of a first filling that isn't complete.
    until = progress.until if progress else None
    newest = progress.newest if progress and until else None
    since = newest or until
    age = (now - since).total_seconds() if since else None
    return Freshness(
        view=view,
        promise=promise,
        newest=newest,
        until=until,
        materialized=progress.finished_at if progress else None,
        age=age,
        state=_state(promise, age),
    )


def _state(promise: str | None, age: float | None) -> State:
    if age is None:
        return "never"
    if promise is None:
        return "no promise"
    return "kept" if age <= duration(promise).total_seconds() else "late"
