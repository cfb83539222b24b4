"""Decisions: who moved which alias when, why and on what evidence. Only ever appended."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.errors import GateRefusedError, NotFoundError
from workbench.lineage import link
from workbench.project import Project
from workbench.registry.gate import GateReport
from workbench.registry.sandbox import refuse_from_branch
from workbench.registry.versions import get_model
from workbench.store import DecisionRow, GateRow, database, file_lock, now
from workbench.tracking import client

__all__ = ["Decision", "list_decisions", "promote", "record_refusal"]


class Decision(BaseModel):
    """What was decided of one version and one alias."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    factory: str
    model: str
    alias: str
    version: str
    previous: str | None
    outcome: Literal["promoted", "kept"]
    reason: str
    evidence: dict[str, Any]
    decided_by: str
    decided_at: datetime


def list_decisions(project: Project, model: str | None = None) -> list[Decision]:
    """List decisions, oldest first."""
    query = select(DecisionRow).order_by(DecisionRow.id)
    if model is not None:
        query = query.where(DecisionRow.model == model)
    with database(project).session() as session:
        return [Decision.model_validate(row) for row in session.scalars(query)]


def promote(
    project: Project,
    model: str,
    version: str,
    alias: str,
    *,
    reason: str,
    factory: str = "",
    policy: str | None = None,
) -> Decision:
    """Give a version an alias, on the evidence of its newest gate.

    The decision is written before the alias moves, so that no move is without one; a call that was
    cut short between the two is completed by the next.

    Parameters
    ----------
    policy
        The digest of the policy that the gate must have been of; any if None.

    Raises
    ------
    NotFoundError
        If there is no such model or version.
    GateRefusedError
        If the version's newest gate didn't pass, there is none, or it was of another policy; or
        the alias is production's and the code stands on a branch that isn't.
    """
    refuse_from_branch(project, alias)
    with file_lock(project.state / "registry.lock"):
        found = get_model(project, model)
        if version not in {known.version for known in found.versions}:
            versions = [known.version for known in found.versions]
            raise NotFoundError.named("version", version, versions, f" of model {model}")
        with database(project).session() as session:
            evidence = _evidence(session, model, version, policy)
            row = _newest(session, model, alias)
            if row is None or (row.version, row.outcome) != (version, "promoted"):
                row = DecisionRow(
                    factory=factory,
                    model=model,
                    alias=alias,
                    version=version,
                    previous=found.aliases.get(alias),
                    outcome="promoted",
                    reason=reason,
                    evidence=evidence,
                    decided_by=getpass.getuser(),
                    decided_at=now(),
                )
                session.add(row)
                session.flush()
            decision = Decision.model_validate(row)
        client(project).set_registered_model_alias(model, alias, version)
    link(project, [f"model:{model}/{version}"], f"decision:{decision.id}", "promoted")
    return decision


def record_refusal(
    project: Project,
    model: str,
    version: str,
    alias: str,
    *,
    reason: str,
    report: GateReport,
    factory: str,
) -> Decision:
    """Write down that a version did not get an alias, why, and the gate's report; once."""
    with file_lock(project.state / "registry.lock"), database(project).session() as session:
        known = session.scalars(
            select(DecisionRow)
            .where(DecisionRow.model == model, DecisionRow.alias == alias)
            .where(DecisionRow.version == version, DecisionRow.outcome == "kept")
        )
        for row in known:
            if row.evidence["digest"] == report.digest:
                return Decision.model_validate(row)
        row = DecisionRow(
            factory=factory,
            model=model,
            alias=alias,
            version=version,
            previous=get_model(project, model).aliases.get(alias),
            outcome="kept",
            reason=reason,
            evidence={"digest": report.digest, "report": report.model_dump(mode="json")},
            decided_by=getpass.getuser(),
            decided_at=now(),
        )
        session.add(row)
        session.flush()
        return Decision.model_validate(row)


def _evidence(session: Session, model: str, version: str, policy: str | None) -> dict[str, Any]:
    gate = session.scalars(
        select(GateRow)
        .where(GateRow.model == model, GateRow.version == version)
        .order_by(GateRow.id.desc())
    ).first()
    if gate is None:
        raise GateRefusedError(f"{model} version {version} has been through no gate")
    if gate.outcome != "passed":
        failed = [c["title"] for c in gate.report["checks"] if c["outcome"] == "failed"]
        raise GateRefusedError(
            f"{model} version {version} didn't pass the gate: {'; '.join(failed)}"
        )
    if policy is not None and gate.policy != policy:
        raise GateRefusedError(
            f"{model} version {version} passed under another policy; put it through the gate again"
        )
    return {"gate": gate.id, "digest": gate.digest, "report": gate.report}


def _newest(session: Session, model: str, alias: str) -> DecisionRow | None:
    return session.scalars(
        select(DecisionRow)
        .where(DecisionRow.model == model, DecisionRow.alias == alias)
        .where(DecisionRow.outcome == "promoted")
        .order_by(DecisionRow.id.desc())
    ).first()
