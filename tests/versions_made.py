"""Small versions for tests of the registry: trained, logged, registered, judged."""

from __future__ import annotations

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression

from workbench.gates import GateSpec, Question, judge
from workbench.project import Project
from workbench.registry import GateReport, aliases_of, register
from workbench.tracking import create_run, current_run, finish_run

__all__ = ["gated", "labelled_rows", "logged", "registered"]

_TRACED = {"mlflow.source.git.commit": "a" * 40, "execution.linear": "true"}


def labelled_rows() -> pl.DataFrame:
    """200 rows in which `signal` says much about `late`."""
    random = np.random.default_rng(0)
    signal = random.normal(size=200)
    late = random.random(200) < 1 / (1 + np.exp(-2 * signal))
    return pl.DataFrame({"signal": signal, "late": late})


def logged(project: Project, rows: pl.DataFrame) -> str:
    """Train, and log it all to a run that can be traced; return the run's id."""
    import mlflow

    run_id = create_run(project, "train", tags=_TRACED, params={})
    mlflow.set_tracking_uri(project.tracking_uri)
    with mlflow.start_run(run_id=run_id):
        run = current_run(project)
        run.log_dataset("rows", rows, "training")
        matrix = rows[["signal"]].to_numpy()
        model = LogisticRegression().fit(matrix, rows["late"].to_numpy())
        run.log_model(model, ["signal"], example=matrix)
    finish_run(project, run_id, "FINISHED")
    return run_id


def registered(project: Project, rows: pl.DataFrame, name: str = "late") -> str:
    """Make a version."""
    return register(project, name, logged(project, rows), owner="ada")


def gated(
    project: Project,
    rows: pl.DataFrame,
    version: str,
    spec: GateSpec | None = None,
    name: str = "late",
) -> GateReport:
    """Put a version through a gate that it passes, unless `spec` says otherwise."""
    return judge(
        Question(
            project=project,
            spec=spec or GateSpec(),
            factory="",
            model=name,
            version=version,
            rows=rows,
            label="late",
            window="all",
            baseline_rate=0.5,
            champion=aliases_of(project, name).get("champion"),
        )
    )
