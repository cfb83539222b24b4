"""One window judged: what came in, what was predicted, and what turned out to be true.

`evaluate` is a pure function: the same inputs give the same result, in a test, in a notebook or in
a job. What the result leaves behind is in `workbench.monitoring.records`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import DataError, NotFoundError
from workbench.monitoring.drift import ColumnDrift, drift
from workbench.monitoring.performance import (
    ReliabilityBin,
    Z,
    figures,
    reliability,
    standard_errors,
)
from workbench.monitoring.profile import Profile, count
from workbench.monitoring.spec import FindingKind, MonitorSpec

__all__ = [
    "PREDICTION",
    "Finding",
    "MonitorInputs",
    "WindowResult",
    "WindowStatus",
    "day_of",
    "evaluate",
]

PREDICTION = "prediction"
"""The column of scored rows, and of the reference, that holds the probability."""

WindowStatus = Literal["ok", "warning", "alert", "insufficient"]

_GRAVITY: tuple[str, ...] = get_args(FindingKind)


class Finding(BaseModel):
    """One figure beyond its threshold. `value` and `threshold` are in the unit of `metric`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FindingKind
    column: str | None = Field(description="the column it is about; None for performance")
    metric: str
    value: float
    threshold: float = Field(description="the last value that would have been accepted")
    message: str


@dataclass(frozen=True)
class MonitorInputs:
    """All that the judgement of one window depends on.

    `scored` holds the window's rows and no others: `key`, the features and `prediction`.
    `labels` holds `key`, `label` (Boolean) and `known_at` (aware time); what became known after
    `as_of` is not used. `reference` has the features as the model was trained on and, as column
    `prediction`, its predictions then. `expected` are the metrics it was promoted with; `roc_auc`
    and `brier` are judged.
    """

    monitor: str
    model: str
    version: str
    spec: MonitorSpec
    reference: Profile
    expected: Mapping[str, float]
    scored: pl.DataFrame
    labels: pl.DataFrame
    key: str
    window_start: datetime
    window_end: datetime
    as_of: datetime

    def __post_init__(self) -> None:
        """Refuse inputs on which something would silently go unwatched."""
        for name, columns in (
            ("scored", {self.key: None, PREDICTION: None}),
            ("labels", {self.key: None, "label": pl.Boolean, "known_at": pl.Datetime}),
        ):
            _check_columns(name, getattr(self, name), columns)
        if (ours := self.scored.schema[self.key]) != (theirs := self.labels.schema[self.key]):
            raise DataError(f"{self.key} is {ours} in scored and {theirs} in labels")
        if self.reference.rows == 0:
            raise DataError(f"{self.monitor}: the reference has no rows to compare with")
        if missing := {"roc_auc", "brier"} - set(self.expected):
            raise DataError(f"expected metrics lack {', '.join(sorted(missing))}")
        for column in self.spec.ignore:
            if column not in self.reference.columns:
                raise NotFoundError.named("column", column, self.reference.columns, " in `ignore`")
        if not all(t.tzinfo for t in (self.window_start, self.window_end, self.as_of)):
            raise DataError("window_start, window_end and as_of need a time zone")


@dataclass(frozen=True)
class WindowResult:
    """What was found in one window.

    `status`, `findings` and `metrics` are kept by `record`; the rest is for charts.
    `metrics` is JSON: rows, labelled, labelled_share, as_of, prediction_mean, the performance
    figures with standard_errors, expected and thresholds, and by column psi, jensen_shannon and
    missing. None is "undefined", never zero.
    """

    monitor: str
    model: str
    version: str
    owner: str
    window_start: datetime
    window_end: datetime
    status: WindowStatus
    findings: tuple[Finding, ...]
    metrics: Mapping[str, Any]
    spec: MonitorSpec
    reference: Profile = field(repr=False)
    current: Profile = field(repr=False)
    drift: tuple[ColumnDrift, ...] = field(repr=False)
    reliability: tuple[ReliabilityBin, ...] = field(repr=False)

    @property
    def table(self) -> pl.DataFrame:
        """The findings as a frame with the fields of `Finding` as columns, gravest first."""
        numbers = ("value", "threshold")
        schema = {f: pl.Float64 if f in numbers else pl.String for f in Finding.model_fields}
        return pl.DataFrame([f.model_dump() for f in self.findings], schema=schema)


def evaluate(inputs: MonitorInputs) -> WindowResult:
    """Judge one window: drift and missing values against the reference, performance by labels.

    Below `min_rows` rows all is measured and nothing judged ("insufficient"). Performance is judged
    on at least `min_rows` labelled rows that are at least `min_labelled` of all, and counts as
    worse only if it is so by the threshold and by more than chance (1.96 standard errors).

    Raises
    ------
    DataError
        If a feature of the reference is neither numeric nor Boolean in the scored rows, or a key
        was scored twice.
    """
    current = count(inputs.scored, inputs.reference)
    drifted = drift(inputs.reference, current)
    known = _labelled(inputs)
    labels = known["label"].to_numpy().astype(bool)
    scores = known[PREDICTION].cast(pl.Float64).to_numpy()
    metrics = _performance(labels, scores) | _measures(inputs, drifted, known.height)
    findings = _ranked(_findings(inputs, drifted, metrics))
    return WindowResult(
        monitor=inputs.monitor,
        model=inputs.model,
        version=inputs.version,
        owner=inputs.spec.owner,
        window_start=inputs.window_start,
        window_end=inputs.window_end,
        status=_status(inputs, findings),
        findings=findings,
        metrics=metrics,
        spec=inputs.spec,
        reference=inputs.reference,
        current=current,
        drift=drifted,
        reliability=reliability(labels, scores),
    )


def day_of(midnight: datetime) -> date:
    """Give the day that begins at `midnight` of some zone up to twelve hours from UTC.

    A window from 1 July in Paris starts on 30 June in UTC; people call it by the former.
    """
    return (midnight + timedelta(hours=12)).date()


def _check_columns(name: str, frame: pl.DataFrame, columns: Mapping[str, Any]) -> None:
    for column, dtype in columns.items():
        if column not in frame:
            raise NotFoundError.named("column", column, frame.columns, f" of {name}")
        found = frame.schema[column]
        if dtype is not None and found != dtype:
            raise DataError(f"{name}: column {column!r} has to be {dtype}, it is {found}")
        if isinstance(found, pl.Datetime) and dtype is not None and found.time_zone is None:
            raise DataError(f"{name}: column {column!r} needs a time zone")


def _labelled(inputs: MonitorInputs) -> pl.DataFrame:
    """Join the scored rows that have a prediction with the label known last by `as_of`."""
    if inputs.scored[inputs.key].is_duplicated().any():
        raise DataError(f"scored rows repeat a {inputs.key}: each prediction would count twice")
    labels = (
        inputs.labels.filter(pl.col("known_at") <= inputs.as_of, pl.col("label").is_not_null())
        .sort("known_at", maintain_order=True)
        .unique(inputs.key, keep="last", maintain_order=True)
    )
    scored = inputs.scored.select(inputs.key, pl.col(PREDICTION).cast(pl.Float64))
    return scored.filter(pl.col(PREDICTION).is_finite()).join(
        labels.select(inputs.key, "label"), on=inputs.key, how="inner", maintain_order="left"
    )


def _performance(labels: Any, scores: Any) -> dict[str, Any]:
    found = figures(labels, scores)
    auc = found["roc_auc"]
    errors = standard_errors(labels, scores, auc) if auc is not None else None
    return {**found, "standard_errors": errors}


def _measures(
    inputs: MonitorInputs, drifted: Iterable[ColumnDrift], labelled: int
) -> dict[str, Any]:
    rows = inputs.scored.height
    predictions = inputs.scored[PREDICTION].cast(pl.Float64)
    mean = predictions.filter(predictions.is_finite()).mean()
    return {
        "rows": rows,
        "labelled": labelled,
        "labelled_share": labelled / rows if rows else None,
        "as_of": inputs.as_of.isoformat(),
        "prediction_mean": mean,
        "expected": dict(inputs.expected),
        "thresholds": inputs.spec.model_dump(exclude={"notebook", "owner"}),
        "psi": {d.column: d.psi for d in drifted},
        "jensen_shannon": {d.column: d.jensen_shannon for d in drifted},
        "missing": {d.column: d.missing for d in drifted},
    }


def _status(inputs: MonitorInputs, findings: tuple[Finding, ...]) -> WindowStatus:
    if inputs.scored.height < inputs.spec.min_rows:
        return "insufficient"
    if any(finding.kind in inputs.spec.alert_on for finding in findings):
        return "alert"
    return "warning" if findings else "ok"


def _findings(
    inputs: MonitorInputs, drifted: Iterable[ColumnDrift], metrics: Mapping[str, Any]
) -> Iterator[Finding]:
    if inputs.scored.height < inputs.spec.min_rows:
        return
    yield from _performance_findings(inputs, metrics)
    for column in drifted:
        if column.column not in inputs.spec.ignore:
            yield from _missing_findings(inputs.spec, column)
            yield from _drift_findings(inputs.spec, column)


def _ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Order by gravity of the kind, then by how far beyond the threshold."""

    def rank(finding: Finding) -> tuple[int, float]:
        beyond = 0.0 if finding.kind == "performance" else finding.value / finding.threshold
        return _GRAVITY.index(finding.kind), -beyond

    return tuple(sorted(findings, key=rank))


def _performance_findings(inputs: MonitorInputs, metrics: Mapping[str, Any]) -> Iterator[Finding]:
    spec, errors = inputs.spec, metrics["standard_errors"]
    enough = metrics["labelled"] >= spec.min_rows and metrics["labelled_share"] >= spec.min_labelled
    if not enough or errors is None:
        return
    auc, expected = metrics["roc_auc"], inputs.expected["roc_auc"]
    lowest = expected - max(spec.roc_auc_drop, Z * errors["roc_auc"])
    if auc < lowest:
        yield Finding(
            kind="performance",
            column=None,
            metric="roc_auc",
            value=auc,
            threshold=lowest,
            message=f"ROC AUC fell to {auc:.3f}: {expected:.3f} at promotion, {lowest:.3f} allowed",
        )
    brier, expected = metrics["brier"], inputs.expected["brier"]
    highest = expected + max(spec.brier_increase * expected, Z * errors["brier"])
    if brier > highest:
        yield Finding(
            kind="performance",
            column=None,
            metric="brier",
            value=brier,
            threshold=highest,
            message=f"Brier score rose to {brier:.3f}: {expected:.3f} at promotion, "
            f"{highest:.3f} allowed",
        )


def _missing_findings(spec: MonitorSpec, column: ColumnDrift) -> Iterator[Finding]:
    before, now = column.missing_reference, column.missing
    if before is None or now is None or now - before <= spec.missing_increase:
        return
    yield Finding(
        kind="missing",
        column=column.column,
        metric="missing_share",
        value=now,
        threshold=before + spec.missing_increase,
        message=f"{column.column} is missing in {now:.1%} of the rows: {before:.1%} in the "
        f"reference, {before + spec.missing_increase:.1%} allowed",
    )


def _drift_findings(spec: MonitorSpec, column: ColumnDrift) -> Iterator[Finding]:
    predicted = column.column == PREDICTION
    allowed = spec.prediction_psi if predicted else spec.psi
    # A column that is missing almost everywhere is reported as missing, not as drifted.
    if column.psi is None or column.psi <= allowed or column.finite < spec.min_rows:
        return
    what = "the predictions have" if predicted else f"{column.column} has"
    yield Finding(
        kind="prediction_drift" if predicted else "feature_drift",
        column=column.column,
        metric="psi",
        value=column.psi,
        threshold=allowed,
        message=f"{what} moved: PSI {column.psi:.2f} over {column.finite:,} values, "
        f"{allowed:.2f} allowed",
    )
