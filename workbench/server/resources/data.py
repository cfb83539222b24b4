"""Sources of data."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.data import last_checks, list_datasets, read
from workbench.data import report as describe
from workbench.project import Project
from workbench.server.operation import Operation, Query

__all__ = ["OPERATIONS"]


class SourceInfo(BaseModel):
    """A named source, and what was last read of it."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    owner: str
    tags: list[str]
    rows: int | None
    columns: int | None
    read_at: datetime | None
    contract: Literal["passed", "failed"] | None = Field(
        description="what its contract found of the content that was checked last"
    )


class SourceQuery(Query):
    """Which source."""

    name: str = Field(description="a source of workbench.toml")


class SourceReport(BaseModel):
    """The column report of a source: markup and its style, without a script."""

    model_config = ConfigDict(frozen=True)

    name: str
    html: str


def list_sources(project: Project) -> list[SourceInfo]:
    """List the named sources of data."""
    known = {dataset.name: dataset for dataset in reversed(list_datasets(project))}
    found = {check.source: check.outcome for check in reversed(last_checks(project))}
    return [
        SourceInfo(
            name=name,
            description=source.description,
            owner=source.owner,
            tags=source.tags,
            rows=known[name].rows if name in known else None,
            columns=len(known[name].columns) if name in known else None,
            read_at=known[name].read_at if name in known else None,
            contract=found.get(name),
        )
        for name, source in project.settings.sources.items()
    ]


def report_source(project: Project, query: SourceQuery) -> SourceReport:
    """Read a source and describe its columns."""
    return SourceReport(name=query.name, html=describe(read(query.name, project)).fragment())


OPERATIONS = (
    Operation("GET", "/sources", list_sources),
    Operation("GET", "/sources/report", report_source),
)
