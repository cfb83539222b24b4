"""Giving an alias to a version: what speaks for it, who agrees, and taking it back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from workbench.access import ROLES, Role
from workbench.errors import ForbiddenError, GateRefusedError, NotFoundError
from workbench.factory import policies_of
from workbench.gates import stored_reports
from workbench.project import Project
from workbench.registry import (
    Approval,
    Check,
    GateReport,
    Version,
    approve,
    list_approvals,
    promote,
    rollback,
)
from workbench.registry import get_model as find_model
from workbench.registry.decisions.evidence import evidence_of
from workbench.registry.decisions.promoting import may_move
from workbench.server.operation import Operation, Query
from workbench.server.resources.models.listing import DecisionInfo, find_versions, told
from workbench.store import database

__all__ = ["OPERATIONS"]

_MOST_REASON = 5000


def _named(alias: str) -> str:
    """Refuse what MLflow would: a decision is written before its alias moves."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", alias):
        raise ValueError("expected letters, digits, _ and -")
    if re.fullmatch(r"(?i)latest|v\d+", alias):
        raise ValueError("MLflow keeps this name for itself")
    return alias


AliasName = Annotated[str, AfterValidator(_named)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PromotionQuery(Query):
    """Which alias."""

    alias: AliasName = Field(default="champion", description="the alias that would move")


class Promoting(_Body):
    """What is to be promoted to, and why."""

    alias: AliasName = "champion"
    reason: str = Field(default="", max_length=_MOST_REASON)
    override: bool = Field(default=False, description="without a gate that passed; an admin's")


class Approving(_Body):
    """What somebody says of what the gate found."""

    comment: str = Field(default="", max_length=_MOST_REASON)
    refuse: bool = False


class RollingBack(_Body):
    """Which alias is to go back, and why."""

    alias: AliasName = "champion"
    reason: str = Field(default="", max_length=_MOST_REASON)


class GateFound(BaseModel):
    """What the newest gate found of a version."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    factory: str
    outcome: str
    checks: list[Check]
    metrics: dict[str, float]
    baseline: dict[str, float]
    champion: dict[str, float] | None
    champion_version: str | None
    window: str
    rows: int
    digest: str


class Approvals(BaseModel):
    """How many people of a role, or a higher one, agree, and how many have to."""

    model_config = ConfigDict(frozen=True)

    role: Role
    needed: int
    there: int


class Promotion(BaseModel):
    """What speaks for giving a version an alias, and what against it, as things stand."""

    model_config = ConfigDict(frozen=True)

    model: str
    alias: str
    aliases: list[str] = Field(description="those that it may be given")
    version: Version
    holder: Version | None = Field(description="the version that has the alias now")
    gate: GateFound | None
    missing: list[str] = Field(description="what the evidence lacks; empty if it may be promoted")
    approvals: list[Approvals]
    said: list[Approval] = Field(description="what people said of the newest gate, oldest first")
    refusal: str = Field(description="why who asks may not; empty if they may")
    override_refusal: str = Field(description="why who asks may not do without the gate")
    reason_needed: bool = Field(description="whether the alias is of production")


def get_promotion(project: Project, name: str, version: str, query: PromotionQuery) -> Promotion:
    """Say what speaks for giving a version an alias, and what is missing."""
    model, alias = find_model(project, name), query.alias
    versions = {known.version: known for known in model.versions}
    if version not in versions:
        raise NotFoundError.named("version", version, versions, f" of model {name}")
    holder = model.aliases.get(alias)
    produced = project.settings.production_aliases
    with database(project).session() as session:
        _, missing = evidence_of(
            project,
            session,
            name,
            version,
            policies=policies_of(project, name),
            holder=holder,
            compared=alias in produced,
        )
    reports = stored_reports(project, name, version)
    report = reports[-1] if reports else None
    said = [one for one in list_approvals(project, name, version) if _is_of(one, report)]
    return Promotion(
        model=name,
        alias=alias,
        aliases=list(dict.fromkeys([*produced, "challenger", *model.aliases, alias])),
        version=versions[version],
        holder=versions.get(holder or ""),
        gate=None if report is None else GateFound.model_validate(report),
        missing=missing,
        approvals=_needed(report, said),
        said=said,
        refusal=_refusal(lambda: may_move(project, name, alias)),
        override_refusal=_refusal(lambda: may_move(project, name, alias, override=True)),
        reason_needed=alias in produced,
    )


def promote_version(project: Project, name: str, version: str, body: Promoting) -> DecisionInfo:
    """Give a version an alias, on the evidence of its newest gate."""
    policies = policies_of(project, name)
    reason = body.reason.strip()
    decision = promote(
        project,
        name,
        version,
        body.alias,
        reason=reason or ("" if body.override else "by hand"),
        factory=next(iter(policies)) if len(policies) == 1 else "",
        policies=policies,
        override=body.override,
    )
    return told(decision)


def approve_version(project: Project, name: str, version: str, body: Approving) -> Approval:
    """Approve, or refuse, what the newest gate found of a version."""
    find_versions(project, name, version)
    return approve(project, name, version, comment=body.comment.strip(), refuse=body.refuse)


def roll_back_model(project: Project, name: str, body: RollingBack) -> DecisionInfo:
    """Give an alias back to the version that had it before."""
    return told(rollback(project, name, body.alias, reason=body.reason.strip()))


def _is_of(approval: Approval, report: GateReport | None) -> bool:
    return report is not None and approval.gate == report.digest


def _needed(report: GateReport | None, said: list[Approval]) -> list[Approvals]:
    if report is None:
        return []
    last = {one.decided_by: one for one in said}.values()  # who thinks again counts anew
    agreed = [ROLES.index(one.role) for one in last if one.outcome == "approved"]
    return [
        Approvals(role=role, needed=count, there=sum(at >= ROLES.index(role) for at in agreed))
        for role, count in sorted(report.approvals.items())
    ]


def _refusal(ask: Callable[[], object]) -> str:
    try:
        ask()
    except (ForbiddenError, GateRefusedError) as error:
        return str(error)
    return ""


OPERATIONS = (
    Operation("GET", "/models/{name}/versions/{version}/promotion", get_promotion),
    Operation("POST", "/models/{name}/versions/{version}/promotion", promote_version),
    Operation("POST", "/models/{name}/versions/{version}/approvals", approve_version, status=201),
    Operation("POST", "/models/{name}/rollback", roll_back_model),
)
