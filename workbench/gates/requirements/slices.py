"""GT004: no slice worse than its floor."""

from __future__ import annotations

from workbench.gates.question import Question
from workbench.gates.requirements.codes import told
from workbench.registry import Check

__all__ = ["judge"]


def judge(question: Question) -> list[Check]:
    """Judge the slices, if the policy has floors for them."""
    if not question.spec.slice_floors:
        return []
    found = question.evaluation.check("WB004")
    floors = question.spec.slice_floors.items()
    expected = ", ".join(f"{name} {floor:g}" for name, floor in floors)
    return [told(found, "GT004", "no slice below its floor", f"floors: {expected}")]
