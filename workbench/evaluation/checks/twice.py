"""WB007: rows that the model is judged on and was trained on."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import Field

from workbench.evaluation.checks.base import Check, Finding, NotApplicable
from workbench.evaluation.evidence import Evidence
from workbench.evaluation.wording import percent, several

__all__ = ["SeenRows"]

_FEWEST_COLUMNS = 3


class SeenRows(Check):
    """Test rows are among the training rows, by their key or cell by cell.

    Rows of a few columns with few values are alike by nature: as many as are alike among the
    training rows themselves count for nothing.
    """

    code: ClassVar[str] = "WB007"
    of_predictions: ClassVar[bool] = False
    title: ClassVar[str] = "rows in both train and test"
    advice: ClassVar[str] = (
        "Part the rows once, by time or by the digest of their key, before anything else is done "
        "to them; drop duplicates first. Where a key names groups (customers), part whole groups."
    )

    issue_above: float = Field(
        default=0.01, ge=0, lt=1, description="share of the test rows that is an issue"
    )

    def look(self, evidence: Evidence) -> Finding:
        """Look for the test rows among the training rows."""
        train, test = evidence.train_frame, evidence.frame
        if train is None:
            raise NotApplicable("no training rows were given (`train`)")
        key = [name for name in evidence.options.key if name in train.columns]
        if key and len(key) == len(evidence.options.key):
            return self._by_key(train, test, key)
        return self._by_content(evidence, train, test)

    def _by_key(self, train: pl.DataFrame, test: pl.DataFrame, key: list[str]) -> Finding:
        known = train.select(_like(test, key)).unique()
        seen = test.join(known, on=key, how="semi").height
        share = seen / test.height
        groups = test.select(key).is_duplicated().any()
        named = " and ".join(key)
        numbers = {"rows": float(seen), "share": share}
        if not seen:
            return Finding("passed", f"No {named} of a test row is in the training rows.", numbers)
        what = "belong to groups that the model was trained on" if groups else "were trained on"
        return Finding(
            "tip" if groups or share <= self.issue_above else "issue",
            f"{several(seen, 'test row')} ({percent(share)}) {what}, by {named}.",
            numbers,
        )

    def _by_content(self, evidence: Evidence, train: pl.DataFrame, test: pl.DataFrame) -> Finding:
        columns = [name for name in (*evidence.columns, evidence.labels.column) if name in train]
        if len(columns) <= _FEWEST_COLUMNS:
            raise NotApplicable(
                f"rows of {len(columns)} columns can be alike by chance; name a key (`key`)"
            )
        ours, theirs = (_digests(frame, train, columns) for frame in (test, train))
        seen = int(ours.is_in(theirs.unique().implode()).sum())
        share, natural = seen / test.height, float(theirs.is_duplicated().mean() or 0.0)  # type: ignore[arg-type]
        numbers = {"rows": float(seen), "share": share, "alike_in_training": natural}
        beyond = share - natural
        alike = f"; among the training rows themselves {percent(natural)} are alike" if seen else ""
        return Finding(
            "issue" if beyond > self.issue_above else "tip" if seen and beyond > 0 else "passed",
            f"{several(seen, 'test row')} ({percent(share)}) are in the training rows cell by "
            f"cell, by all {len(columns)} columns{alike}.",
            numbers,
        )


def _digests(frame: pl.DataFrame, like: pl.DataFrame, columns: list[str]) -> pl.Series:
    """Hash each row, with every column in the type that it has in training."""
    return frame.select(_like(like, columns)).hash_rows(seed=7)


def _like(frame: pl.DataFrame, columns: list[str]) -> list[pl.Expr]:
    """Give columns the types that they have in `frame`: an Int32 key is the same as an Int64."""
    return [pl.col(name).cast(frame.schema[name], strict=False) for name in columns]
