"""Giving an alias to a version, or refusing it, on the evidence of its gate."""

from __future__ import annotations

from sqlalchemy.orm import Session

from workbench.access import Person, require
from workbench.errors import GateRefusedError, NotFoundError, UsageError
from workbench.lineage import link
from workbench.project import Project
from workbench.registry.decisions.chain import Decision
from workbench.registry.decisions.evidence import evidence_of
from workbench.registry.decisions.log import decide, list_decisions, settle
from workbench.registry.reports import GateReport
from workbench.registry.sandbox import refuse_from_branch
from workbench.registry.versions import get_model
from workbench.store import DecisionRow, now

__all__ = ["may_move", "promote", "record_refusal"]


def promote(
    project: Project,
    model: str,
    version: str,
    alias: str,
    *,
    reason: str,
    factory: str = "",
    policy: str | None = None,
    override: bool = False,
) -> Decision:
    """Give a version an alias, on the evidence of its newest gate.

    Who asks has to be an approver for an alias of production, a developer for any other.

    Parameters
    ----------
    policy
        The digest of the policy that the gate must have been of; any if None.
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
        compared with another champion than there is now, its document was changed, or approvals
        are missing; or the alias is production's and the code stands on a branch that isn't.
    """
    person = may_move(project, model, alias, override=override)
    if override and not reason.strip():
        raise UsageError(f"{model} version {version}: an override needs a reason")
    found = get_model(project, model)
    if version not in {known.version for known in found.versions}:
        versions = [known.version for known in found.versions]
        raise NotFoundError.named("version", version, versions, f" of model {model}")
    settle(project, model, alias)
    repeated = _repeated(project, model, version, alias)
    if repeated is not None:
        return repeated

    def judge(session: Session) -> DecisionRow:
        holder = get_model(project, model).aliases.get(alias)
        evidence, missing = evidence_of(
            project,
            session,
            model,
            version,
            policy=policy,
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

    decision = decide(project, model, alias, judge)
    digest = str(decision.evidence.get("digest", ""))
    gate = [f"gate:{model}/{version}@{digest[:12]}"] if digest else []
    link(project, [f"model:{model}/{version}", *gate], f"decision:{decision.id}", "promoted")
    return decision


def may_move(project: Project, model: str, alias: str, *, override: bool = False) -> Person:
    """Return who asks, if their role and their branch let them move the alias."""
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
    for known in list_decisions(project, model):
        asked = (known.alias, known.version, known.outcome, known.evidence.get("digest"))
        if asked == (alias, version, "kept", report.digest):
            return known

    def judge(session: Session) -> DecisionRow:
        return _row(
            person,
            model=model,
            version=version,
            alias=alias,
            previous=get_model(project, model).aliases.get(alias),
            outcome="kept",
            reason=reason,
            factory=factory,
            evidence={"digest": report.digest, "report": report.model_dump(mode="json")},
            override=False,
        )

    return decide(project, model, alias, judge)


def _repeated(project: Project, model: str, version: str, alias: str) -> Decision | None:
    """Return the decision that a call asks for again: the version has the alias by it."""
    moves = [d for d in list_decisions(project, model) if d.alias == alias and d.moves]
    holder = get_model(project, model).aliases.get(alias)
    return moves[-1] if moves and moves[-1].version == version == holder else None


def _row(person: Person, **said: object) -> DecisionRow:
    return DecisionRow(**said, decided_by=person.name, role=person.role, decided_at=now())
