"""Which runs there are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from workbench.errors import UsageError
from workbench.git import Repository
from workbench.project import Project
from workbench.server.operation import Page, PageQuery, Query, paged
from workbench.tracking import (
    BRANCH,
    Facets,
    RunRecord,
    Sparklines,
    facets,
    list_pinned_first,
    narrowed,
    read_sparklines,
)
from workbench.tracking import get_run as find_run

__all__ = [
    "Ids",
    "RunPage",
    "RunQuery",
    "SparklineQuery",
    "count_run_facets",
    "get_run",
    "list_runs",
    "list_sparklines",
    "split",
]

MOST_LINES = 100
"""Of how many runs the lines are read at once."""

Ids = Annotated[str, Field(min_length=1, max_length=5000, description="ids, a comma between them")]


class RunQuery(PageQuery):
    """Which runs, in which order."""

    filter: str = Field(
        default="", max_length=5000, description="in MLflow's language: metrics.roc_auc > 0.7"
    )
    order: str = Field(
        default="start_time DESC", min_length=1, description="metrics.roc_auc DESC, start_time, …"
    )
    scope: Literal["all", "branch"] = Field(
        default="all", description="all runs, or those of the branch that is checked out"
    )


class RunPage(Page[RunRecord]):
    """Some runs, the pinned ones first."""

    branch: str | None = Field(description="whose runs these are; null if all were asked for")


class SparklineQuery(Query):
    """Of which runs, and of which metrics."""

    runs: Ids
    metrics: str = Field(default="", description="which come first: names, a comma between them")
    most: int | None = Field(
        default=None, ge=1, le=100, description="lines of each run, logged by steps; all if null"
    )


def list_runs(project: Project, query: RunQuery) -> RunPage:
    """List runs: the pinned ones, then the others, each in the order asked for."""
    branch, filter_ = None, query.filter
    if query.scope == "branch":
        branch = _branch(project)
        if branch is None:
            return RunPage(items=[], next=None, branch=None)
        filter_ = narrowed(filter_, f"tags.`{BRANCH}` = {_quoted(branch)}")
    rows = list_pinned_first(project, filter_, query.order, query.limit + 1, query.offset)
    page = paged(rows, query)
    return RunPage(items=page.items, next=page.next, branch=branch)


def count_run_facets(project: Project) -> Facets:
    """Count what runs can be narrowed by: the values there are, the names of what is logged."""
    return facets(project)


def get_run(project: Project, run_id: str) -> RunRecord:
    """Return one run."""
    return find_run(project, run_id)


def list_sparklines(project: Project, query: SparklineQuery) -> Sparklines:
    """Draw how metrics went: by run and metric a few points, where there are two or more."""
    ids = split(query.runs)
    if len(ids) > MOST_LINES:
        raise UsageError(f"{len(ids)} runs: expected {MOST_LINES} at most")
    return read_sparklines(project, ids, split(query.metrics), query.most)


def split(names: str) -> list[str]:
    """Read names with commas between them, each once."""
    return list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))


def _branch(project: Project) -> str | None:
    repository = Repository(project.root)
    return repository.branch if repository.exists else None


def _quoted(branch: str) -> str:
    """Write a branch's name as a text of MLflow's language, which has no way to escape a quote."""
    if "'" in branch and '"' in branch:
        raise UsageError(
            f"branch {branch}: runs can't be found by a name with both kinds of quotes"
        )
    return f'"{branch}"' if "'" in branch else f"'{branch}'"
