"""Branches beside each other."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.experiments import BranchComparison, Leaderboard, compare_branches, leaderboard
from workbench.project import Project
from workbench.server.operation import Operation, Query

__all__ = ["OPERATIONS"]


class CompareQuery(Query):
    """Which two branches."""

    a: str = Field(min_length=1)
    b: str = Field(min_length=1)
    limit: int = Field(default=10, ge=1, le=100, description="how many runs of each, newest first")


class LeaderboardQuery(Query):
    """What to rank by."""

    metric: str = Field(min_length=1)
    dataset: str = Field(
        default="", description="NAME, NAME@DIGEST or DIGEST of the data that runs were judged on"
    )
    better: Literal["", "lower", "higher"] = Field(
        default="", description="told by the metric's name if empty"
    )


def compare_two_branches(project: Project, query: CompareQuery) -> BranchComparison:
    """Compare two branches as they are committed: runs, notebooks, features, files, data."""
    return compare_branches(query.a, query.b, limit=query.limit, project=project)


def rank_branches(project: Project, query: LeaderboardQuery) -> Leaderboard:
    """Rank the branches by their best run on the same data."""
    lower = {"": None, "lower": True, "higher": False}[query.better]
    return leaderboard(query.metric, dataset=query.dataset or None, lower=lower, project=project)


OPERATIONS = (
    Operation("GET", "/branches/compare", compare_two_branches),
    Operation("GET", "/branches/leaderboard", rank_branches),
)
