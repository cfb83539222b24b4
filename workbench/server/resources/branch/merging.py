"""Merging the branch that won."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from workbench.experiments import merge_branch, plan_merge
from workbench.git import MergePlan, MergeResult
from workbench.git.notebook_merge import Choice
from workbench.project import Project
from workbench.server.operation import Operation, Query

__all__ = ["OPERATIONS"]


class MergeQuery(Query):
    """Which branch would be merged into the current one."""

    name: str = Field(min_length=1)


class MergeBody(BaseModel):
    """Which branch is merged into the current one, and how its conflicts are answered."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    choices: dict[str, Choice] = Field(
        default={}, description="for each conflict's id a side, or a text of one's own"
    )
    message: str | None = Field(default=None, description="of the commit")


def plan_merging(project: Project, query: MergeQuery) -> MergePlan:
    """Say what merging a branch would change, and what is to be chosen; nothing is done."""
    return plan_merge(query.name, project=project)


def merge_one_branch(project: Project, body: MergeBody) -> MergeResult:
    """Merge a branch into the current one; refused, with nothing changed, without all choices."""
    return merge_branch(body.name, choices=body.choices, message=body.message, project=project)


OPERATIONS = (
    Operation("GET", "/branches/merge", plan_merging),
    Operation("POST", "/branches/merge", merge_one_branch),
)
