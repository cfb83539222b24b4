"""What the server can be asked: an operation is a Python function, and its signature the contract.

>>> from workbench.project import Project
>>> def read(project: Project, name: str) -> dict[str, int]:
...     '''Count the versions of a model.'''
...     return {}
>>> Operation("GET", "/models/{name}", read).id
'read'

The parameters say what a function is given, by their names: `project` (that the query's `path` is
in), `served` (the folder that Jupyter serves), `query` and `body` (models of pydantic that what was
sent has to fit), and whatever stands in braces in the path. From the same signatures come the
checks of a request, `openapi.json`, and the types of the sidebar.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import UsageError
from workbench.project import Project
from workbench.settings import validate

__all__ = ["MOST_ROWS", "Method", "Operation", "Page", "PageQuery", "Query", "paged"]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

MOST_ROWS = 500
"""How many rows one answer may have."""

_IN_PATH = re.compile(r"\{(\w+)\}")

_Row = TypeVar("_Row")


class Query(BaseModel):
    """What every address may say. Other keys are ignored: Jupyter adds its own."""

    model_config = ConfigDict(frozen=True)

    path: str = Field(default="", description="a folder of the project, from the server's root")


class PageQuery(Query):
    """A page of a list."""

    limit: int = Field(default=50, ge=1, le=MOST_ROWS, description="how many rows")
    cursor: str = Field(default="", description="`next` of the page before; the first if empty")

    @property
    def offset(self) -> int:
        """How many rows come before this page.

        Raises
        ------
        UsageError
            If the cursor is none of ours.
        """
        if not self.cursor:
            return 0
        if not re.fullmatch(r"[1-9][0-9]{0,11}", self.cursor):
            raise UsageError(f"cursor {self.cursor!r}: expected `next` of the page before")
        return int(self.cursor)


class Page(BaseModel, Generic[_Row]):
    """Some rows of a list."""

    model_config = ConfigDict(frozen=True)

    items: list[_Row]
    next: str | None = Field(description="the cursor of the next page; null on the last")


def paged(rows: list[_Row], query: PageQuery) -> Page[_Row]:
    """Make a page of rows of which one more than the page has was asked for."""
    more = len(rows) > query.limit
    following = str(query.offset + query.limit) if more else None
    return Page(items=rows[: query.limit], next=following)


@dataclass(frozen=True)
class Operation:
    """One thing that the server can be asked."""

    method: Method
    path: str
    call: Callable[..., Any]
    status: int = 200

    @property
    def id(self) -> str:
        """Its name, which the sidebar calls it by."""
        return self.call.__name__.lstrip("_")

    @property
    def names(self) -> list[str]:
        """The parts of the path that are parameters."""
        return _IN_PATH.findall(self.path)

    @property
    def pattern(self) -> str:
        """The path as a regular expression with a group for each parameter."""
        return _IN_PATH.sub(r"(?P<\1>[^/]+)", self.path)

    @cached_property
    def hints(self) -> dict[str, Any]:
        """The types of the function's parameters, and of what it returns."""
        return get_type_hints(self.call, include_extras=True)

    @property
    def query(self) -> type[Query]:
        """What the address may say."""
        found: type[Query] = self.hints.get("query", Query)
        return found

    @property
    def body(self) -> type[BaseModel] | None:
        """What must be sent along; None for nothing."""
        return self.hints.get("body")

    @property
    def answer(self) -> Any:
        """The type of what it returns."""
        return self.hints["return"]

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return (inspect.getdoc(self.call) or "").partition("\n")[0]

    def ask(
        self, project: Project, served: Path, query: Query, body: Any, names: dict[str, str]
    ) -> Any:
        """Call the function with what its signature names.

        Raises
        ------
        ConfigError
            If the body isn't what was expected.
        """
        given: dict[str, Any] = {"project": project, "served": served, "query": query, **names}
        if self.body is not None:
            given["body"] = validate(self.body, body, "body")
        wanted = inspect.signature(self.call).parameters
        return self.call(**{name: value for name, value in given.items() if name in wanted})
