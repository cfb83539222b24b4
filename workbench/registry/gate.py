"""The gate: what a version must show before it may take an alias.

Its checks have stable codes and closed outcomes. What it found is written down with a digest and
never changed: a promotion names it as its evidence.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from workbench.data import frame_digest
from workbench.errors import ConfigError
from workbench.project import Project
from workbench.registry.evaluation import binary_metrics
from workbench.registry.scorer import Scorer
from workbench.store import GateRow, database, now
from workbench.tracking import client

__all__ = ["LOWER_IS_BETTER", "Check", "GateReport", "GateSpec", "Threshold", "evaluate_gate"]

LOWER_IS_BETTER = {"brier", "log_loss"}

Outcome = Literal["passed", "failed", "not applicable"]


class Threshold(BaseModel):
    """Bounds of a metric, both inclusive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: float | None = None
    max: float | None = None


class GateSpec(BaseModel):
    """The policy, as it stands in the factory file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Literal["roc_auc", "average_precision", "brier", "log_loss"] = Field(
        default="roc_auc", description="what the best of several versions is best at"
    )
    thresholds: dict[str, Threshold] = Field(default={}, description="bounds by metric")
    beat_baseline: list[str] = Field(
        default=["brier", "log_loss"],
        description="metrics better than always predicting the training data's base rate",
    )
    champion_tolerance: float = Field(
        default=0.0, ge=0, description="how much worse than the champion it may be, in `metric`"
    )

    @property
    def digest(self) -> str:
        """A digest of the policy: evidence counts for the policy it was made under."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class Check(BaseModel):
    """One check of the gate."""

    model_config = ConfigDict(frozen=True)

    code: str
    title: str
    outcome: Outcome
    found: float | None
    expected: str


class GateReport(BaseModel):
    """What the gate found of one version, on which rows, under which policy."""

    model_config = ConfigDict(frozen=True)

    factory: str
    model: str
    version: str
    outcome: Literal["passed", "failed"]
    checks: list[Check]
    metrics: dict[str, float]
    baseline: dict[str, float]
    champion: dict[str, float] | None
    champion_version: str | None
    window: str
    rows: int
    dataset: str
    policy: str

    @property
    def digest(self) -> str:
        """A digest of the whole report."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def evaluate_gate(
    project: Project,
    spec: GateSpec,
    *,
    factory: str,
    model: str,
    version: str,
    rows: pl.DataFrame,
    label: str,
    window: str,
    baseline_rate: float,
    champion: str | None,
) -> GateReport:
    """Put a version through the gate and store what was found.

    The metrics are computed here, from the stored model on `rows`; what a notebook logged of
    itself doesn't count. The same question gets the answer that is stored.

    Parameters
    ----------
    rows
        Labelled rows with the feature columns of the model's signature and the column `label`.
    baseline_rate
        The share of positives in the training data, which the baseline always predicts.
    champion
        The version that holds the alias now, judged on the same rows; None if there is none.
    """
    dataset = frame_digest(rows)
    for known in _stored(project, spec, model, version):
        if known.dataset == dataset and known.champion_version == champion:
            return known
    truth = rows[label].to_numpy()
    metrics = binary_metrics(truth, Scorer.load(project, model, version).score(rows))
    baseline = binary_metrics(truth, [baseline_rate] * len(truth))
    best = (
        binary_metrics(truth, Scorer.load(project, model, champion).score(rows))
        if champion
        else None
    )
    checks = [
        *_threshold_checks(spec, metrics),
        *_baseline_checks(spec, metrics, baseline),
        _champion_check(spec, metrics, best, champion),
    ]
    report = GateReport(
        factory=factory,
        model=model,
        version=version,
        outcome="failed" if any(check.outcome == "failed" for check in checks) else "passed",
        checks=checks,
        metrics=metrics,
        baseline=baseline,
        champion=best,
        champion_version=champion,
        window=window,
        rows=rows.height,
        dataset=dataset,
        policy=spec.digest,
    )
    _store(project, report)
    return report


def _metric(metrics: dict[str, float], name: str) -> float:
    if name not in metrics:
        raise ConfigError(f"gate: unknown metric {name!r}; there are: {', '.join(metrics)}")
    return metrics[name]


def _threshold_checks(spec: GateSpec, metrics: dict[str, float]) -> list[Check]:
    checks = []
    for name, bound in spec.thresholds.items():
        found = _metric(metrics, name)
        low = bound.min is None or found >= bound.min
        high = bound.max is None or found <= bound.max
        wanted = [f"at least {bound.min:g}"] if bound.min is not None else []
        wanted += [f"at most {bound.max:g}"] if bound.max is not None else []
        checks.append(
            Check(
                code="GT001",
                title=f"{name} within its bounds",
                outcome="passed" if low and high else "failed",
                found=found,
                expected=" and ".join(wanted),
            )
        )
    return checks


def _baseline_checks(
    spec: GateSpec, metrics: dict[str, float], baseline: dict[str, float]
) -> list[Check]:
    return [
        Check(
            code="GT002",
            title=f"{name} better than the base rate's",
            outcome="passed" if _gain(name, metrics, baseline) > 0 else "failed",
            found=_metric(metrics, name),
            expected=f"better than {baseline[name]:.4f}",
        )
        for name in spec.beat_baseline
    ]


def _champion_check(
    spec: GateSpec,
    metrics: dict[str, float],
    champion: dict[str, float] | None,
    version: str | None,
) -> Check:
    title = f"{spec.metric} not worse than the champion's on the same rows"
    found = metrics[spec.metric]
    if champion is None:
        return Check(
            code="GT003", title=title, outcome="not applicable", found=found, expected="no champion"
        )
    gain = _gain(spec.metric, metrics, champion)
    return Check(
        code="GT003",
        title=title,
        outcome="passed" if gain >= -spec.champion_tolerance else "failed",
        found=found,
        expected=f"version {version} has {champion[spec.metric]:.4f}, "
        f"tolerance {spec.champion_tolerance:g}",
    )


def _gain(name: str, metrics: dict[str, float], other: dict[str, float]) -> float:
    difference = _metric(metrics, name) - _metric(other, name)
    return -difference if name in LOWER_IS_BETTER else difference


def _stored(project: Project, spec: GateSpec, model: str, version: str) -> list[GateReport]:
    query = (
        select(GateRow)
        .where(GateRow.model == model, GateRow.version == version, GateRow.policy == spec.digest)
        .order_by(GateRow.id)
    )
    with database(project).session() as session:
        return [GateReport.model_validate(row.report) for row in session.scalars(query)]


def _store(project: Project, report: GateReport) -> None:
    """Keep the report beside the version, where any MLflow client sees it, then in our table."""
    registry = client(project)
    run_id = registry.get_model_version(report.model, report.version).run_id
    content = json.loads(report.model_dump_json())
    registry.log_dict(run_id, content, f"gate/{report.digest[:12]}.json")
    registry.set_model_version_tag(report.model, report.version, "workbench.gate", report.outcome)
    with database(project).session() as session:
        session.add(
            GateRow(
                factory=report.factory,
                model=report.model,
                version=report.version,
                policy=report.policy,
                outcome=report.outcome,
                report=content,
                digest=report.digest,
                evaluated_at=now(),
            )
        )
