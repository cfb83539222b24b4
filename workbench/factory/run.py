"""Carrying a factory out, and saying where it stands."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from workbench.factory.factory import load
from workbench.factory.make import CHAMPION, build, check, choose, train
from workbench.factory.remake import Retraining, retrain
from workbench.factory.steps import Reporter, Silent
from workbench.factory.watch import monitor, score
from workbench.jobs import list_jobs, settle
from workbench.monitoring import list_alerts, list_windows
from workbench.project import Project
from workbench.registry import get_model, list_decisions, list_models
from workbench.serving import list_predictions
from workbench.store import file_lock

__all__ = ["Outcome", "run", "status"]


class Outcome(BaseModel):
    """Where a factory stands: the champion, and what was made on the way to it."""

    model_config = ConfigDict(frozen=True)

    factory: str
    model: str
    champion: str | None
    champion_metrics: dict[str, float]
    base_rate: float | None
    jobs: dict[str, int]
    runs: int
    versions: int
    gates: dict[str, int]
    scored_windows: int
    scored_rows: int
    monitored_windows: int
    windows: dict[str, int]
    alerts: int
    decisions: list[dict[str, Any]]
    retraining: Retraining | None


def run(project: Project, name: str, reporter: Reporter | None = None) -> Outcome:
    """Carry out the factory called `name` and return where it stands then.

    What was done before for the same inputs is not done again. A second call while one is under
    way waits for it.

    Raises
    ------
    WorkbenchError
        If a stage can't be completed; what was done stays.
    """
    factory = load(name, project)
    watching = reporter or Silent()
    with file_lock(project.state / f"factory-{name}.lock"):
        settle(project)
        build(factory, watching)
        trained = train(factory, watching)
        reports = check(factory, trained, watching)
        champion = choose(factory, reports, watching)
        scored = score(factory, champion, watching)
        monitor(factory, champion, scored, watching)
        retraining = retrain(factory, champion, watching)
        factory.steps.finish("outcome", {}, retraining.model_dump(mode="json"))
    return status(project, name)


def status(project: Project, name: str) -> Outcome:
    """Say where the factory called `name` stands, from what is recorded."""
    factory = load(name, project)
    model_name = factory.spec.model
    settle(project)
    registered = {model.name: model for model in list_models(project)}
    versions = registered[model_name].versions if model_name in registered else []
    champion = (
        get_model(project, model_name).aliases.get(CHAMPION) if model_name in registered else None
    )
    metrics = next((v.metrics for v in versions if v.version == champion), {})
    jobs = list_jobs(project)
    predictions = list_predictions(project, name)
    windows = list_windows(project, name)
    last = factory.steps.latest("outcome")
    return Outcome(
        factory=name,
        model=model_name,
        champion=champion,
        champion_metrics=metrics,
        base_rate=metrics.get("base_rate"),
        jobs=_counted([job.state for job in jobs]),
        runs=sum(job.run_id is not None and job.state == "succeeded" for job in jobs),
        versions=len(versions),
        gates=_counted([version.gate or "none" for version in versions]),
        scored_windows=len(predictions),
        scored_rows=sum(prediction.rows for prediction in predictions),
        monitored_windows=len(windows),
        windows=_counted([window.status for window in windows]),
        alerts=len(list_alerts(project, name)),
        decisions=[
            decision.model_dump(mode="json") for decision in list_decisions(project, model_name)
        ],
        retraining=Retraining.model_validate(last) if last else None,
    )


def _counted(values: list[str]) -> dict[str, int]:
    return {value: values.count(value) for value in sorted(set(values))}
