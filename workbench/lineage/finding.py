"""From what somebody types to nodes: a whole name, the beginning of one, an alias, a scored row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, collate, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from workbench.errors import NotFoundError, UsageError
from workbench.lineage.nodes import KINDS, kind_of
from workbench.lineage.registry import alias_version
from workbench.lineage.scored import Row, find_row
from workbench.project import Project
from workbench.store import EdgeRow, database

__all__ = ["Found", "find"]

_STATES = {"model": "/", "window": "/", "predictions": "/", "input": "/"}
"""What parts a thing's name from that of one of its states; an @ for all others."""

_ALONE = {"notebook", "job", "run", "commit", "decision", "reproduction"}
"""Kinds of things that have no states."""

_MOST = 500  # cells of a notebook, names that an error chooses from
_HEX = re.compile(r"[0-9a-f]{6,}")
_JOB = re.compile(r"\d{8}-[\d\w-]*")


class Found(BaseModel):
    """The nodes that were meant, and the scored row if it was one."""

    model_config = ConfigDict(frozen=True)

    nodes: list[str]
    row: Row | None = None


def find(project: Project, text: str) -> Found:
    """Find the nodes that `text` means.

    A node's name, or as much of it as is clear; without its state (`@…`, or a model's version) the
    newest. `model:NAME@ALIAS`. A run's or a job's id, or its beginning. A notebook's path: all its
    cells. `prediction:FACTORY/KEY` or `predictions:FACTORY/DAY#KEY`: the window of a scored row.

    Raises
    ------
    NotFoundError
        If there is nothing of the kind; the message says what there is.
    UsageError
        If it means several things.
    """
    text = text.strip().encode(errors="replace").decode()  # bytes that are no text name nothing
    if text.startswith("prediction:") or (text.startswith("predictions:") and "#" in text):
        row = find_row(project, text)
        return Found(nodes=[row.node], row=row)
    with database(project).session() as session:
        finder = _Finder(project, session)
        nodes = finder.find(text)
        if not nodes:
            raise NotFoundError.named("node of the lineage", text, finder.like(text))
    return Found(nodes=nodes)


class _Finder:
    def __init__(self, project: Project, session: Session) -> None:
        self._project = project
        self._session = session

    def find(self, text: str) -> list[str]:
        """Try what the text can be, the most exact first."""
        if not text or "\0" in text:
            return []
        if self._exists(text):
            return [text]
        kind, colon, rest = text.partition(":")
        if kind == "model" and "@" in rest:
            return [self._of_alias(rest)]
        if colon and kind in KINDS and kind != "notebook":
            return self._one(text)
        if PurePosixPath(text).suffix == ".ipynb":
            return self._beginning(f"cell:{text.removeprefix('notebook:')}#", _MOST)[::-1]
        if _JOB.fullmatch(text):
            return self._one(f"job:{text}")
        if _HEX.fullmatch(text):
            return self._one(f"run:{text}") or self._one(f"commit:{text}")
        return []

    def like(self, text: str) -> list[str]:
        """Name what there is, of the same kind if it has one: what an error chooses from."""
        kind = kind_of(text) if ":" in text else ""
        names = self._beginning(f"{kind}:" if kind in KINDS else "", _MOST)
        # A thing is named once, without its states: a name that is too long helps nobody.
        return list(dict.fromkeys(_thing(name) for name in names if kind_of(name) != "cell"))

    def _of_alias(self, rest: str) -> str:
        name, _, alias = rest.rpartition("@")
        node = f"model:{name}/{alias_version(self._project, name, alias)}"
        if not self._exists(node):
            raise NotFoundError(f"{node}: has no edges in the lineage")
        return node

    def _one(self, beginning: str) -> list[str]:
        """Find the newest state of what begins so; several things are too many."""
        part = _STATES.get(kind_of(beginning), "@")
        if newest := self._beginning(f"{beginning}{part}", 1):
            return newest
        found = self._beginning(beginning, _MOST)
        things = dict.fromkeys(_thing(name) for name in found)
        whole = "@" in beginning or part == "/"
        if len(found) > 1 and (whole or len(things) > 1):
            named = found if whole else list(things)
            more = f", and {len(named) - 5} more" if len(named) > 5 else ""
            raise UsageError(f"{beginning}: means several nodes: {', '.join(named[:5])}{more}")
        return found[:1]

    def _exists(self, name: str) -> bool:
        known = or_(EdgeRow.source == name, EdgeRow.target == name)
        return self._session.scalar(select(EdgeRow.id).where(known).limit(1)) is not None

    def _beginning(self, text: str, most: int) -> list[str]:
        """List the nodes that begin with a text, the last one used first.

        Of versions that is the last one made: an old one may be at work for long.
        """
        written = func.min if kind_of(text) in _STATES else func.max
        sides = [
            select(side.label("name"), written(EdgeRow.id).label("last"))
            .where(*self._begins(side, text))
            .group_by(side)
            for side in (EdgeRow.source, EdgeRow.target)
        ]
        both = union(*sides).subquery()
        newest = (
            select(both.c.name)
            .group_by(both.c.name)
            .order_by(written(both.c.last).desc(), both.c.name)
        )
        return list(self._session.scalars(newest.limit(most)))

    def _begins(self, side: InstrumentedAttribute[str], text: str) -> Iterable[ColumnElement[bool]]:
        """Compare by code points, in which what begins with a text is one stretch of the index."""
        if not text:
            return []
        dialect = self._session.get_bind().dialect.name
        ordered = collate(side, "C" if dialect == "postgresql" else "BINARY")
        return [ordered >= text, ordered <= f"{text}\U0010ffff"]


def _thing(name: str) -> str:
    """Leave out which state of a thing a node is."""
    kind = kind_of(name)
    if kind in _ALONE:
        return name
    return name.rpartition(_STATES.get(kind, "@"))[0] or name
