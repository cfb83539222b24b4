"""The report of an evaluation: a record that is stored, and a page that is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict

from workbench.errors import NotFoundError
from workbench.evaluation.outcomes import (
    OUTCOMES,
    CheckResult,
    CurvePoint,
    MetricValue,
    Outcome,
    SliceResult,
    Task,
)
from workbench.store import write_atomic

__all__ = ["EvaluationReport"]

_Kept = TypeVar("_Kept")


class EvaluationReport(BaseModel):
    """What was found of one model on some rows.

    Frozen; JSON by `model_dump_json` and back by `model_validate_json`, exact both ways. The same
    model, rows, options and seed give the same report, and so the same `digest`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    """What was evaluated, in words: `flights-late version 3`, or the estimator's class."""
    task: Task
    label: str
    positive: str | None = None
    """The class that counts as positive, of a binary task."""
    classes: tuple[str, ...] = ()
    rows: int
    """Rows with a label and a prediction: those that all figures are of."""
    unlabelled: int = 0
    """Rows left out because their label is missing."""
    unpredicted: int = 0
    """Rows left out because the model gave them no finite number."""
    train_rows: int | None = None
    columns: tuple[str, ...]
    """The features, in the model's order."""
    dataset: str
    """The digest of the frame's content (`wb.data.frame_digest`), all of its columns."""
    time: str | None = None
    key: tuple[str, ...] = ()
    groups: int | None = None
    """How many groups the bootstrap drew; None if it drew rows."""
    level: float
    resamples: int
    seed: int
    primary: str
    """The metric that slices and checks go by: the first that was asked for."""
    metrics: tuple[MetricValue, ...]
    slices: tuple[SliceResult, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    reliability: tuple[CurvePoint, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A digest of the whole report: 64 hexadecimal digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def outcome(self) -> Outcome:
        """The gravest outcome of the checks; `not applicable` if there were none."""
        found = {check.outcome for check in self.checks}
        return next((outcome for outcome in OUTCOMES if outcome in found), "not applicable")

    @property
    def issues(self) -> tuple[CheckResult, ...]:
        """The checks that speak against the model."""
        return tuple(check for check in self.checks if check.failed)

    def metric(self, name: str) -> MetricValue:
        """Return a metric.

        Raises
        ------
        NotFoundError
            If it wasn't computed; the message has those that were.
        """
        return _named("metric", name, {metric.name: metric for metric in self.metrics})

    def check(self, code: str) -> CheckResult:
        """Return the result of a check.

        Raises
        ------
        NotFoundError
            If it wasn't made; the message has those that were.
        """
        return _named("check", code, {check.code: check for check in self.checks})

    def slice(self, name: str) -> SliceResult:
        """Return a slice.

        Raises
        ------
        NotFoundError
            If there is none of that name; the message has those that there are.
        """
        return _named("slice", name, {found.name: found for found in self.slices})

    def frame(self) -> pl.DataFrame:
        """Return the metrics of all rows and of each slice, one row for each."""
        parts = [("all", self.rows, self.metrics)]
        parts += [(found.name, found.rows, found.metrics) for found in self.slices]
        return pl.DataFrame(
            [
                (
                    name,
                    rows,
                    one.name,
                    one.value,
                    one.interval and one.interval.low,
                    one.interval and one.interval.high,
                )
                for name, rows, metrics in parts
                for one in metrics
            ],
            schema={
                "slice": pl.String,
                "rows": pl.Int64,
                "metric": pl.String,
                "value": pl.Float64,
                "low": pl.Float64,
                "high": pl.Float64,
            },
            orient="row",
        )

    def html(self) -> str:
        """Return the report as one page that needs nothing else: no script, file or network."""
        from workbench.evaluation.page import page

        return page(self)

    def to_html(self, path: Path | str) -> Path:
        """Write the page and return where it is."""
        with write_atomic(Path(path)) as beside:
            beside.write_text(self.html(), encoding="utf-8")
        return Path(path)

    def text(self) -> str:
        """Return the report in a few lines of text, for a terminal or a log."""
        from workbench.evaluation.telling import text

        return text(self)

    def __repr__(self) -> str:
        return f"<EvaluationReport of {self.model} on {self.rows:,} rows: {self.outcome}>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from workbench.evaluation.page import fragment

        return fragment(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Show the page where there is HTML, and the lines where there is only text."""
        return {"text/html": self._repr_html_(), "text/plain": self.text()}


def _named(kind: str, name: str, known: Mapping[str, _Kept]) -> _Kept:
    if name not in known:
        raise NotFoundError.named(kind, name, known)
    return known[name]
