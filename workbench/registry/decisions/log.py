"""Writing decisions and moving aliases by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, defer

from workbench.access import Role, refusals
from workbench.errors import GateRefusedError, NotFoundError, StoreError
from workbench.project import Project
from workbench.registry.decisions.chain import (
    TAG,
    UNCHAINED,
    Decided,
    Decision,
    append,
    head,
)
from workbench.registry.versions import OVERRIDE, as_store_error
from workbench.store import (
    ConflictError,
    DecisionRow,
    EdgeRow,
    database,
    file_lock,
    insert_missing,
    now,
    room,
)
from workbench.tracking import client, model_version, registered_model
from workbench.tracking.store import ask_model

__all__ = ["decide", "list_decided", "list_decisions", "newest_move", "settle"]

_ATTEMPTS = 50


def list_decisions(
    project: Project, model: str | None = None, version: str | None = None
) -> list[Decision]:
    """List decisions with their evidence, oldest first."""
    query = _of(model)
    if version is not None:
        query = query.where(DecisionRow.version == version)
    with database(project).session() as session:
        return [Decision.model_validate(row) for row in session.scalars(query)]


def list_decided(project: Project, model: str | None = None) -> list[Decided]:
    """List decisions without their evidence, oldest first: thousands are read in no time."""
    with database(project).session() as session:
        rows = session.scalars(_of(model).options(defer(DecisionRow.evidence)))
        return [Decided.model_validate(row) for row in rows]


def _of(model: str | None) -> Select[DecisionRow]:
    query = select(DecisionRow).order_by(DecisionRow.id)
    return query if model is None else query.where(DecisionRow.model == model)


def decide(
    project: Project, model: str, alias: str, judge: Callable[[Session], DecisionRow]
) -> Decision:
    """Write the decision that `judge` makes of what is recorded, then move the alias by it.

    `judge` is asked again if somebody else's decision has come in between, so what it refuses it
    refuses on what is true now. A server that has logins is asked before anything is written: a
    decision whose alias may not be moved would else be completed by the next who may. So is the
    disk, for the room that both take.

    Raises
    ------
    ForbiddenError
        If the store's server doesn't let who is logged in there; nothing was written then.
    GateRefusedError
        If the log lacks the decision by which the alias moved last; nothing was written then.
    DiskFullError
        If there is no room for it; nothing was written then either.
    """
    with (
        file_lock(_lock(project)),
        _telling(project, model, alias),
        room(project.state) as give_back,
    ):
        ask_model(project, model, f"move {alias} of {model}")
        decision = _written(project, model, alias, judge)
        give_back()
        if decision.moves:
            where = f"decision {decision.id} is written, and {alias} of {model} not moved yet"
            with _telling(project, model, alias, f"{where} (doing it again completes it)"):
                _move(project, decision)
                # On another machine somebody may have decided, and moved it, at the same time.
                _settle(project, model, alias, after_own=True)
        else:
            client(project).set_registered_model_tag(model, TAG, decision.hash)
    return decision


def _written(
    project: Project, model: str, alias: str, judge: Callable[[Session], DecisionRow]
) -> Decision:
    for _ in range(_ATTEMPTS):
        try:
            with database(project).session() as session:
                # In this order: of what is decided after this line, appending is told.
                newest = head(session)
                _settle(project, model, alias)
                decision = append(session, judge(session), newest)
                insert_missing(session, EdgeRow, _edges(decision))
                return decision
        except ConflictError:
            continue
    raise StoreError(f"{model}: others decide without end; try again")


def _edges(decision: Decision) -> list[dict[str, Any]]:
    """Link the version, and the gate that it moved on, to a decision that moves an alias.

    In the transaction of the decision: one that is there has its place in the lineage.
    """
    version = f"{decision.model}/{decision.version}"
    nodes = [f"model:{version}"] if decision.moves else []
    if decision.outcome == "promoted" and (digest := decision.evidence.get("digest")):
        nodes.append(f"gate:{version}@{digest[:12]}")
    edge = {"target": f"decision:{decision.id}", "relation": decision.outcome, "at": now()}
    return [{"source": node, **edge} for node in nodes]


def settle(project: Project, model: str, alias: str) -> Decision | None:
    """Move the alias where the newest decision wants it, if that call was killed before it did.

    Returns
    -------
    Decision or None
        What was completed by this.
    """
    with file_lock(_lock(project)), _telling(project, model, alias):
        return _settle(project, model, alias)


@contextmanager
def _telling(
    project: Project, model: str, alias: str, where: str = "MLflow's registry"
) -> Iterator[None]:
    production = alias in project.settings.production_aliases
    role: Role = "approver" if production else "developer"
    with as_store_error(where), refusals(f"move {alias} of {model}", role):
        yield


def _lock(project: Project) -> Path:
    return project.state / "registry.lock"


def _settle(
    project: Project, model: str, alias: str, *, after_own: bool = False
) -> Decision | None:
    """Move the alias by the newest decision, unless the model's tag says that it was.

    Who has just moved it looks at the alias as well; for anybody else one that stands elsewhere was
    moved outside of Workbench, by somebody who wanted it there.
    """
    found = registered_model(client(project), model)
    done = found.tags.get(f"{TAG}.{alias}")
    _check_known(project, model, alias, done)
    newest = newest_move(project, model, alias)
    if newest is None or newest.hash.startswith(UNCHAINED):
        return None  # nothing was decided since there are tags that say what was done
    astray = after_own and str(found.aliases.get(alias)) != newest.version
    if (done == newest.hash and not astray) or not _is_there(project, newest):
        return None
    _move(project, newest)
    return newest


def _check_known(project: Project, model: str, alias: str, done: str | None) -> None:
    """Refuse to go on from a log that lacks what the alias moved by."""
    if done is None:
        return
    known = select(DecisionRow.id).where(DecisionRow.hash == done)
    with database(project).session() as session:
        if session.scalar(known) is None:
            raise GateRefusedError(
                f"{model}: the log lacks the decision by which {alias} moved last (`workbench "
                f"models verify`): it moves again once that is there, or, to go on from the log "
                f"as it is, once MLflow's tag {TAG}.{alias} is deleted"
            )


def _is_there(project: Project, decision: Decision) -> bool:
    """Whether the version that an alias should move to wasn't deleted since."""
    try:
        model_version(client(project), decision.model, decision.version)
    except NotFoundError:
        return False
    return True


def newest_move(project: Project, model: str, alias: str) -> Decision | None:
    """Return the decision by which the alias moved last."""
    query = (
        _of(model)
        .where(DecisionRow.alias == alias, DecisionRow.outcome != "kept")
        .order_by(None)
        .order_by(DecisionRow.id.desc())
        .limit(1)
    )
    with database(project).session() as session:
        row = session.scalars(query).first()
        return Decision.model_validate(row) if row is not None else None


def _move(project: Project, decision: Decision) -> None:
    """Move the alias, and say at the model that it was by this decision.

    The tag is also what the log is held against.
    """
    mlflow = client(project)
    mlflow.set_registered_model_alias(decision.model, decision.alias, decision.version)
    if decision.override:
        mlflow.set_model_version_tag(
            decision.model, decision.version, OVERRIDE, decision.reason[:5000]
        )
    mlflow.set_registered_model_tag(decision.model, f"{TAG}.{decision.alias}", decision.hash)
