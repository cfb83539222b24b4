"""WB003: training rows that are not before the test rows."""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.wording import percent, several

__all__ = ["TimeOverlap"]


class TimeOverlap(Check):
    """A model is judged on the past, or on days it was trained on."""

    code: ClassVar[str] = "WB003"
    of_predictions: ClassVar[bool] = False
    title: ClassVar[str] = "time overlap of train and test"
    advice: ClassVar[str] = (
        "Part the rows by time: train on what lies before a moment, judge on what lies after it, "
        "and leave a gap as long as a label takes to become known."
    )

    tolerance: float = Field(
        default=0.0, ge=0, lt=1, description="share of the training rows that may be as late"
    )

    def look(self, evidence: Evidence) -> Finding:
        """Compare the moments of training and test rows."""
        train, test = _times(evidence)
        first, last, end = test.min(), test.max(), train.max()
        late = int((train >= first).sum())
        early = int((test <= end).sum())
        numbers = {
            "late_training_rows": float(late),
            "late_training_share": late / len(train),
            "early_test_rows": float(early),
            "early_test_share": early / len(test),
        }
        spans = f"training rows {_span(train)}, test rows {_span(test)}"
        if late == 0:
            return Finding(
                "passed", f"Every training row is before every test row: {spans}.", numbers
            )
        if train.min() > last:  # type: ignore[operator]
            said = f"All training rows are after the test rows: it is judged on the past; {spans}."
            return Finding("issue", said, numbers)
        share = late / len(train)
        return Finding(
            "issue" if share > self.tolerance else "tip",
            f"{several(late, 'training row')} ({percent(share)}) are not before the first test "
            f"row, and {several(early, 'test row')} ({percent(early / len(test))}) not after the "
            f"last training row: {spans}.",
            numbers,
        )


def _times(evidence: Evidence) -> tuple[pl.Series, pl.Series]:
    time, train = evidence.options.time, evidence.train_frame
    if train is None:
        raise NotApplicable("no training rows were given (`train`)")
    if time is None:
        raise NotApplicable("no column of moments was named (`time`)")
    if time not in train.columns:
        raise NotApplicable(f"the training rows have no column {time}")
    test = evidence.frame[time]
    if (train.schema[time].is_temporal(), test.dtype.is_temporal()) == (True, True) or (
        train.schema[time].is_numeric() and test.dtype.is_numeric()
    ):
        sides = train[time].drop_nulls(), test.drop_nulls()
    else:
        kinds = f"{train.schema[time]} and {test.dtype}"
        raise NotApplicable(f"{time} has no order that both sides share: it is {kinds}")
    if not (len(sides[0]) and len(sides[1])):
        raise NotApplicable(f"{time} is missing in all rows of a side")
    return sides


def _span(times: pl.Series) -> str:
    return f"{_moment(times.min())} to {_moment(times.max())}"


def _moment(value: Any) -> str:
    return value.isoformat(" ", "minutes") if hasattr(value, "hour") else str(value)
