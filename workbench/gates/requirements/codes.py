"""GT005: evaluation checks, by their codes, that must find nothing."""

from __future__ import annotations

from workbench.evaluation import CheckResult
from workbench.gates.question import Question
from workbench.registry import Check

__all__ = ["judge", "told"]


def judge(question: Question) -> list[Check]:
    """Read the checks that the policy names off the evaluation."""
    return [
        told(question.evaluation.check(code), "GT005", "", "no issue")
        for code in question.spec.checks
    ]


def told(found: CheckResult, code: str, title: str, expected: str) -> Check:
    """Say as a check of the gate what a check of the evaluation found.

    One that could not be carried out, or had nothing to look at, fails: the policy asked, and a
    gate that doesn't know doesn't open.
    """
    return Check(
        code=code,
        title=title or f"{found.code} {found.title}",
        outcome="passed" if found.outcome in ("passed", "tip") else "failed",
        found=None,
        expected=expected,
        interval=(found.interval.low, found.interval.high) if found.interval else None,
        explanation=found.explanation,
        details=[dict(found.numbers)] if found.numbers else [],
    )
