"""GT001: a metric, or all of its interval, within its bounds."""

from __future__ import annotations

from workbench.gates.question import Question
from workbench.gates.spec import Threshold
from workbench.registry import Check

__all__ = ["judge"]


def judge(question: Question) -> list[Check]:
    """Judge each metric that has bounds."""
    return [_judged(question, name, bound) for name, bound in question.spec.thresholds.items()]


def _judged(question: Question, name: str, bound: Threshold) -> Check:
    found, interval = question.metrics.get(name), None
    if bound.interval and (whole := question.evaluation.metric(name).interval):
        interval = (whole.low, whole.high)
    ends = interval if bound.interval or found is None else (found, found)
    passed = ends is not None and _within(*ends, bound)
    return Check(
        code="GT001",
        title=f"{name} within its bounds",
        outcome="passed" if passed else "failed",
        found=found,
        expected=_words(bound),
        interval=interval,
    )


def _within(low: float, high: float, bound: Threshold) -> bool:
    above = bound.min is None or low >= bound.min
    return above and (bound.max is None or high <= bound.max)


def _words(bound: Threshold) -> str:
    wanted = [f"at least {bound.min:g}"] if bound.min is not None else []
    wanted += [f"at most {bound.max:g}"] if bound.max is not None else []
    whole = ", all of its interval" if bound.interval else ""
    return " and ".join(wanted) + whole
