"""Going back to the champion before, in one action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from workbench.errors import GateRefusedError, NotFoundError
from workbench.project import Project
from workbench.registry.decisions.chain import Decided, Decision
from workbench.registry.decisions.evidence import unloadable
from workbench.registry.decisions.log import decide, list_decided, settle
from workbench.registry.decisions.promoting import may_move
from workbench.registry.versions import aliases_of
from workbench.store import DecisionRow, now

__all__ = ["held_by", "rollback"]

_Decided = TypeVar("_Decided", bound=Decided)


def rollback(
    project: Project, model: str, alias: str = "champion", *, reason: str = ""
) -> Decision:
    """Give the alias back to the version that had it before.

    It needs no gate: that version held the alias on evidence of its own. Rolling back once more
    goes one further back; a promotion after it starts from where it led. If a call was cut short
    before the alias moved, by a kill or a disk that was full, the next one completes that.

    Raises
    ------
    NotFoundError
        If there is no such model, or no version of it has the alias.
    ForbiddenError
        If the person's role doesn't let them move the alias.
    GateRefusedError
        If no version had the alias before, or the one that had can't be loaded any more.
    """
    person = may_move(project, model, alias)
    aliases = aliases_of(project, model)
    if alias not in aliases:
        raise NotFoundError.named("alias", alias, aliases, f" of model {model}")

    def judge(session: Session) -> DecisionRow:
        held = held_by(list_decided(project, model), alias)
        if len(held) < 2:
            who = f"version {held[0].version} is the first that" if held else "no decision says who"
            raise GateRefusedError(f"{model}: {who} has {alias}; there is none to go back to")
        undone, before = held[-1], held[-2]
        if gone := unloadable(project, model, before.version):
            raise GateRefusedError(
                f"{model}: version {before.version} had {alias} before, and {gone[0]}"
            )
        evidence = session.scalars(
            select(DecisionRow.evidence).where(DecisionRow.id == before.id)
        ).one()
        return DecisionRow(
            factory=before.factory,
            model=model,
            alias=alias,
            version=before.version,
            previous=aliases_of(project, model).get(alias),
            outcome="rolled back",
            reason=reason or f"version {undone.version} taken back",
            evidence={
                "digest": evidence.get("digest", ""),
                "undoes": undone.hash,
                "returns_to": before.hash,
            },
            decided_by=person.name,
            role=person.role,
            override=before.override,
            decided_at=now(),
        )

    unfinished = settle(project, model, alias)
    if unfinished is not None and unfinished.outcome == "rolled back":
        return unfinished
    return decide(project, model, alias, judge)


def held_by(decisions: Sequence[_Decided], alias: str) -> list[_Decided]:
    """List the promotions that led to where the alias is, without those that were taken back."""
    held: list[_Decided] = []
    for decision in decisions:
        if decision.alias != alias:
            continue
        if decision.outcome == "promoted":
            held.append(decision)
        elif decision.outcome == "rolled back" and held:
            held.pop()
    return held
