"""Models for tests: trained in a run of a project, logged with all that a version needs, judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import mlflow
import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression

from workbench.gates import GateSpec, Question, judge
from workbench.project import Project
from workbench.registry import GateReport, get_model, register
from workbench.tracking import create_run, current_run, finish_run

__all__ = ["TRACED", "judged", "late_rows", "logged", "made", "trained"]

TRACED = {"mlflow.source.git.commit": "a" * 40, "execution.linear": "true"}
"""What a run has of committed code that was executed from top to bottom."""


def late_rows(height: int = 200) -> pl.DataFrame:
    """Make rows in which `signal` says much about `late` and `noise` nothing."""
    random = np.random.default_rng(0)
    signal = random.normal(size=height)
    late = random.random(height) < 1 / (1 + np.exp(-2 * signal))
    return pl.DataFrame({"signal": signal, "noise": random.normal(size=height), "late": late})


def logged(
    project: Project,
    model: Any,
    columns: Sequence[str] | None = None,
    *,
    example: Any = None,
    data: pl.DataFrame | None = None,
    tags: dict[str, str] = TRACED,
    status: Literal["FINISHED", "FAILED", "KILLED"] = "FINISHED",
) -> str:
    """Log a model with a run of its own, which `tags` and its data trace; return the run's id."""
    run_id = create_run(project, "train", tags=tags, params={})
    mlflow.set_tracking_uri(project.tracking_uri)
    with mlflow.start_run(run_id=run_id):
        run = current_run(project)
        run.log_dataset("rows", pl.DataFrame({"n": [1]}) if data is None else data, "training")
        run.log_model(model, columns, example=example)
    finish_run(project, run_id, status)
    return run_id


def trained(project: Project, rows: pl.DataFrame, columns: Sequence[str] = ("signal",)) -> str:
    """Train on some columns of the rows; return the run's id."""
    matrix, late = rows.select(columns).to_numpy(), rows["late"].to_numpy()
    return logged(project, LogisticRegression().fit(matrix, late), columns, data=rows)


def made(
    project: Project,
    rows: pl.DataFrame,
    name: str = "late",
    columns: Sequence[str] = ("signal",),
    *,
    owner: str = "ada",
) -> str:
    """Train, log and register; return the version."""
    return register(project, name, trained(project, rows, columns), owner=owner)


def judged(
    project: Project,
    rows: pl.DataFrame,
    name: str,
    version: str,
    spec: GateSpec | None = None,
    **more: Any,
) -> GateReport:
    """Put a version through a gate, beside whoever is the champion then."""
    question = {
        "factory": "",
        "window": "all",
        "champion": get_model(project, name).aliases.get("champion"),
        **more,
    }
    return judge(
        Question(
            project=project,
            spec=spec or GateSpec(),
            model=name,
            version=version,
            rows=rows,
            label="late",
            **question,
        )
    )
