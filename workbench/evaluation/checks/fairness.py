"""WB012: a model that is much better for some than for others."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from workbench.evaluation.bootstrap import interval_of
from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.outcomes import Interval, SliceResult
from workbench.evaluation.wording import between, number, several

__all__ = ["UnequalSlices"]


class UnequalSlices(Check):
    """Between the best and the worst value of a column lies a gap that chance doesn't explain.

    The gap of the best and the worst of several is too large by nature, so it is the lower end of
    its interval that has to be beyond the limit.
    """

    code: ClassVar[str] = "WB012"
    title: ClassVar[str] = "unequal performance across slices"
    advice: ClassVar[str] = (
        "Ask whether the gap is one of the model or of the world: some groups are harder to tell. "
        "Compare base rates, missing features and numbers of training rows of both slices; add "
        "what the worse one lacks. Where people are concerned, decide with them what is acceptable."
    )

    max_gap: float = Field(
        default=0.1,
        gt=0,
        description="largest gap of the metric; of an error of numbers as a share of its mean",
    )

    def look(self, evidence: Evidence) -> Finding:
        """Compare the slices of each column."""
        gaps = [gap for column in _columns(evidence) if (gap := _gap(evidence, column))]
        if not gaps:
            raise NotApplicable("no column was given (`slices`) that has two slices to compare")
        size, interval, best, worst = max(gaps, key=lambda gap: (gap[1].low, gap[0]))
        metric = evidence.options.primary.name
        beyond = interval.low > self.max_gap
        chance = not beyond and interval.low > self.max_gap / 2
        values = {one.name: _value(one, metric) for one in (best, worst)}
        said = " and ".join(f"{number(value)} of {name}" for name, value in values.items())
        return Finding(
            "issue" if beyond else "tip" if chance else "passed",
            f"Of {several(len(gaps), 'column')} the largest gap is that of {best.by}: {metric} "
            f"{said}, a gap of {number(size)} {between(interval)}; the limit is "
            f"{number(self.max_gap)}.",
            {"gap": size, **values},
            interval,
            [worst.name] if beyond or chance else [],
        )


def _columns(evidence: Evidence) -> list[str]:
    """Name the columns that were sliced; conditions overlap, and have no other side."""
    judged = [one.by for one in evidence.slices if one.kind == "column"]
    return list(dict.fromkeys(judged))


def _value(one: SliceResult, metric: str) -> float:
    found = one.metric(metric)
    return np.nan if found is None or found.value is None else found.value


def _gap(
    evidence: Evidence, column: str
) -> tuple[float, Interval, SliceResult, SliceResult] | None:
    metric = evidence.options.primary
    sides = [one for one in evidence.slices if one.by == column and one.kind == "column"]
    known = [one for one in sides if np.isfinite(_value(one, metric.name))]
    if len(known) < 2:
        return None
    ranked = sorted(known, key=lambda one: metric.sign * _value(one, metric.name))
    worst, best = ranked[0], ranked[-1]
    scale = 1.0
    if evidence.task == "regression" and metric.best == "lowest":  # R² is a share already
        scale = float(np.mean([_value(one, metric.name) for one in known])) or 1.0
    drawn = [evidence.slice_replicates[one.name] for one in (best, worst)]
    interval = interval_of(metric.sign * (drawn[0] - drawn[1]) / abs(scale), evidence.options.level)
    size = metric.sign * (_value(best, metric.name) - _value(worst, metric.name)) / abs(scale)
    return None if interval is None else (size, interval, best, worst)
