"""Retraining: on a branch, with what has happened since, through the same gate."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict

from workbench.errors import ConfigError
from workbench.factory.factory import Factory, load
from workbench.factory.make import (
    CHAMPION,
    at_base_rate,
    gate,
    remember_reference,
    training_requests,
)
from workbench.factory.notebooks import run_steps
from workbench.factory.spec import Period
from workbench.factory.steps import Reporter, Stage
from workbench.git import Repository
from workbench.jobs import list_jobs
from workbench.lineage import link
from workbench.monitoring import list_windows
from workbench.registry import GateReport, get_model, promote, record_refusal
from workbench.store import write_atomic

__all__ = ["Retraining", "retrain"]


class Retraining(BaseModel):
    """What came of the retraining policy."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["not needed", "promoted", "kept"]
    reason: str
    champion: str
    challenger: str | None = None
    branch: str | None = None


class _Plan(BaseModel):
    """What to train on, and the later windows, unseen by both, that decide."""

    model_config = ConfigDict(frozen=True)

    train: Period
    validate_on: Period
    compare_on: Period

    @property
    def branch(self) -> str:
        return f"retrain/{self.compare_on[0]}"


def retrain(factory: Factory, champion: str, reporter: Reporter) -> Retraining:
    """Retrain where the policy says so, and promote the challenger or keep the champion.

    `champion` is the version whose windows were monitored.
    """
    policy = factory.spec.retraining
    starts = {start for start, _ in factory.spec.scoring.windows()}
    windows = [
        window
        for window in list_windows(factory.project, factory.name)
        if factory.day(window.window_start) in starts
    ]
    alerts = [window.window_start for window in windows if window.status == "alert"]
    with reporter.stage("Retraining", 3) as stage:
        if policy is None or len(alerts) < policy.after_alerts:
            wanted = "never retrains" if policy is None else f"retrains from {policy.after_alerts}"
            reason = f"{len(alerts)} of {len(windows)} windows in alert; the policy {wanted}"
            for _ in range(3):
                stage.done("not needed")
            return Retraining(outcome="not needed", reason=reason, champion=champion)
        plan = _plan(factory, policy.holdout)
        inputs = {
            "plan": plan.model_dump(mode="json"),
            "champion": champion,
            "alerts": alerts,
            "policy": factory.spec.gate.digest,
            "frame": factory.built["digest"],
        }
        why = f"{len(alerts)} of {len(windows)} windows in alert"
        result = factory.steps.run(
            "retrain", inputs, lambda: _carried_out(factory, plan, champion, alerts, why, stage)
        )
        stage.done(result["outcome"])
    return Retraining.model_validate(result)


def _plan(factory: Factory, holdout: int) -> _Plan:
    windows = factory.spec.scoring.windows()
    if len(windows) <= holdout:
        raise ConfigError(
            f"factories/{factory.path.name}: retraining.holdout: {holdout} of {len(windows)} "
            "windows leaves none to validate on"
        )
    validate_on = windows[-holdout - 1]
    return _Plan(
        train=(factory.spec.training.train[0], validate_on[0]),
        validate_on=validate_on,
        compare_on=(windows[-holdout][0], windows[-1][1]),
    )


def _carried_out(
    factory: Factory,
    plan: _Plan,
    champion: str,
    alerts: list[datetime],
    why: str,
    stage: Stage,
) -> dict[str, Any]:
    stage.working(f"on branch {plan.branch}")
    run_id = _trained(factory, plan, champion, stage)
    causes = [factory.window_node(factory.day(start)) for start in alerts]
    link(factory.project, causes, f"run:{run_id}", "retrained")
    stage.working("challenger against champion")
    [report] = gate(factory, {plan.branch: run_id}, plan.train, plan.compare_on, stage)
    return _decided(factory, plan, report, champion, why).model_dump(mode="json")


def _trained(factory: Factory, plan: _Plan, champion: str, stage: Stage) -> str:
    """Train the challenger in a work tree of its own, on a branch that says what changed."""
    project = factory.project
    tree = project.state / "worktrees" / plan.branch.replace("/", "-")
    with Repository(project.root).worktree(plan.branch, tree) as branch:
        _commit_plan(factory, branch, plan, _combination(factory, champion))
        there = load(factory.name, project.at(branch.root))
        [request] = training_requests(there).values()
        inputs = {"frame": factory.built["digest"]}
        results = run_steps(factory, "retrain", {plan.branch: request}, inputs, stage)
    return str(results[plan.branch]["run_id"])


def _combination(factory: Factory, version: str) -> dict[str, list[Any]]:
    """Return the grid that makes just this version again."""
    versions = get_model(factory.project, factory.spec.model).versions
    run_id = next(known.run_id for known in versions if known.version == version)
    job = next(job for job in list_jobs(factory.project) if job.run_id == run_id)
    return {name: [job.params[name]] for name in factory.spec.training.grid}


def _commit_plan(
    factory: Factory, branch: Repository, plan: _Plan, grid: dict[str, list[Any]]
) -> None:
    """Write the plan into the branch's factory file and commit it, comments and all kept."""
    name = f"factories/{factory.path.name}"
    document = tomlkit.parse((branch.root / name).read_text(encoding="utf-8"))
    training: Any = document["training"]
    training["train"] = _days(plan.train)
    training["validate_on"] = _days(plan.validate_on)
    if grid:
        training["grid"] = grid
    with write_atomic(branch.root / name) as beside:
        beside.write_text(tomlkit.dumps(document), encoding="utf-8")
    if branch.status().changed:  # not so if a run that was killed had got this far
        until = plan.train[1]
        branch.commit([name], f"Retrain {factory.spec.model} on what was known by {until}")


def _days(period: Period) -> list[str]:
    return [day.isoformat() for day in period]


def _decided(
    factory: Factory, plan: _Plan, report: GateReport, champion: str, why: str
) -> Retraining:
    metric = factory.spec.gate.metric
    assert report.champion is not None, "the gate compared with the champion that was there"
    reason = (
        f"{why}; version {report.version} ({_text(plan.train)}) has {metric} "
        f"{report.metrics[metric]:.4f} on {report.window}, champion version {champion} "
        f"{report.champion[metric]:.4f}{at_base_rate(report)}"
    )
    if report.outcome == "passed":
        promote(
            factory.project,
            report.model,
            report.version,
            CHAMPION,
            reason=reason,
            factory=factory.name,
            policies={factory.name: factory.spec.gate.digest},
        )
        remember_reference(factory, report)
    else:
        failed = [check.title for check in report.failed]
        reason = f"{reason}; not passed: {', '.join(failed)}"
        record_refusal(
            factory.project,
            report.model,
            report.version,
            CHAMPION,
            reason=reason,
            report=report,
            factory=factory.name,
        )
    return Retraining(
        outcome="promoted" if report.outcome == "passed" else "kept",
        reason=reason,
        champion=report.version if report.outcome == "passed" else champion,
        challenger=report.version,
        branch=plan.branch,
    )


def _text(period: tuple[date, date]) -> str:
    return f"trained on {period[0]} to {period[1]}"
