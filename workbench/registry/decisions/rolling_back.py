"""Going back to the champion before, in one action."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from workbench.errors import GateRefusedError
from workbench.lineage import link
from workbench.project import Project
from workbench.registry.decisions.chain import Decision
from workbench.registry.decisions.log import decide, list_decisions
from workbench.registry.decisions.promoting import may_move
from workbench.registry.versions import get_model
from workbench.store import DecisionRow, now

__all__ = ["held_by", "rollback"]


def rollback(
    project: Project, model: str, alias: str = "champion", *, reason: str = ""
) -> Decision:
    """Give the alias back to the version that had it before.

    It needs no gate: that version held the alias on evidence of its own. Rolling back once more
    goes one further back; a promotion after it starts from where it led.

    Raises
    ------
    NotFoundError
        If there is no such model.
    ForbiddenError
        If the person's role doesn't let them move the alias.
    GateRefusedError
        If no version had the alias before.
    """
    person = may_move(project, model, alias)
    get_model(project, model)

    def judge(session: Session) -> DecisionRow:
        held = held_by(list_decisions(project, model), alias)
        if len(held) < 2:
            who = f"version {held[0].version} is the first that" if held else "no version ever"
            raise GateRefusedError(f"{model}: {who} has {alias}; there is none to go back to")
        undone, before = held[-1], held[-2]
        return DecisionRow(
            factory=before.factory,
            model=model,
            alias=alias,
            version=before.version,
            previous=get_model(project, model).aliases.get(alias),
            outcome="rolled back",
            reason=reason or f"version {undone.version} taken back",
            evidence={
                "digest": before.evidence.get("digest", ""),
                "undoes": undone.hash,
                "returns_to": before.hash,
            },
            decided_by=person.name,
            role=person.role,
            override=before.override,
            decided_at=now(),
        )

    decision = decide(project, model, alias, judge)
    node = f"model:{model}/{decision.version}"
    link(project, [node], f"decision:{decision.id}", "rolled back")
    return decision


def held_by(decisions: Sequence[Decision], alias: str) -> list[Decision]:
    """List the promotions that led to where the alias is, without those that were taken back."""
    held: list[Decision] = []
    for decision in decisions:
        if decision.alias != alias:
            continue
        if decision.outcome == "promoted":
            held.append(decision)
        elif decision.outcome == "rolled back" and held:
            held.pop()
    return held
