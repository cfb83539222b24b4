"""One decision, and the chain that they make."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.project import Project
from workbench.registry.reports import digest_of
from workbench.registry.versions import as_store_error
from workbench.store import DecisionRow, GateRow, database
from workbench.tracking import client, registered_models

__all__ = [
    "TAG",
    "UNCHAINED",
    "Decided",
    "Decision",
    "Verification",
    "append",
    "head",
    "verify_decisions",
]

TAG = "workbench.decision"
"""Of a registered model: the hash of the decision on it that moved nothing and is its newest; with
an alias after a dot, that of the one by which the alias moved last. What a tag names is in the log,
or the log isn't all there: its end was cut off, or it was made anew."""

UNCHAINED = "unchained:"
"""How the hash of a row begins that is older than the chain."""

_AT_ONCE = 200
"""Rows in memory at a time: each has a gate's whole report."""


class Decided(BaseModel):
    """What was decided of one version and one alias, without the evidence, which is long."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    id: int
    factory: str
    model: str
    alias: str
    version: str
    previous: str | None
    outcome: Literal["promoted", "kept", "rolled back"]
    reason: str
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


class Decision(Decided):
    """A decision with the evidence that it was made on."""

    evidence: dict[str, Any]


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


def head(session: Session) -> str:
    """Return the hash of the newest decision; empty if there is none."""
    newest = select(DecisionRow.hash).order_by(DecisionRow.id.desc()).limit(1)
    return session.scalars(newest).first() or ""


def append(session: Session, row: DecisionRow, after: str | None = None) -> Decision:
    """Add a decision to the chain.

    Parameters
    ----------
    after
        The hash of the head when it was thought over; of the one that is newest now by default.

    Raises
    ------
    sqlalchemy.exc.IntegrityError
        If somebody else's decision has come in between; the session is lost.
    """
    row.previous_hash = head(session) if after is None else after
    row.hash = _hash(row)
    session.add(row)
    session.flush()
    return Decision.model_validate(row)


def verify_decisions(project: Project) -> Verification:
    """Follow the chain from its beginning, and hold its end against MLflow's tags.

    Raises
    ------
    StoreError
        If the registry can't be asked.
    """
    tags = _tags(project)  # before the log: what moves meanwhile is in it by then
    unchained, before = 0, ""
    hashes: list[str] = []
    models: set[str] = set()
    broken: list[str] = []
    with database(project).session() as session:
        rows = select(DecisionRow).order_by(DecisionRow.id)
        for row in session.scalars(rows.execution_options(yield_per=_AT_ONCE)):
            if not row.hash.startswith(UNCHAINED):
                broken += _doubts(row, before)
            elif unchained < len(hashes):
                broken.append("a decision without a hash stands among those that have one")
            unchained += row.hash.startswith(UNCHAINED)
            before = row.hash
            hashes.append(row.hash)
            models.add(row.model)
        models.update(session.scalars(select(GateRow.model).distinct()))
    known = set(hashes)
    shared = bool(project.settings.tracking_uri)  # with projects that have logs of their own
    broken += [
        f"{model}: a decision is missing that MLflow's tag {tag} names ({named[:12]})"
        for model, tag, named in tags
        if named not in known and (model in models or not shared)
    ]
    return Verification(decisions=len(hashes), unchained=unchained, broken=broken, head=before)


def _doubts(row: DecisionRow, before: str) -> list[str]:
    found = []
    if row.hash != _hash(row):
        found.append(f"decision {row.id} isn't as it was written")
    if row.previous_hash != before:
        found.append(f"before decision {row.id} one was taken out, or put in")
    return found


def _tags(project: Project) -> list[tuple[str, str, str]]:
    """Read which decisions the models name: model, tag, hash."""
    if not (project.settings.tracking_uri or (project.state / "mlflow.db").exists()):
        return []  # asking MLflow would only set it up
    with as_store_error():
        models = registered_models(client(project))
    return [
        (model.name, tag, named)
        for model in models
        for tag, named in sorted(model.tags.items())
        if tag == TAG or tag.startswith(f"{TAG}.")
    ]


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
