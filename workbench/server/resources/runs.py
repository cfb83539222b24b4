"""Runs."""

from __future__ import annotations

from workbench.project import Project
from workbench.server.operation import Operation, Page, PageQuery, paged
from workbench.tracking import RunRecord
from workbench.tracking import list_runs as find_runs

__all__ = ["OPERATIONS"]


def list_runs(project: Project, query: PageQuery) -> Page[RunRecord]:
    """List runs, newest first."""
    return paged(find_runs(project, limit=query.limit + 1, offset=query.offset), query)


OPERATIONS = (Operation("GET", "/runs", list_runs),)
