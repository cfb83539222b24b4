"""WB004: a part of the rows on which the model is not good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.metrics import Metric, find_metric
from workbench.evaluation.outcomes import Interval
from workbench.evaluation.wording import between, listed, number

__all__ = ["SliceFloor"]


class SliceFloor(Check):
    """A slice is below the floor: for certain if its whole interval is, else perhaps."""

    code: ClassVar[str] = "WB004"
    title: ClassVar[str] = "slice below floor"
    advice: ClassVar[str] = (
        "Look at the named slices by themselves: fewer training rows, features that are missing "
        "there, or rows that can't be told apart. Add rows or features for them, train a model of "
        "their own, or don't use the model there."
    )

    beyond_chance: bool = Field(
        default=True,
        description="only a slice whose whole interval is below the floor is an issue; "
        "false: its value is enough",
    )

    def look(self, evidence: Evidence) -> Finding:
        """Compare each slice with each floor."""
        floors, slices = evidence.options.floors, evidence.slices
        if not floors or not slices:
            lacking = "floors" if not floors else "slices"
            raise NotApplicable(f"no {lacking} were given (`{lacking}`)")
        below, left = [], [one.name for one in slices if not one.metrics]
        for name, floor in floors.items():
            metric = find_metric(name, evidence.task)
            for one in slices:
                found = one.metric(name)
                if found is not None and found.value is not None:
                    below += self._below(one.name, metric, found.value, found.interval, floor)
                elif one.metrics:
                    left.append(f"{one.name} ({name} is not defined there)")
        if len(left) == len(slices) * len(floors) or not any(one.metrics for one in slices):
            raise NotApplicable(f"none of {len(slices)} slices can be judged: {listed(left)}")
        return _found(sorted(below, key=lambda low: (not low.sure, low.margin)), evidence, left)

    def _below(
        self, name: str, metric: Metric, value: float, interval: Interval | None, floor: float
    ) -> list[_Below]:
        margin = metric.sign * (value - floor)
        if margin >= 0:
            return []
        sure = not self.beyond_chance or _all_below(interval, floor, metric.sign)
        figures = f"{number(value)} {between(interval)}, floor {number(floor)}"
        return [_Below(sure, margin, name, metric.name, value, interval, figures)]


@dataclass(frozen=True)
class _Below:
    sure: bool
    margin: float
    slice: str
    metric: str
    value: float
    interval: Interval | None
    figures: str


def _found(below: Sequence[_Below], evidence: Evidence, left: Sequence[str]) -> Finding:
    few = f" Not judged: {listed(left)}." if left else ""
    if not below:
        floors = evidence.options.floors.items()
        asked = ", ".join(f"{name} {number(floor)}" for name, floor in floors)
        return Finding("passed", f"Every slice that can be judged reaches {asked}.{few}")
    worst = below[0]
    more = f" And {len(below) - 5} more." if len(below) > 5 else ""
    chance = "" if worst.sure else " By their intervals, chance alone could do it."
    said = "; ".join(f"{low.slice}: {low.metric} {low.figures}" for low in below[:5])
    return Finding(
        "issue" if worst.sure else "tip",
        f"{said}.{more}{chance}{few}",
        {f"{low.slice}: {low.metric}": low.value for low in below},
        worst.interval,
        list(dict.fromkeys(low.slice for low in below)),
    )


def _all_below(interval: Interval | None, floor: float, sign: int) -> bool:
    return interval is not None and (interval.high < floor if sign > 0 else interval.low > floor)
