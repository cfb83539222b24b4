"""One decision, and the chain that they make."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.project import Project
from workbench.registry.reports import digest_of
from workbench.store import DecisionRow, database

__all__ = ["UNCHAINED", "Decision", "Verification", "append", "verify_decisions"]

UNCHAINED = "unchained:"
"""How the hash of a row begins that is older than the chain."""


class Decision(BaseModel):
    """What was decided of one version and one alias."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    factory: str
    model: str
    alias: str
    version: str
    previous: str | None
    outcome: Literal["promoted", "kept", "rolled back"]
    reason: str
    evidence: dict[str, Any]
    decided_by: str
    role: str
    override: bool
    decided_at: datetime
    previous_hash: str
    hash: str

    @property
    def moves(self) -> bool:
        """Whether an alias moved by it."""
        return self.outcome != "kept"


class Verification(BaseModel):
    """Whether the log is as it was written."""

    model_config = ConfigDict(frozen=True)

    decisions: int
    unchained: int
    """How many of them are from before the log was chained: nothing can be said of those."""
    broken: list[str]
    """What is wrong, in words; empty if nothing is."""
    head: str
    """The hash of the newest decision."""


def append(session: Session, row: DecisionRow) -> Decision:
    """Add a decision to the chain.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        If somebody else's decision has come in between; the session is lost.
    """
    newest = session.scalars(select(DecisionRow).order_by(DecisionRow.id.desc()).limit(1)).first()
    row.previous_hash = newest.hash if newest is not None else ""
    row.hash = _hash(row)
    session.add(row)
    session.flush()
    return Decision.model_validate(row)


def verify_decisions(project: Project) -> Verification:
    """Follow the chain from its beginning and say where it doesn't hold."""
    with database(project).session() as session:
        rows = list(session.scalars(select(DecisionRow).order_by(DecisionRow.id)))
        unchained = [row for row in rows if row.hash.startswith(UNCHAINED)]
        broken, before = [], unchained[-1].hash if unchained else ""
        if rows[: len(unchained)] != unchained:
            broken.append("a decision without a hash stands among those that have one")
        for row in rows[len(unchained) :]:
            if row.hash != _hash(row):
                broken.append(f"decision {row.id} isn't as it was written")
            if row.previous_hash != before:
                broken.append(f"before decision {row.id} one was taken out, or put in")
            before = row.hash
    return Verification(decisions=len(rows), unchained=len(unchained), broken=broken, head=before)


def _hash(row: DecisionRow) -> str:
    said = {
        "factory": row.factory,
        "model": row.model,
        "alias": row.alias,
        "version": row.version,
        "previous": row.previous,
        "outcome": row.outcome,
        "reason": row.reason,
        "evidence": row.evidence,
        "decided_by": row.decided_by,
        "role": row.role,
        "override": row.override,
        "decided_at": row.decided_at.isoformat(),
        "previous_hash": row.previous_hash,
    }
    return digest_of(said)
