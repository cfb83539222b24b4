"""What an evaluation says: values with their intervals, and how each check came out.

All of it is frozen and plain data, so that a report can be stored, compared and read years later.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = [
    "OUTCOMES",
    "CheckResult",
    "Comparison",
    "CurvePoint",
    "Interval",
    "MetricValue",
    "Outcome",
    "SliceResult",
    "Task",
    "finite",
]

Task = Literal["binary", "multiclass", "regression"]
"""What is predicted: one of two classes, one of several, or a number."""

Outcome = Literal["passed", "issue", "tip", "not applicable", "skipped"]
"""How a check came out.

`issue` speaks against the model and fails a gate that names the check; `tip` is worth a look;
`not applicable` lacks what it would look at (a training frame, say), and says so; `skipped` could
not be carried out, for the reason that is given.
"""

OUTCOMES: tuple[Outcome, ...] = ("issue", "tip", "skipped", "passed", "not applicable")
"""All outcomes, what wants attention first."""


def finite(value: float | None) -> float | None:
    """Give None for what isn't a number: JSON has no NaN and no infinity."""
    return float(value) if value is not None and math.isfinite(value) else None


def _finite_only(numbers: dict[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in numbers.items() if math.isfinite(value)}


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Interval(_Record):
    """A percentile bootstrap interval (Efron 1979): where the middle `level` of the resamples lie.

    `resamples` are those in which the figure was defined: a resample that drew one class only has
    no ROC AUC, and is left out.
    """

    low: float
    high: float
    level: float
    resamples: int

    def holds(self, value: float) -> bool:
        """Whether `value` lies inside, ends included."""
        return self.low <= value <= self.high


class MetricValue(_Record):
    """A metric on some rows; `value` is None where it isn't defined, as of one class only."""

    name: str
    value: float | None
    interval: Interval | None = None
    higher_is_better: bool | None = None
    """None for what only describes the rows, such as the base rate."""
    baseline: float | None = None
    """The same metric of always predicting the training rows' base rate, shares or mean."""
    train: float | None = None
    """The same metric on the training rows, if there were any."""


class Comparison(_Record):
    """Two predictions of the same rows, by one metric; `difference` is ours minus theirs.

    `advantage` and its `interval` have the sign turned where lower is better, so that positive
    always means that ours is better.
    """

    metric: str
    ours: float
    theirs: float
    difference: float
    advantage: float
    interval: Interval
    """Of the advantage: both were measured in each of the same resamples."""
    rows: int
    groups: int | None = None
    """How many groups were drawn, where groups and not rows were."""

    def not_worse(self, tolerance: float = 0.0, *, certainly: bool = True) -> bool:
        """Whether ours is at most `tolerance` worse (in the metric's unit).

        Parameters
        ----------
        certainly
            The whole interval has to say so, not just the value: then two equal models aren't
            enough, for chance could hide a loss; a tolerance above 0 is what one then grants it.
        """
        found = self.interval.low if certainly else self.advantage
        return found >= -tolerance

    def better(self) -> bool:
        """Whether ours is better and the interval excludes that both are the same."""
        return self.interval.low > 0


class SliceResult(_Record):
    """The metrics of some of the rows.

    `by` is the column or the condition as it was asked for, `name` says which of its rows. A slice
    with too few rows to judge has no metrics, and says so in `note`.
    """

    name: str
    by: str
    kind: Literal["column", "condition"]
    rows: int
    share: float
    metrics: tuple[MetricValue, ...] = ()
    note: str = ""

    def metric(self, name: str) -> MetricValue | None:
        """The metric of that name, if the slice has it."""
        return next((metric for metric in self.metrics if metric.name == name), None)


class CurvePoint(_Record):
    """A point of the reliability curve: rows with about the same prediction, and what came true.

    Of several classes, it is the predicted class's probability and how often it was right.
    """

    predicted: float
    observed: float
    rows: int
    interval: Interval | None = None


class CheckResult(_Record):
    """How one check came out, in words that need no code, and in numbers."""

    code: str
    title: str
    outcome: Outcome
    explanation: str
    """What was found, with its numbers; of a skipped check, why."""
    numbers: Annotated[dict[str, float], AfterValidator(_finite_only)] = Field(default={})
    interval: Interval | None = None
    """Of the figure that decided, where it has one."""
    advice: str = ""
    """What to do about it; empty where there is nothing to do."""
    columns: tuple[str, ...] = ()
    """The columns or slices that are at fault, the worst first."""

    @property
    def failed(self) -> bool:
        """Whether it speaks against the model."""
        return self.outcome == "issue"
