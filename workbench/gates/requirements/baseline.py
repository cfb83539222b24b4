"""GT002: better than always predicting the training data's base rate."""

from __future__ import annotations

from workbench.gates.question import Question
from workbench.gates.spec import LOWER_IS_BETTER
from workbench.registry import Check

__all__ = ["judge"]


def judge(question: Question) -> list[Check]:
    """Judge each metric that has to beat the baseline."""
    return [_judged(question, name) for name in question.spec.beat_baseline]


def _judged(question: Question, name: str) -> Check:
    found, theirs = question.metrics[name], question.baseline[name]
    better = found < theirs if name in LOWER_IS_BETTER else found > theirs
    return Check(
        code="GT002",
        title=f"{name} better than the base rate's",
        outcome="passed" if better else "failed",
        found=found,
        expected=f"better than {theirs:.4f}",
    )
