"""What went wrong in many jobs, told once for each cell and kind of failure."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from workbench.jobs.failures import FailureKind
from workbench.jobs.records import Job

__all__ = ["FailureGroup", "group_failures"]


class FailureGroup(BaseModel):
    """Jobs that ended badly in the same cell of the same notebook, in the same way."""

    model_config = ConfigDict(frozen=True)

    notebook: str
    cell: int | None
    failure: FailureKind | None
    exception: str
    """The exception's name, or the failure's first words where no exception was raised."""
    example: str
    """The message of the newest of them."""
    jobs: list[str]


def group_failures(jobs: Sequence[Job]) -> list[FailureGroup]:
    """Group the jobs that didn't succeed, the largest group first.

    What is only under way, or was cancelled on purpose, is no failure.
    """
    groups: dict[tuple[str, int | None, str | None, str], list[Job]] = {}
    for job in jobs:
        if job.state in ("failed", "lost"):
            key = (job.notebook, job.error_cell, job.failure, _exception(job))
            groups.setdefault(key, []).append(job)
    found = [
        FailureGroup(
            notebook=notebook,
            cell=cell,
            failure=members[0].failure,
            exception=exception,
            example=members[0].error or "",
            jobs=[job.id for job in members],
        )
        for (notebook, cell, _, exception), members in groups.items()
    ]
    return sorted(found, key=lambda group: (-len(group.jobs), group.notebook, group.cell or 0))


def _exception(job: Job) -> str:
    name = (job.error or "").partition(":")[0]
    return name if job.failure == "cell" else (job.failure or name)
