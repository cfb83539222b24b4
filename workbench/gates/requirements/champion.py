"""GT003: not worse than the champion on the same rows, by a paired bootstrap."""

from __future__ import annotations

from workbench.evaluation import compare
from workbench.gates.question import Question
from workbench.registry import Check

__all__ = ["judge"]


def judge(question: Question) -> list[Check]:
    """Compare with the champion, if there is one."""
    spec, found = question.spec, question.metrics[question.spec.metric]
    title = f"{spec.metric} not worse than the champion's on the same rows"
    theirs = question.champion_scores
    if theirs is None:
        return [
            Check(
                code="GT003",
                title=title,
                outcome="not applicable",
                found=found,
                expected="no champion",
            )
        ]
    compared = compare(spec.metric, question.truth, question.scores, theirs, task=spec.task)
    certainly = spec.champion_by == "interval"
    passed = compared.not_worse(spec.champion_tolerance, certainly=certainly)
    interval = (compared.interval.low, compared.interval.high)
    return [
        Check(
            code="GT003",
            title=title,
            outcome="passed" if passed else "failed",
            found=found,
            expected=f"version {question.champion} has {compared.theirs:.4f}, "
            f"tolerance {spec.champion_tolerance:g}" + (", all of its interval" * certainly),
            interval=interval,
            explanation=f"better by {compared.advantage:+.4f} "
            f"({compared.interval.level:.0%} interval {interval[0]:+.4f} to {interval[1]:+.4f})",
        )
    ]
