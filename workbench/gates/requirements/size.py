"""GT006: the model's files, all of them."""

from __future__ import annotations

from workbench.gates.question import Question
from workbench.registry import Check

__all__ = ["judge"]


def judge(question: Question) -> list[Check]:
    """Weigh the files, if the policy limits them."""
    most = question.spec.max_size_mb
    if most is None:
        return []
    found = question.scorer.size / 1e6
    return [
        Check(
            code="GT006",
            title="size of the model's files",
            outcome="passed" if found <= most else "failed",
            found=found,
            expected=f"at most {most:g} MB",
        )
    ]
