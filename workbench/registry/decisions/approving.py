"""People who agree to what a gate found, or don't."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.access import require
from workbench.errors import GateRefusedError
from workbench.project import Project
from workbench.registry.decisions.evidence import newest_gate
from workbench.registry.versions import as_store_error
from workbench.store import ApprovalRow, database, now
from workbench.tracking import client, model_version
from workbench.tracking.store import ask_model

__all__ = ["Approval", "approve", "list_approvals"]


class Approval(BaseModel):
    """What somebody said of one gate's report of a version."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    model: str
    version: str
    gate: str
    """The digest of the report that was approved: another report has to be approved anew."""
    outcome: Literal["approved", "refused"]
    role: str
    comment: str
    decided_by: str
    decided_at: datetime


def approve(
    project: Project, model: str, version: str, *, comment: str = "", refuse: bool = False
) -> Approval:
    """Approve, or refuse, what the newest gate found of a version.

    Raises
    ------
    ForbiddenError
        If who asks isn't an approver, or the store's server doesn't let their login.
    NotFoundError
        If there is no such model or version.
    GateRefusedError
        If the version has been through no gate: there is nothing to approve.
    """
    what = f"approve {model} version {version}"
    person = require(project, "approver", what)
    ask_model(project, model, what)
    with as_store_error():
        model_version(client(project), model, version)
    with database(project).session() as session:
        gate = newest_gate(session, model, version)
        if gate is None:
            raise GateRefusedError(
                f"{model} version {version} has been through no gate: there is nothing to approve"
            )
        row = ApprovalRow(
            model=model,
            version=version,
            gate=gate.digest,
            outcome="refused" if refuse else "approved",
            role=person.role,
            comment=comment,
            decided_by=person.name,
            decided_at=now(),
        )
        session.add(row)
        session.flush()
        return Approval.model_validate(row)


def list_approvals(project: Project, model: str, version: str) -> list[Approval]:
    """List who approved or refused a version, oldest first."""
    query = (
        select(ApprovalRow)
        .where(ApprovalRow.model == model, ApprovalRow.version == version)
        .order_by(ApprovalRow.id)
    )
    with database(project).session() as session:
        return [Approval.model_validate(row) for row in session.scalars(query)]
