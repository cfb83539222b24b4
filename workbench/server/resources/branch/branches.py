"""The branches: started, switched to, dropped and had back."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.experiments import (
    Scores,
    bring_back_work,
    drop_branch,
    list_branches,
    list_dropped,
    put_work_aside,
    restore_branch,
    score_branches,
    start_branch,
    switch_branch,
)
from workbench.git import Branch, Dropped, Repository, Switched
from workbench.project import Project
from workbench.server.operation import Operation, Query
from workbench.server.resources.branch.work import Brought

__all__ = ["OPERATIONS", "NameBody"]


class Branches(BaseModel):
    """The branches of a project, and those that can be had back."""

    model_config = ConfigDict(frozen=True)

    experiment: str = Field(description="MLflow's experiment, which all branches share")
    protected: str = Field(description="the branch that is never dropped")
    branches: list[Branch]
    dropped: list[Dropped]


class ScoreQuery(Query):
    """What a branch's best run is the best by."""

    metric: str = Field(default="", description="a metric; a usual one that runs have if empty")


class StartBody(BaseModel):
    """A new branch."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    base: str | None = Field(default=None, description="a branch or a commit; else from here")


class SwitchBody(BaseModel):
    """Where to go, and what becomes of work that isn't committed."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    work: Literal["keep", "carry"] = Field(
        default="keep", description="it stays with the branch that is left, or comes along"
    )


class NameBody(BaseModel):
    """Which branch."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)


class DropQuery(Query):
    """Which branch to drop."""

    name: str = Field(min_length=1)
    force: bool = Field(default=False, description="with the work that is kept with it, too")


class PutAside(BaseModel):
    """Where kept work is now; null if there was none."""

    model_config = ConfigDict(frozen=True)

    ref: str | None


def list_all_branches(project: Project) -> Branches:
    """List the branches, and those that were dropped; none outside Git."""
    is_under_git = Repository(project.root).exists
    return Branches(
        experiment=project.name,
        protected=project.settings.protected_branch,
        branches=list_branches(project) if is_under_git else [],
        dropped=list_dropped(project) if is_under_git else [],
    )


def score_all_branches(project: Project, query: ScoreQuery) -> Scores:
    """Count each branch's runs, and say which is its best."""
    return score_branches(query.metric or None, project=project)


def start_new_branch(project: Project, body: StartBody) -> Switched:
    """Start a branch, and switch to it with the work at hand."""
    return start_branch(body.name, base=body.base, project=project)


def switch_to_branch(project: Project, body: SwitchBody) -> Switched:
    """Switch to another branch, and bring back the work that was kept with it."""
    return switch_branch(body.name, keep=body.work == "keep", project=project)


def bring_back_kept_work(project: Project) -> Brought:
    """Bring back the work that is kept with the current branch."""
    return Brought(paths=bring_back_work(project=project))


def put_kept_work_aside(project: Project, body: NameBody) -> PutAside:
    """Move the work that is kept with a branch out of the way."""
    return PutAside(ref=put_work_aside(body.name, project=project))


def drop_one_branch(project: Project, query: DropQuery) -> Dropped:
    """Drop a branch; its runs stay, and it can be restored."""
    return drop_branch(query.name, force=query.force, project=project)


def restore_dropped_branch(project: Project, body: NameBody) -> Dropped:
    """Have a dropped branch back."""
    return restore_branch(body.name, project=project)


OPERATIONS = (
    Operation("GET", "/branches", list_all_branches),
    Operation("GET", "/branches/scores", score_all_branches),
    Operation("POST", "/branches", start_new_branch, status=201),
    Operation("POST", "/branches/switch", switch_to_branch),
    Operation("POST", "/branches/bring-back", bring_back_kept_work),
    Operation("POST", "/branches/put-aside", put_kept_work_aside),
    Operation("DELETE", "/branches", drop_one_branch),
    Operation("POST", "/branches/restore", restore_dropped_branch),
)
