"""WB011: features that are not what they were in training."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import Field

from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.outcomes import Outcome
from workbench.evaluation.wording import percent, several

__all__ = ["ChangedSchema"]


class ChangedSchema(Check):
    """A feature is empty, constant, of another kind or of unknown words in the test rows."""

    code: ClassVar[str] = "WB011"
    of_predictions: ClassVar[bool] = False
    title: ClassVar[str] = "features changed since training"
    advice: ClassVar[str] = (
        "Find what changed in the source or in the feature's code; a contract on the source "
        "(`wb.data.guard`) stops the next such change before it reaches a model. If the change is "
        "here to stay, train again on rows that have it."
    )

    more_missing: float = Field(
        default=0.2, gt=0, le=1, description="rise of a feature's missing share that is a tip"
    )
    unknown_words: float = Field(
        default=0.01, ge=0, le=1, description="share of rows with words unseen in training: a tip"
    )

    def look(self, evidence: Evidence) -> Finding:
        """Compare each feature with training."""
        train, test = evidence.train_frame, evidence.frame
        if train is None:
            raise NotApplicable("no training rows were given (`train`)")
        found: list[tuple[Outcome, str, str]] = []
        for name in evidence.columns:
            if name not in train.columns:
                found.append(("issue", name, f"{name} is no column of the training rows"))
            elif change := self._changed(train[name], test[name]):
                found.append((change[0], name, f"{name} {change[1]}"))
        found.sort(key=lambda one: one[0])  # "issue" comes before "tip"
        numbers = {"features": float(len(evidence.columns)), "changed": float(len(found))}
        if not found:
            count = several(len(evidence.columns), "feature")
            return Finding("passed", f"All {count} are of the kind they were in training.", numbers)
        more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
        said = f"{'; '.join(words for *_, words in found[:5])}{more}."
        return Finding(found[0][0], said, numbers, None, [name for _, name, _ in found])

    def _changed(self, before: pl.Series, now: pl.Series) -> tuple[Outcome, str] | None:
        if _kind(before.dtype) != _kind(now.dtype) and now.dtype != pl.Null:
            return "issue", f"was {before.dtype} and is {now.dtype}"
        missed, misses = _missing(before), _missing(now)
        if misses == 1 > missed:
            return "issue", f"is missing in every row; in training in {percent(missed)}"
        if now.drop_nulls().n_unique() == 1 < before.drop_nulls().n_unique() and len(now) > 1:
            return "issue", "has the same value in every row, and had several in training"
        if misses - missed > self.more_missing:
            return (
                "tip",
                f"is missing in {percent(misses)} of rows, in training in {percent(missed)}",
            )
        if _kind(now.dtype) == "words" and (share := _unknown(before, now)) > self.unknown_words:
            return "tip", f"has words unseen in training in {percent(share)} of rows"
        return None


def _kind(dtype: pl.DataType) -> str:
    if dtype.is_numeric() or dtype == pl.Boolean:
        return "numbers"
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return "words"
    return "times" if dtype.is_temporal() else str(dtype)


def _missing(series: pl.Series) -> float:
    missing = series.is_null()
    if series.dtype.is_float():
        missing = missing | series.is_nan().fill_null(value=False)
    return int(missing.sum()) / max(len(series), 1)


def _unknown(before: pl.Series, now: pl.Series) -> float:
    known = before.cast(pl.String).unique().drop_nulls()
    words = now.cast(pl.String).drop_nulls()
    strange = len(words) - int(words.is_in(known.implode()).sum())
    return strange / max(len(now), 1)
