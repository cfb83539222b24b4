"""Applying definitions: what would change and what that breaks, then all of it or nothing.

The catalogue lists what was applied, so that nobody has to run a project's code to know what there
is. Before anything is written each view is run on its sources' columns without any rows, which
finds most mistakes; the plan says what is added, changed and removed, and which models were
trained on what would then be gone or computed otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from workbench.errors import NotFoundError, UsageError
from workbench.features.changes import breaks, details, users
from workbench.features.checking import Checked, check_views
from workbench.features.definitions import FeatureView, View, load_definitions
from workbench.features.search.finding import refresh
from workbench.project import Project
from workbench.store import (
    FeatureVersionRow,
    FeatureViewRow,
    database,
    file_lock,
    insert_missing,
    now,
)

__all__ = ["ViewChange", "ViewVersion", "apply", "history"]


class ViewChange(BaseModel):
    """What `apply` does to one view.

    Attributes
    ----------
    details
        What is different, one line for each: `ttl 3h → 2h`, `feature rent removed`.
    breaks
        What was made from values that are gone or change: `model:late/3`, `dataset:flights`,
        `run:…`.
    unchecked
        Why it couldn't be run on its sources' columns, if it couldn't.
    """

    model_config = ConfigDict(frozen=True)

    view: str
    change: Literal["added", "changed", "removed", "unchanged"]
    details: list[str] = []
    breaks: list[str] = []
    unchecked: str | None = None


class ViewVersion(BaseModel):
    """A definition that a view has had; `details` are what it changed in the one before."""

    model_config = ConfigDict(frozen=True)

    view: str
    digest: str
    applied_at: datetime
    current: bool
    details: list[str]


def apply(
    project: Project,
    *,
    dry_run: bool = False,
    breaking: bool = True,
    plan: Callable[[list[ViewChange]], None] | None = None,
) -> list[ViewChange]:
    """Check the project's definitions and register them, all at once or not at all.

    Parameters
    ----------
    dry_run
        Only say what would be.
    breaking
        Also change and remove what models were made from.
    plan
        Is shown what will be before anything is refused or written.

    Raises
    ------
    FeatureError
        For a definition that can't be; the message names file and view.
    UsageError
        Without `breaking`, if something would break.
    """
    declared = load_definitions(project).views
    with file_lock(project.state / "features.lock"):  # two at once would each see the old ones
        with database(project).session() as session:
            known = {row.name: row for row in session.scalars(select(FeatureViewRow))}
        checked = _check(project, declared, known)
        changes = _plan(project, declared, known, checked)
        if plan is not None:
            plan(changes)
        if dry_run:
            return changes
        if not breaking:
            _refuse_to_break(changes)
        with database(project).session() as session:
            _register(session, declared, checked)
    refresh(project)  # of a million features that takes a minute: here, not when somebody searches
    return changes


def history(project: Project, view: str) -> list[ViewVersion]:
    """List the definitions that a view has had, newest first.

    Raises
    ------
    NotFoundError
        If no view of that name was ever applied.
    """
    with database(project).session() as session:
        all_ = session.scalars(select(FeatureVersionRow).order_by(FeatureVersionRow.id)).all()
        current = session.get(FeatureViewRow, view)
    rows = [row for row in all_ if row.view == view]
    if not rows:
        raise NotFoundError.named("feature view", view, {row.view for row in all_})
    return [
        ViewVersion(
            view=view,
            digest=row.digest,
            applied_at=row.applied_at,
            current=current is not None and current.digest == row.digest,
            details=details(before.definition, row.definition) if before else [],
        )
        for before, row in zip([None, *rows], rows, strict=False)
    ][::-1]


def _check(
    project: Project, declared: Mapping[str, View], known: Mapping[str, FeatureViewRow]
) -> dict[str, Checked]:
    """Check the views that are new or changed, or whose sources have other columns by now."""
    before = {
        name: Checked(row.definition.get("types", {}), inputs=row.definition.get("inputs", ""))
        for name, row in known.items()
        if name in declared and declared[name].digest == row.digest
    }
    return check_views(project, declared, before)


def _plan(
    project: Project,
    declared: Mapping[str, View],
    known: Mapping[str, FeatureViewRow],
    checked: Mapping[str, Checked],
) -> list[ViewChange]:
    changes = [
        _change(project, view, known.get(name), checked[name]) for name, view in declared.items()
    ]
    for name in sorted(known.keys() - declared.keys()):
        changes.append(ViewChange(view=name, change="removed", breaks=users(project, name)))
    return changes


def _change(
    project: Project, view: View, row: FeatureViewRow | None, checked: Checked
) -> ViewChange:
    unchecked = checked.problem
    if row is None:
        return ViewChange(view=view.name, change="added", unchecked=unchecked)
    if row.digest == view.digest:
        return ViewChange(view=view.name, change="unchanged", unchecked=unchecked)
    new = _definition(view, checked)
    return ViewChange(
        view=view.name,
        change="changed",
        details=details(row.definition, new),
        breaks=users(project, view.name) if breaks(row.definition, new) else [],
        unchecked=unchecked,
    )


def _refuse_to_break(changes: list[ViewChange]) -> None:
    broken = [change for change in changes if change.breaks]
    if broken:
        first = broken[0]
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise UsageError(
            f"{first.view}{more}: {', '.join(first.breaks[:3])} would lose what it was made from: "
            "read the plan (workbench features apply --dry-run), then apply with --yes"
        )


def _register(
    session: Session, declared: Mapping[str, View], checked: Mapping[str, Checked]
) -> None:
    session.execute(delete(FeatureViewRow).where(FeatureViewRow.name.not_in(declared)))
    known = {row.name: row for row in session.scalars(select(FeatureViewRow))}
    at, versions = now(), []
    for view in declared.values():
        content = {"digest": view.digest, "definition": _definition(view, checked[view.name])}
        row = known.get(view.name)
        if row is None or row.digest != view.digest or row.definition != content["definition"]:
            session.merge(FeatureViewRow(name=view.name, applied_at=at, **content))
        versions.append({"view": view.name, "applied_at": at, **content})
    insert_missing(session, FeatureVersionRow, versions)


def _definition(view: View, checked: Checked) -> dict[str, Any]:
    """Write a view down so that the catalogue can say all of it."""
    shared = {
        "kind": "view" if isinstance(view, FeatureView) else "request",
        "description": view.description,
        "entity": list(view.entity),
        "features": dict(view.features),
        "types": checked.types,
        "inputs": checked.inputs,
        "sources": list(view.sources),
        "owner": view.owner,
        "tags": list(view.tags),
        "availability": view.availability,
        "ttl": view.ttl,
        "file": view.where.rpartition(": ")[0],
        "code": view.code.own,
        "computation": view.code_digest,
    }
    if not isinstance(view, FeatureView):
        return shared
    return {
        **shared,
        "event_time": view.event_time,
        "created": view.created,
        "freshness": view.freshness,
        "aggregates": {
            a.name: {"kind": a.kind, "column": a.column, "over": a.over} for a in view.aggregates
        },
    }
