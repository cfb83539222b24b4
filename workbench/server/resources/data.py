"""The catalogue of data: sources, datasets, views, functions and models."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.catalogue import KINDS, Entry, Kind, Shown, code_of, count, search, show
from workbench.data import last_checks, list_datasets, read
from workbench.data import report as describe
from workbench.data.contracts import Check, has_contract
from workbench.errors import NotFoundError
from workbench.project import Project
from workbench.server.operation import Operation, Page, PageQuery, Query, paged

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


class CatalogueText(Query):
    """What a thing of the catalogue must have."""

    q: str = Field(default="", max_length=1000, description="words, maybe misspelt")


class CatalogueQuery(CatalogueText, PageQuery):
    """A page of the things that have it."""

    kind: Kind | Literal[""] = Field(
        default="", description="things of this kind; of all kinds but features if empty"
    )


class CatalogueRow(Entry):
    """A thing of the catalogue, and what one does with it."""

    rows: int | None = Field(description="of a source, as it was last read")
    contract: Literal["passed", "failed", "unchecked"] | None = Field(
        description="what a source's contract found last; null if it has none"
    )
    code: str = Field(description="Python that gives it; empty where nothing does")


class KindCount(BaseModel):
    """How many things there are of a kind."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    count: int


class CatalogueDetail(Shown):
    """A thing with the chain around it and, of a source, what its contract found."""

    broken: list[str] = Field(description="the rules that were broken, each in a line")
    checked_at: datetime | None


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
    checks = _checks(project)
    return [
        SourceInfo(
            name=name,
            description=source.description,
            owner=source.owner,
            tags=source.tags,
            rows=known[name].rows if name in known else None,
            columns=len(known[name].columns) if name in known else None,
            read_at=known[name].read_at if name in known else None,
            contract=checks[name].outcome if name in checks else None,
        )
        for name, source in project.settings.sources.items()
    ]


def search_catalogue(project: Project, query: CatalogueQuery) -> Page[CatalogueRow]:
    """List the things of the catalogue that have all of the words, the best first."""
    found = search(
        project,
        query.q,
        query.kind or None,
        limit=query.limit + 1,
        offset=query.offset,
        but_features=query.kind != "feature",
    )
    page = paged(found, query)
    return Page(items=_rows(project, page.items), next=page.next)


def count_catalogue(project: Project, query: CatalogueText) -> list[KindCount]:
    """Count the things that have all of the words, by kind; features have counts of their own."""
    return [KindCount(kind=kind, count=number) for kind, number in count(project, query.q).items()]


def describe_entry(project: Project, kind: str, name: str) -> CatalogueDetail:
    """Say what a thing came from, what came of it and, of a source, what its contract found."""
    known = next((each for each in KINDS if each == kind), None)
    if known is None:
        raise NotFoundError.named("kind", kind, KINDS)
    shown = show(project, name, known)
    check = _checks(project).get(name) if known == "source" else None
    return CatalogueDetail(
        **{key: getattr(shown, key) for key in Shown.model_fields},
        broken=[rule.told(check.rows) for rule in check.broken] if check else [],
        checked_at=check.checked_at if check else None,
    )


def report_source(project: Project, query: SourceQuery) -> SourceReport:
    """Read a source and describe its columns."""
    return SourceReport(name=query.name, html=describe(read(query.name, project)).fragment())


def _rows(project: Project, entries: list[Entry]) -> list[CatalogueRow]:
    sources = {entry.name for entry in entries if entry.kind == "source"}
    known = {d.name: d.rows for d in reversed(list_datasets(project))} if sources else {}
    checks = _checks(project) if sources else {}
    return [
        CatalogueRow(
            **entry.model_dump(),
            rows=known.get(entry.name) if entry.kind == "source" else None,
            contract=_contract(project, entry.name, checks) if entry.kind == "source" else None,
            code=code_of(project, entry),
        )
        for entry in entries
    ]


def _checks(project: Project) -> dict[str, Check]:
    """Return the last check of each source."""
    return {check.source: check for check in reversed(last_checks(project))}


def _contract(
    project: Project, name: str, checks: dict[str, Check]
) -> Literal["passed", "failed", "unchecked"] | None:
    if name in checks:
        return checks[name].outcome
    return "unchecked" if has_contract(project, name) else None


OPERATIONS = (
    Operation("GET", "/catalogue", search_catalogue),
    Operation("GET", "/catalogue/counts", count_catalogue),
    Operation("GET", "/catalogue/{kind}/{name}", describe_entry),
    Operation("GET", "/sources", list_sources),
    Operation("GET", "/sources/report", report_source),
)
