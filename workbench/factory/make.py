"""Making a champion: features, training, gate, promotion."""

from __future__ import annotations

from typing import Any

from workbench.errors import GateRefusedError
from workbench.factory.factory import Factory
from workbench.factory.notebooks import run_steps
from workbench.factory.spec import Period
from workbench.factory.steps import Reporter
from workbench.features import apply
from workbench.jobs import JobRequest
from workbench.registry import (
    GateReport,
    evaluate_gate,
    get_model,
    list_models,
    promote,
    register,
)
from workbench.registry.gate import LOWER_IS_BETTER
from workbench.tracking import read_json

__all__ = [
    "CHAMPION",
    "build",
    "check",
    "choose",
    "gate",
    "remember_reference",
    "train",
    "training_requests",
]

CHAMPION = "champion"


def build(factory: Factory, reporter: Reporter) -> None:
    """Register the feature views and compute the features of all rows."""
    with reporter.stage("Features, point in time", 1) as stage:
        stage.working("joining what was known at each moment")
        apply(factory.project)
        stage.done(f"{factory.built['rows']:,} rows × {len(factory.columns)} features")


def train(factory: Factory, reporter: Reporter) -> dict[str, str]:
    """Run the training notebook once for each combination; return its run's id by its label."""
    requests = training_requests(factory)
    with reporter.stage("Training notebooks", len(requests)) as stage:
        results = run_steps(factory, "train", requests, {"frame": factory.built["digest"]}, stage)
    return {label: result["run_id"] for label, result in results.items()}


def training_requests(factory: Factory) -> dict[str, JobRequest]:
    """Return one training job for each combination of the grid, by its label."""
    spec = factory.spec.training
    names = ("train_start", "train_end", "valid_start", "valid_end")
    days = [day.isoformat() for day in (*spec.train, *spec.validate_on)]
    periods = dict(zip(names, days, strict=True))
    return {
        " ".join(str(parameters[name]) for name in spec.grid) or "all": JobRequest(
            spec.notebook,
            {"factory": factory.name, **periods, **parameters},
            code=factory.project.root,
        )
        for parameters in spec.combinations()
    }


def check(factory: Factory, trained: dict[str, str], reporter: Reporter) -> list[GateReport]:
    """Register what was trained and put each version through the gate."""
    spec = factory.spec.training
    reports = []
    with reporter.stage("Gate", len(trained)) as stage:
        for label, run_id in trained.items():
            stage.working(label)
            report = gate(
                factory,
                run_id,
                train_on=spec.train,
                judge_on=spec.validate_on,
                key=f"gate:{label}",
            )
            stage.done(f"{label} {report.outcome}")
            reports.append(report)
    return reports


def gate(
    factory: Factory, run_id: str, *, train_on: Period, judge_on: Period, key: str
) -> GateReport:
    """Register a run's model and put the version through the gate, against today's champion."""
    spec = factory.spec
    inputs = {
        "run": run_id,
        "policy": spec.gate.digest,
        "frame": factory.built["digest"],
        "judge_on": judge_on,
    }

    def work() -> dict[str, Any]:
        version = register(factory.project, spec.model, run_id)
        report = evaluate_gate(
            factory.project,
            spec.gate,
            factory=factory.name,
            model=spec.model,
            version=version,
            rows=factory.labelled(*judge_on).select(*factory.columns, factory.label),
            label=factory.label,
            window=f"{judge_on[0]} to {judge_on[1]}",
            baseline_rate=_base_rate(factory, train_on),
            champion=_current_champion(factory),
        )
        return report.model_dump(mode="json")

    return GateReport.model_validate(factory.steps.run(key, inputs, work))


def _base_rate(factory: Factory, period: Period) -> float:
    return float(factory.labelled(*period)[factory.label].to_numpy().mean())


def choose(factory: Factory, reports: list[GateReport], reporter: Reporter) -> str:
    """Give the best of those that passed the alias `champion`; return its version.

    Raises
    ------
    GateRefusedError
        If none passed.
    """
    passed = [report for report in reports if report.outcome == "passed"]
    if not passed:
        raise GateRefusedError(
            f"factory {factory.name}: none of {len(reports)} versions passed the gate; "
            f"see `workbench models show {factory.spec.model}`"
        )
    metric = factory.spec.gate.metric
    sign = -1 if metric in LOWER_IS_BETTER else 1
    best = max(passed, key=lambda report: sign * report.metrics[metric])
    reason = (
        f"best {metric} of {len(reports)} versions on {best.window}: {best.metrics[metric]:.4f} "
        f"(base rate {best.metrics['base_rate']:.3f}); {len(passed)} passed the gate"
    )
    inputs = {"gates": [report.digest for report in reports]}
    with reporter.stage("Promotion", 1) as stage:
        result = factory.steps.run("promote", inputs, lambda: _promoted(factory, best, reason))
        remember_reference(factory, best)
        stage.done(f"version {result['version']} is {CHAMPION}")
    return str(result["version"])


def remember_reference(factory: Factory, report: GateReport) -> None:
    """Keep at hand what monitoring compares with: the training's profile, the gate's metrics."""

    def work() -> dict[str, Any]:
        versions = get_model(factory.project, report.model).versions
        run_id = next(v.run_id for v in versions if v.version == report.version)
        profile = read_json(factory.project, run_id, "reference.json")
        return {"profile": profile, "expected": report.metrics}

    factory.steps.run(f"reference:{report.version}", {"gate": report.digest}, work)


def _current_champion(factory: Factory) -> str | None:
    """Return the version that holds the alias now."""
    models = {model.name: model for model in list_models(factory.project)}
    model = models.get(factory.spec.model)
    return model.aliases.get(CHAMPION) if model else None


def _promoted(factory: Factory, report: GateReport, reason: str) -> dict[str, Any]:
    decision = promote(
        factory.project,
        report.model,
        report.version,
        CHAMPION,
        reason=reason,
        factory=factory.name,
        policy=factory.spec.gate.digest,
    )
    return {"version": report.version, "decision": decision.id}
