"""From the offline store to the online one: a step at a time, and never back.

A step writes what became known in (since, until] out of one content of the offline store. What it
is to do is recorded before it starts and how far it is after each chunk, so a step that was killed
is taken up where it was; rows written twice change nothing. Where the definition's values changed,
or the content isn't the old one and more, a new version is filled beside the one that readers see.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from workbench.errors import NotFoundError, UsageError
from workbench.features.definitions import (
    Definitions,
    FeatureView,
    RequestView,
    load_definitions,
)
from workbench.features.offline import Sources
from workbench.features.online.filling import Materialization, Report, Stepper
from workbench.features.online.progress import forget
from workbench.features.online.stores import online_store
from workbench.project import Project
from workbench.store import file_lock, now

__all__ = ["materialize_online", "withdraw"]


def materialize_online(
    project: Project,
    views: Sequence[str] | None = None,
    *,
    until: datetime | None = None,
    progress: Report | None = None,
) -> list[Materialization]:
    """Bring views to the online store, as they were known at `until`.

    Parameters
    ----------
    views
        Their names; None for all but those computed from the request.
    until
        An aware moment, not in the future; None for now. It can't lie before what is there.
    progress
        Called with a view's name, the rows written so far, and how many there are.

    Raises
    ------
    NotFoundError
        For an unknown view.
    UsageError
        For a view that is computed from the request, or an `until` that can't be.
    """
    moment = _moment(until)
    definitions = load_definitions(project)
    chosen = _chosen(definitions, views)
    store, sources = online_store(project), Sources(project)
    report = progress or (lambda *_: None)
    done = []
    for view in chosen:
        # Two of us would only do the same work twice: the store lets the newer row win anyway.
        with _lock(project, view.name):
            done.append(Stepper.of(project, store, view, sources, report).run(moment))
    if views is None:
        stale = {version.view for version in store.versions()}
        # What is computed from the request by now must not be answered from old rows.
        requests = [v.name for v in definitions.views.values() if isinstance(v, RequestView)]
        withdraw(project, [name for name in requests if name in stale])
    return done


def withdraw(project: Project, views: Sequence[str]) -> None:
    """Remove views from the online store: nobody is served them any more.

    Raises
    ------
    NotFoundError
        If one isn't there.
    """
    store = online_store(project)
    stored = {version.view for version in store.versions()}
    for view in views:
        if view not in stored:
            raise NotFoundError.named("feature view", view, stored, " in the online store")
    for view in views:
        with _lock(project, view):
            forget(project, store.address, view)
            store.remove([view])


def _lock(project: Project, view: str) -> AbstractContextManager[None]:
    return file_lock(project.state / "online" / f"{view}.lock")


def _moment(until: datetime | None) -> datetime:
    present = now()
    if until is None:
        return present
    if until.tzinfo is None:
        raise UsageError(f"until {until.isoformat()} has no time zone; expected an aware time")
    if until > present:
        raise UsageError(f"until {until.isoformat()} is in the future; it is {present.isoformat()}")
    return until.astimezone(UTC)


def _chosen(definitions: Definitions, names: Sequence[str] | None) -> list[FeatureView]:
    views = {
        name: view
        for name, view in definitions.views.items()
        if isinstance(view, FeatureView) and view.availability != "request"
    }
    if names is None:
        return list(views.values())
    for name in names:
        if definitions.view(name) and name not in views:
            raise UsageError(f"feature view {name} is computed from the request: nothing to store")
    return [views[name] for name in dict.fromkeys(names)]
