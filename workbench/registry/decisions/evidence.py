"""What has to be there before an alias moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.access import ROLES
from workbench.errors import DataError, NotFoundError
from workbench.project import Project
from workbench.registry.reports import GateReport, digest_of
from workbench.registry.versions import model_uri
from workbench.store import ApprovalRow, GateRow
from workbench.tracking import client, fetch_model, read_json

__all__ = ["evidence_of", "newest_gate", "unloadable"]


def newest_gate(session: Session, model: str, version: str) -> GateRow | None:
    """Return what the gate last found of a version."""
    return session.scalars(
        select(GateRow)
        .where(GateRow.model == model, GateRow.version == version)
        .order_by(GateRow.id.desc())
        .limit(1)
    ).first()


def evidence_of(
    project: Project,
    session: Session,
    model: str,
    version: str,
    *,
    policies: Mapping[str, str],
    holder: str | None,
    compared: bool,
) -> tuple[dict[str, Any], list[str]]:
    """Return the evidence for a version, and what is missing in it.

    Parameters
    ----------
    policies
        The digest of the policy that counts now, by the name of the factory whose it is; empty if
        no factory makes the model.
    holder
        The version that has the alias now.
    compared
        Whether the alias is one whose holder the gate compares with.
    """
    gate = newest_gate(session, model, version)
    if gate is None:
        return {}, ["it has been through no gate"]
    report = GateReport.model_validate(gate.report)
    missing = [*_changed(project, gate), *unloadable(project, model, version)]
    if report.outcome != "passed":
        failed = "; ".join(check.title for check in report.failed)
        missing.append(f"it didn't pass the gate: {failed}")
    if not _is_of_today(gate, policies):
        missing.append("it was judged under another policy; put it through the gate again")
    # Who holds the alias is compared with nobody; else it is the holder that counts.
    if compared and holder != version and report.champion_version != holder:
        missing.append(
            f"it was compared with {_named(report.champion_version)}, and {_named(holder)} has the "
            "alias by now; put it through the gate again"
        )
    missing += _unapproved(session, gate, report)
    return {"gate": gate.id, "digest": gate.digest, "report": gate.report}, missing


def _is_of_today(gate: GateRow, policies: Mapping[str, str]) -> bool:
    """Whether its policy counts now; where no factory asks for anything, none may have asked."""
    return policies.get(gate.factory) == gate.policy if policies else not gate.factory


def _named(version: str | None) -> str:
    return "no champion" if version is None else f"version {version}"


def _changed(project: Project, gate: GateRow) -> list[str]:
    """Say so if the document isn't what the gate wrote: neither our row nor the run's artifact."""
    if digest_of(gate.report) != gate.digest:
        return ["its gate's report was changed after it was written"]
    run_id = client(project).get_model_version(gate.model, gate.version).run_id
    try:
        stored = read_json(project, run_id, f"gate/{gate.digest[:12]}.json")
    except NotFoundError:
        return ["its gate's document is gone from its run"]
    if digest_of(stored) != gate.digest:
        return ["its gate's document was changed after it was written"]
    return []


def unloadable(project: Project, model: str, version: str) -> list[str]:
    """Say so if the files of a version are gone, or aren't those that were logged."""
    try:
        fetch_model(project, model_uri(model, version))
    except (DataError, NotFoundError) as error:
        return [str(error).partition("\n")[0]]
    return []


def _unapproved(session: Session, gate: GateRow, report: GateReport) -> list[str]:
    query = select(ApprovalRow).where(ApprovalRow.gate == gate.digest).order_by(ApprovalRow.id)
    last = {row.decided_by: row for row in session.scalars(query)}  # who thinks again counts anew
    refused = [row for row in last.values() if row.outcome == "refused"]
    if refused:
        return [
            f"{row.decided_by} refused it: {row.comment or 'no reason given'}" for row in refused
        ]
    missing = []
    for role, needed in sorted(report.approvals.items()):
        there = sum(ROLES.index(row.role) >= ROLES.index(role) for row in last.values())
        if there < needed:
            missing.append(f"{there} of {needed} approvals by {role}s are there")
    return missing
