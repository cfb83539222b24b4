"""What is registered: every version that a function ever had."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.errors import DataError, NotFoundError, UsageError
from workbench.functions.source import Text, digest_of
from workbench.project import Project
from workbench.store import FunctionRow, database

__all__ = [
    "FunctionVersion",
    "find_version",
    "history",
    "list_functions",
    "parse_reference",
    "versions_of",
]


class FunctionVersion(BaseModel):
    """One version of a function.

    Attributes
    ----------
    signature
        Its kind, its parameters with their types, and the type of its answer.
    origin
        The file or notebook that it was written in, from the project's root; empty if unknown.
    modules
        The text of each of the project's modules that it imports.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: int
    digest: str
    description: str
    doc: str
    owner: str
    tags: list[str]
    signature: dict[str, Any]
    examples: int
    origin: str
    source: str
    modules: dict[str, str]
    created_by: str
    created_at: datetime

    @property
    def label(self) -> str:
        """Its name with the version, as one asks for it."""
        return f"{self.name}@{self.version}"

    @property
    def node(self) -> str:
        """Its name in the lineage."""
        return f"function:{self.label}"

    def text(self) -> Text:
        """Return what is run.

        Raises
        ------
        DataError
            If the record was changed: its digest isn't that of its text.
        """
        found = digest_of(self.name, self.source, self.modules)
        if found != self.digest:
            raise DataError(
                f"function {self.label}: its stored text was changed: the digest is {found[:12]}, "
                f"expected {self.digest[:12]}; it isn't run"
            )
        return Text(self.name, self.source, self.modules)


def list_functions(project: Project) -> list[FunctionVersion]:
    """List the newest version of each function, by name."""
    newest = {version.name: version for version in versions_of(project)}
    return [newest[name] for name in sorted(newest)]


def history(project: Project, name: str) -> list[FunctionVersion]:
    """List every version of a function, the newest first.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    """
    found = versions_of(project, name)
    if not found:
        known = {version.name for version in versions_of(project)}
        raise NotFoundError.named("function", name, known)
    return found[::-1]


def versions_of(project: Project, *names: str) -> list[FunctionVersion]:
    """List the versions of the functions of these names, or of all, by name and version."""
    query = select(FunctionRow).order_by(FunctionRow.name, FunctionRow.version)
    if names:
        query = query.where(FunctionRow.name.in_(names))
    with database(project).session() as session:
        return [_version(row) for row in session.scalars(query)]


def find_version(project: Project, reference: str) -> FunctionVersion:
    """Find what `name`, `name@2` or `name/2` means; without a version it is the newest.

    Raises
    ------
    NotFoundError
        If there is no such function, or no such version of it.
    """
    name, version = parse_reference(reference)
    found = history(project, name)
    return found[0] if version is None else _of_version(name, version, found)


def parse_reference(reference: str) -> tuple[str, int | None]:
    """Part a name from its version.

    >>> parse_reference("is_late@2"), parse_reference("is_late")
    (('is_late', 2), ('is_late', None))
    """
    name, sep, version = reference.partition("@" if "@" in reference else "/")
    if sep and not (version.isascii() and version.isdigit()):
        raise UsageError(f"function {reference!r}: expected a name, or a name and version: name@2")
    return name, int(version) if sep else None


def _of_version(name: str, version: int, found: Iterable[FunctionVersion]) -> FunctionVersion:
    by_number = {str(one.version): one for one in found}
    if str(version) not in by_number:
        raise NotFoundError.named("version", str(version), by_number, f" of function {name}")
    return by_number[str(version)]


def _version(row: FunctionRow) -> FunctionVersion:
    return FunctionVersion(
        name=row.name,
        version=row.version,
        digest=row.digest,
        source=row.source,
        created_by=row.created_by,
        created_at=row.created_at,
        **row.definition,
    )
