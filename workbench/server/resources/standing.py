"""Where one stands at this moment, for a line at the window's foot."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from workbench.git import Repository
from workbench.jobs import count_jobs
from workbench.project import Project
from workbench.server.operation import Operation
from workbench.tracking import list_runs

__all__ = ["OPERATIONS"]


class ActiveRun(BaseModel):
    """A run that goes on."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    name: str


class Standing(BaseModel):
    """What is checked out, and what goes on."""

    model_config = ConfigDict(frozen=True)

    branch: str | None = Field(description="null outside of Git, and on no branch")
    run: ActiveRun | None = Field(description="the newest run that goes on")
    running: int = Field(description="jobs that run")
    queued: int = Field(description="jobs that wait")


def get_standing(project: Project) -> Standing:
    """Say which branch is checked out, and what runs."""
    repository = Repository(project.root)
    active = list_runs(project, "attributes.status = 'RUNNING'", limit=1)
    jobs = count_jobs(project)
    return Standing(
        branch=repository.status().branch if repository.exists else None,
        run=ActiveRun(run_id=active[0].run_id, name=active[0].name) if active else None,
        running=jobs["running"],
        queued=jobs["queued"],
    )


OPERATIONS = (Operation("GET", "/standing", get_standing),)
