"""The best run of each branch, on one metric and the same data.

A metric compares only where it was measured on the same rows: so a leaderboard is for one digest,
and says which branches have nothing to show on it.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from workbench.errors import NotFoundError
from workbench.git import Repository
from workbench.project import Project
from workbench.tracking import BRANCH, RunDataset, RunRecord, list_runs, run_datasets

__all__ = ["Entry", "Leaderboard", "leaderboard", "lower_is_better"]

_LOWER = ("loss", "error", "mae", "mse", "rmse", "mape", "brier", "seconds", "bytes", "money")
_JUDGED_ON = ("validation", "test", "eval")
_MOST_RUNS = 100_000


class Entry(BaseModel):
    """A branch's place: its best run, and how many of its runs were on these data."""

    model_config = ConfigDict(frozen=True)

    branch: str
    run_id: str
    name: str
    value: float
    runs: int


class Leaderboard(BaseModel):
    """Branches, best first; the others have no run on these data."""

    model_config = ConfigDict(frozen=True)

    metric: str
    lower_is_better: bool
    dataset: str
    digest: str
    entries: list[Entry]
    others: list[str]


def leaderboard(
    metric: str,
    *,
    dataset: str | None = None,
    lower: bool | None = None,
    project: Project | None = None,
) -> Leaderboard:
    """Rank the project's branches by the best value of `metric` in a finished run.

    Parameters
    ----------
    dataset
        The name or the digest (its beginning will do) of the data that the runs must have been
        judged on; the data that most branches share if None, those for validation before others.
    lower
        Whether less is better; told by the metric's name if None (`loss`, `rmse`, … are).

    Raises
    ------
    NotFoundError
        If no finished run has the metric, or none of them used the data.
    """
    project = project or Project.find()
    runs = _finished(project, metric)
    used = run_datasets(project, [run.run_id for run in runs])
    name, digest = _choose(runs, used, dataset)
    on_it = [run for run in runs if digest in {data.digest for data in used.get(run.run_id, ())}]
    less = lower_is_better(metric) if lower is None else lower
    by_branch: dict[str, list[RunRecord]] = {}
    for run in sorted(on_it, key=lambda run: run.metrics[metric], reverse=not less):
        by_branch.setdefault(run.tags.get(BRANCH, "–"), []).append(run)
    return Leaderboard(
        metric=metric,
        lower_is_better=less,
        dataset=name,
        digest=digest,
        entries=[_entry(branch, found, metric) for branch, found in by_branch.items()],
        others=sorted(set(_known_branches(project)) - set(by_branch)),
    )


def lower_is_better(metric: str) -> bool:
    """Tell by the words of a metric's name whether less of it is better.

    >>> lower_is_better("valid_log_loss"), lower_is_better("roc_auc")
    (True, False)
    """
    words = metric.lower().replace("-", "_").replace("/", "_").replace(".", "_").split("_")
    return any(word in words or metric.lower().endswith(word) for word in _LOWER)


def _finished(project: Project, metric: str) -> list[RunRecord]:
    # Every run that has the metric: MLflow's filters know no "is there", and no exponents.
    has_it = f"metrics.`{metric.replace('`', '')}` >= {-sys.float_info.max:.0f}"
    finished = "attributes.status = 'FINISHED'"
    found = list_runs(project, f"{finished} and {has_it}", limit=_MOST_RUNS)
    runs = [run for run in found if math.isfinite(run.metrics.get(metric, math.nan))]
    if not runs:
        recent = list_runs(project, finished, limit=200)
        names = sorted({name for run in recent for name in run.metrics})
        raise NotFoundError.named("metric", metric, names, " in any finished run")
    return runs


def _choose(
    runs: Sequence[RunRecord], used: Mapping[str, Sequence[RunDataset]], wanted: str | None
) -> tuple[str, str]:
    """Choose the data to compare on: as (name, digest)."""
    branches: dict[tuple[str, str], set[str]] = {}
    judged: set[tuple[str, str]] = set()
    counts: Counter[tuple[str, str]] = Counter()
    for run in runs:
        for data in used.get(run.run_id, ()):
            key = (data.name, data.digest)
            branches.setdefault(key, set()).add(run.tags.get(BRANCH, "–"))
            counts[key] += 1
            if data.context in _JUDGED_ON:
                judged.add(key)
    fitting = [key for key in branches if wanted is None or _matches(key, wanted)]
    if not fitting:
        known = sorted({f"{name}@{digest[:12]}" for name, digest in branches})
        raise NotFoundError.named("dataset", wanted or "", known, " in those runs")
    return max(fitting, key=lambda key: (key in judged, len(branches[key]), counts[key], key))


def _matches(key: tuple[str, str], wanted: str) -> bool:
    name, digest = key
    asked_name, _, asked_digest = wanted.partition("@")
    if asked_digest:
        return name == asked_name and digest.startswith(asked_digest)
    return name == wanted or (len(wanted) >= 6 and digest.startswith(wanted))


def _entry(branch: str, runs: Sequence[RunRecord], metric: str) -> Entry:
    best = runs[0]
    return Entry(
        branch=branch,
        run_id=best.run_id,
        name=best.name,
        value=best.metrics[metric],
        runs=len(runs),
    )


def _known_branches(project: Project) -> list[str]:
    repository = Repository(project.root)
    return repository.branches() if repository.exists else []
