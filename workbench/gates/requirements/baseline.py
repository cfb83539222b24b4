"""GT002: better than always predicting what the training data have on average."""

from __future__ import annotations

from workbench.evaluation import find_metric
from workbench.gates.question import Question
from workbench.registry import Check

__all__ = ["judge"]

_WORDS = {"binary": "base rate", "multiclass": "base rate", "regression": "mean"}


def judge(question: Question) -> list[Check]:
    """Judge each metric that has to beat the baseline."""
    return [_judged(question, name) for name in question.spec.beat_baseline]


def _judged(question: Question, name: str) -> Check:
    found, theirs = question.metrics.get(name), question.baseline.get(name)
    sign = find_metric(name, question.spec.task).sign
    if found is None or theirs is None:
        better, why = False, f"{name} is not defined on these rows"
    else:
        better, why = sign * (found - theirs) > 0, ""
    return Check(
        code="GT002",
        title=f"{name} better than the {_WORDS[question.spec.task]}'s",
        outcome="passed" if better else "failed",
        found=found,
        expected=f"better than {theirs:.4f}" if theirs is not None else "a value to beat",
        explanation=why,
    )
