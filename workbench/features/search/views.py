"""The registered feature views as documents, one for each feature."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from workbench.features.search.building import Document
from workbench.features.search.formulas import formulas
from workbench.features.search.usage import UNUSED, Usage
from workbench.project import Project
from workbench.store import FeatureViewRow, database

__all__ = ["definitions", "documents", "stamps"]

_AT_ONCE = 500

_DEFINITIONS = select(FeatureViewRow.name, FeatureViewRow.definition).where(
    FeatureViewRow.name.in_(bindparam("names", expanding=True))
)


def stamps(project: Project, used: Mapping[str, Usage]) -> dict[str, str]:
    """Give each view a mark that changes with its definition and with who uses its features."""
    with database(project).session() as session:
        rows = session.execute(select(FeatureViewRow.name, FeatureViewRow.digest)).all()
    users: dict[str, list[tuple[str, Usage]]] = {}
    for feature in sorted(used):
        users.setdefault(feature.partition(":")[0], []).append((feature, used[feature]))
    return {name: _stamp(digest, users.get(name)) for name, digest in rows}


def documents(
    project: Project, views: Collection[str], used: Mapping[str, Usage]
) -> Iterator[Document]:
    """Give a document for each feature of the views."""
    wanted = list(views)
    for start in range(0, len(wanted), _AT_ONCE):
        with database(project).session() as session:
            found = definitions(session, wanted[start : start + _AT_ONCE])
        for view, definition in found.items():
            yield from _documents(view, definition, used)


def definitions(session: Session, views: Collection[str]) -> dict[str, dict[str, Any]]:
    """Read what is registered of the views."""
    rows = session.execute(_DEFINITIONS, {"names": list(views)})
    return {row.name: row.definition for row in rows}


def _documents(
    view: str, definition: dict[str, Any], used: Mapping[str, Usage]
) -> Iterator[Document]:
    entity, sources, tags = (definition.get(key) or [] for key in ("entity", "sources", "tags"))
    owner = definition.get("owner") or ""
    labels = (owner, definition.get("availability") or "", *tags, *entity, *sources)
    filters = (
        ("kind", "feature"),
        ("owner", owner),
        *(("tag", tag) for tag in tags),
        *((key, column) for column in entity for key in ("entity", "column")),
    )
    facets = (
        ("owner", owner),
        ("availability", definition.get("availability") or ""),
        *(("tag", tag) for tag in tags),
        *(("entity", column) for column in entity),
    )
    said = tuple((key, value) for key, value in facets if value)
    written = formulas(definition.get("code", ""), tuple(definition["features"]))
    for feature, description in definition["features"].items():
        name = f"{view}:{feature}"
        text = (description, definition["description"], written.get(feature, ""))
        users = used.get(name, UNUSED)
        named = (("used_by", user) for user in (*users.models, *users.notebooks))
        own = (*filters, ("column", feature), *named)
        yield Document(name, view, users.weight, name, labels, text, own, said)


def _stamp(digest: str, users: list[tuple[str, Usage]] | None) -> str:
    if users is None:
        return digest[:32]
    return f"{digest[:32]}-{hashlib.sha256(repr(users).encode()).hexdigest()[:8]}"
