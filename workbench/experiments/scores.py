"""How many runs each branch has, and the best of them, for a list of branches.

Other than in a leaderboard, the runs may have been judged on different data.
"""

from __future__ import annotations

import polars as pl
from pydantic import BaseModel, ConfigDict

from workbench.experiments.leaderboard import lower_is_better
from workbench.project import Project
from workbench.tracking import BRANCH, facets, runs_frame

__all__ = ["BranchScore", "Scores", "score_branches"]

_USUAL = ("roc_auc", "average_precision", "log_loss", "accuracy", "f1", "rmse", "mae", "r2")


class BranchScore(BaseModel):
    """A branch's runs, and the best finished one of those that have the metric."""

    model_config = ConfigDict(frozen=True)

    branch: str
    runs: int
    best: float | None = None
    run_id: str | None = None
    run_name: str | None = None


class Scores(BaseModel):
    """The branches that have runs, and what they can be judged by."""

    model_config = ConfigDict(frozen=True)

    metric: str | None
    lower_is_better: bool
    metrics: list[str]
    branches: list[BranchScore]


def score_branches(metric: str | None = None, *, project: Project | None = None) -> Scores:
    """Count the runs of each branch, and find the best by `metric`.

    Parameters
    ----------
    metric
        A usual one that the runs have if None. One that no run has is no error: nothing is best.
    """
    project = project or Project.find()
    found = facets(project)
    metrics = list(found.metrics)
    if metric is None:
        metric = next((name for name in (*_USUAL, *metrics) if name in found.metrics), None)
    best = _best(project, metric) if metric in found.metrics and found.branches else {}
    return Scores(
        metric=metric,
        lower_is_better=metric is not None and lower_is_better(metric),
        metrics=sorted(metrics),
        branches=[
            best.get(name, BranchScore(branch=name, runs=count)).model_copy(update={"runs": count})
            for name, count in found.branches.items()
        ],
    )


def _best(project: Project, metric: str | None) -> dict[str, BranchScore]:
    branch, value = f"tags.{BRANCH}", f"metrics.{metric}"
    frame = runs_frame(project, columns=[branch, value])
    finished = frame.filter(
        (pl.col("status") == "FINISHED") & pl.col(value).is_finite() & pl.col(branch).is_not_null()
    )
    less = lower_is_better(str(metric))
    first = finished.sort(value, descending=not less).unique(branch, keep="first")
    return {
        row[branch]: BranchScore(
            branch=row[branch], runs=0, best=row[value], run_id=row["run_id"], run_name=row["name"]
        )
        for row in first.iter_rows(named=True)
    }
