"""Giving an alias to a version, or refusing it, on the evidence of its gate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy.orm import Session

from workbench.access import Person, require
from workbench.errors import GateRefusedError, UsageError
from workbench.project import Project
from workbench.registry.decisions.chain import Decision
from workbench.registry.decisions.evidence import evidence_of
from workbench.registry.decisions.log import decide, list_decisions, newest_move, settle
from workbench.registry.reports import GateReport
from workbench.registry.sandbox import refuse_from_branch
from workbench.registry.versions import aliases_of, as_store_error
from workbench.store import DecisionRow, now
from workbench.tracking import client, model_version

__all__ = ["may_move", "promote", "record_refusal"]

_ALIAS = re.compile(r"(?!latest\Z|v?\d+\Z)[\w-]{1,200}", re.IGNORECASE)
"""What MLflow takes, and nobody takes for a version: it would refuse any other only once the
decision is written."""


def promote(
    project: Project,
    model: str,
    version: str,
    alias: str,
    *,
    reason: str,
    factory: str = "",
    policies: Mapping[str, str] = MappingProxyType({}),
    override: bool = False,
) -> Decision:
    """Give a version an alias, on the evidence of its newest gate.

    Who asks has to be an approver for an alias of production, a developer for any other.

    Parameters
    ----------
    policies
        The digests of the policies that count now, by the names of the factories that make the
        model (`wb.factory.policies_of`); empty if none does.
    override
        Whether an admin does without the evidence, for a reason that stays in the record, on the
        version's tags and in `models production` for as long as it holds the alias.

    Raises
    ------
    NotFoundError
        If there is no such model or version.
    ForbiddenError
        If the person's role doesn't let them.
    GateRefusedError
        If the version's newest gate didn't pass, there is none, it was of another policy or
        compared with another champion than there is now, its document or its files were changed or
        are gone, or approvals are missing; or the alias is production's and the code stands on a
        branch that isn't.
    """
    person = may_move(project, model, alias, override=override)
    if override and not reason.strip():
        raise UsageError(f"{model} version {version}: an override needs a reason")
    with as_store_error():
        model_version(client(project), model, version)

    def judge(session: Session) -> DecisionRow:
        holder = aliases_of(project, model).get(alias)
        evidence, missing = evidence_of(
            project,
            session,
            model,
            version,
            policies=policies,
            holder=holder,
            compared=alias in project.settings.production_aliases,
        )
        if missing and not override:
            raise GateRefusedError(f"{model} version {version}: {'; '.join(missing)}")
        if missing:
            evidence = {"digest": "", **evidence, "missing": missing}
        return _row(
            person,
            model=model,
            version=version,
            alias=alias,
            previous=holder,
            outcome="promoted",
            reason=reason,
            factory=factory,
            evidence=evidence,
            override=bool(missing),
        )

    settle(project, model, alias)
    return _repeated(project, model, version, alias) or decide(project, model, alias, judge)


def may_move(project: Project, model: str, alias: str, *, override: bool = False) -> Person:
    """Return who asks, if there can be such an alias and their role and branch let them move it."""
    if not _ALIAS.fullmatch(alias):
        raise UsageError(
            f"alias {alias!r}: expected letters, digits, - and _; latest, v1, v2 and so on are "
            "MLflow's own"
        )
    if override:
        person = require(project, "admin", f"override the gate of {model}")
    elif alias in project.settings.production_aliases:
        person = require(project, "approver", f"move {alias} of {model}")
    else:
        person = require(project, "developer", f"move {alias} of {model}")
    refuse_from_branch(project, alias)
    return person


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
    person = require(project, "developer", f"record what was decided of {model}")
    for known in list_decisions(project, model, version):
        asked = (known.alias, known.outcome, known.evidence.get("digest"))
        if asked == (alias, "kept", report.digest):
            return known

    def judge(session: Session) -> DecisionRow:
        return _row(
            person,
            model=model,
            version=version,
            alias=alias,
            previous=aliases_of(project, model).get(alias),
            outcome="kept",
            reason=reason,
            factory=factory,
            evidence={"digest": report.digest, "report": report.model_dump(mode="json")},
            override=False,
        )

    return decide(project, model, alias, judge)


def _repeated(project: Project, model: str, version: str, alias: str) -> Decision | None:
    """Return the decision that a call asks for again: the version has the alias by it."""
    newest = newest_move(project, model, alias)
    if newest is None or newest.version != version:
        return None
    return newest if aliases_of(project, model).get(alias) == version else None


def _row(person: Person, **said: object) -> DecisionRow:
    return DecisionRow(**said, decided_by=person.name, role=person.role, decided_at=now())
