"""Writing decisions and moving aliases by them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from workbench.access import refusals
from workbench.errors import StoreError
from workbench.project import Project
from workbench.registry.decisions.chain import UNCHAINED, Decision, append
from workbench.store import DecisionRow, database, file_lock
from workbench.tracking import client
from workbench.tracking.store import ask_model

__all__ = ["decide", "list_decisions", "newest_move", "settle"]

_ATTEMPTS = 50


def list_decisions(project: Project, model: str | None = None) -> list[Decision]:
    """List decisions, oldest first."""
    query = select(DecisionRow).order_by(DecisionRow.id)
    if model is not None:
        query = query.where(DecisionRow.model == model)
    with database(project).session() as session:
        return [Decision.model_validate(row) for row in session.scalars(query)]


def decide(
    project: Project, model: str, alias: str, judge: Callable[[Session], DecisionRow]
) -> Decision:
    """Write the decision that `judge` makes of what is recorded, then move the alias by it.

    `judge` is asked again if somebody else's decision has come in between, so what it refuses it
    refuses on what is true now. A server that has logins is asked before anything is written: a
    decision whose alias may not be moved would else be completed by the next who may.

    Raises
    ------
    ForbiddenError
        If the store's server doesn't let who is logged in there; nothing was written then.
    """
    with file_lock(_lock(project)), _telling(project, model, alias):
        ask_model(project, model, f"move {alias} of {model}")
        _settle(project, model, alias)
        for _ in range(_ATTEMPTS):
            try:
                with database(project).session() as session:
                    decision = append(session, judge(session))
                break
            except IntegrityError:
                continue
        else:
            raise StoreError(f"{model}: others decide without end; try again")
        if decision.moves:
            _move(project, decision)
    return decision


def settle(project: Project, model: str, alias: str) -> None:
    """Move the alias where the newest decision wants it, if that call was killed before it did."""
    with file_lock(_lock(project)), _telling(project, model, alias):
        _settle(project, model, alias)


def _telling(project: Project, model: str, alias: str) -> AbstractContextManager[None]:
    production = alias in project.settings.production_aliases
    return refusals(f"move {alias} of {model}", "approver" if production else "developer")


def _lock(project: Project) -> Path:
    return project.state / "registry.lock"


def _settle(project: Project, model: str, alias: str) -> None:
    with database(project).session() as session:
        newest = newest_move(session, model, alias)
    if newest is None or newest.hash.startswith(UNCHAINED):
        return  # nothing was decided since there are tags that say what was done
    done = client(project).get_registered_model(model).tags.get(_done_tag(alias))
    if done != newest.hash:
        _move(project, newest)


def newest_move(session: Session, model: str, alias: str) -> Decision | None:
    """Return the decision by which the alias moved last."""
    row = session.scalars(
        select(DecisionRow)
        .where(DecisionRow.model == model, DecisionRow.alias == alias)
        .where(DecisionRow.outcome != "kept")
        .order_by(DecisionRow.id.desc())
        .limit(1)
    ).first()
    return Decision.model_validate(row) if row is not None else None


def _move(project: Project, decision: Decision) -> None:
    """Move the alias, and say at the model that it was by this decision.

    The tag is also what the log is held against: a chain made anew from its beginning would have
    another head.
    """
    mlflow = client(project)
    mlflow.set_registered_model_alias(decision.model, decision.alias, decision.version)
    if decision.override:
        mlflow.set_model_version_tag(
            decision.model, decision.version, "workbench.override", decision.reason[:5000]
        )
    mlflow.set_registered_model_tag(decision.model, _done_tag(decision.alias), decision.hash)


def _done_tag(alias: str) -> str:
    return f"workbench.decision.{alias}"
