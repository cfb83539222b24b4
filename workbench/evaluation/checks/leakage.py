"""WB001: a feature that knows the answer."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import Field

from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.checks.strength import Strength, strength_of
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.metrics import find_metric
from workbench.evaluation.outcomes import Interval
from workbench.evaluation.wording import between, number, several

__all__ = ["Leakage"]

_FEWEST = 100
_MOST = 50_000


class Leakage(Check):
    """One feature alone tells the label too well, is later than the row's moment, or names it."""

    code: ClassVar[str] = "WB001"
    title: ClassVar[str] = "leakage suspect"
    advice: ClassVar[str] = (
        "Ask of each named column when its value becomes known. If that is after the prediction is "
        "made, or it was derived from the label, take it out (or join it as of the prediction's "
        "moment) and train again. A column that names rows belongs into `key`, not into features."
    )

    issue_above: float = Field(
        default=0.995, ge=0.5, le=1, description="ROC AUC or R² of one feature that is an issue"
    )
    tip_above: float = Field(
        default=0.95, ge=0.5, le=1, description="ROC AUC or R² of one feature that is worth a look"
    )

    def look(self, evidence: Evidence) -> Finding:
        """Measure every feature alone, on the test rows."""
        side = evidence.test
        if side.rows < _FEWEST:
            raise NotApplicable(f"{side.rows} rows are too few to tell, expected {_FEWEST}")
        future = _later(evidence)
        found, interval = _strengths(evidence)
        names = _naming(evidence)
        suspects = [one for one in found if one.value >= self.tip_above]
        certain = [one for one in suspects if one.value >= self.issue_above]
        said = [
            f"{several(count, 'row')} have a {name} after {evidence.options.time}"
            for name, count in future.items()
        ]
        said += [
            f"{one.column} alone reaches {_measure(evidence)} {number(one.value)}"
            for one in suspects
        ]
        said += [f"{name} is another one in nearly every row: it names rows" for name in names]
        if not said:
            said = [_calm(found, interval, evidence)]
        columns = dict.fromkeys([*future, *(one.column for one in suspects), *names])
        return Finding(
            "issue" if certain or future else "tip" if columns else "passed",
            f"{'; '.join(said[:6])}.",
            {one.column: one.value for one in found[:5]},
            interval,
            list(columns),
        )


def _calm(found: list[Strength], interval: Interval | None, evidence: Evidence) -> str:
    if not found:
        return "No feature can be measured alone"
    return (
        f"No feature tells the label alone: the strongest, {found[0].column}, reaches "
        f"{_measure(evidence)} {number(found[0].value)} {between(interval)}"
    )


def _measure(evidence: Evidence) -> str:
    return "R²" if evidence.task == "regression" else "ROC AUC"


def _strengths(evidence: Evidence) -> tuple[list[Strength], Interval | None]:
    """Measure each feature, strongest first, and how sure the strongest one's figure is."""
    rows = pl.Series(range(evidence.test.rows)).to_frame("row")
    kept = evidence.sample(rows, _MOST).to_series().to_numpy()
    labels = evidence.test.labels[kept]
    classes, seed = len(evidence.labels.classes), evidence.options.seed
    frame = evidence.test.frame[kept] if kept.size < evidence.test.rows else evidence.test.frame
    measured = (
        strength_of(frame[name], labels, evidence.task, classes, seed) for name in evidence.columns
    )
    found = sorted((one for one in measured if one), key=lambda one: (-one.value, one.column))
    if not found:
        return [], None
    metric = find_metric("r2" if evidence.task == "regression" else "roc_auc", evidence.task)
    resampler = evidence.options.resampler(labels.size, "leakage")
    statistic = metric.prepare(labels, found[0].predictions)
    return found, resampler.interval(resampler.replicates({"": statistic})[""])


def _later(evidence: Evidence) -> dict[str, int]:
    """Count, for each feature that is a time, the rows in which it lies after the row's moment."""
    time, frame = evidence.options.time, evidence.test.frame
    if time is None or (kind := _moment(frame.schema[time])) is None:
        return {}
    asked = frame[time].dt.epoch("us")  # whatever their units and zones, and dates too
    names = [n for n in evidence.columns if n != time and _moment(frame.schema[n]) == kind]
    counts = {name: int((frame[name].dt.epoch("us") > asked).sum()) for name in names}
    return {name: count for name, count in counts.items() if count}


def _moment(dtype: pl.DataType) -> str | None:
    """Tell moments of the world's from those of a clock on a wall; None of what is neither."""
    if not isinstance(dtype, (pl.Datetime, pl.Date)):
        return None
    return "clock" if getattr(dtype, "time_zone", None) is None else "world"


def _naming(evidence: Evidence) -> list[str]:
    """Find features that are words or whole numbers, another one in each row, or the key."""
    frame, found = evidence.test.frame, []
    for name in evidence.columns:
        dtype = frame.schema[name]
        names = dtype.is_integer() or dtype in (pl.String, pl.Categorical, pl.Enum)
        if name in evidence.options.key or (names and _all_different(frame[name])):
            found.append(name)
    return found


def _all_different(series: pl.Series) -> bool:
    known = series.drop_nulls()
    # A measurement in whole numbers repeats itself sooner or later; a name doesn't.
    return len(known) >= _FEWEST and known.n_unique() >= 0.999 * len(known)
