"""The catalogue: what views there are, listed without running any project code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, computed_field
from sqlalchemy import delete, select

from workbench.features.definitions import FeatureView, View, load_definitions
from workbench.project import Project
from workbench.store import FeatureViewRow, database, now

__all__ = ["FeatureEntry", "ViewChange", "apply", "catalogue", "search"]


class FeatureEntry(BaseModel):
    """One feature as the catalogue shows it; `code` is what a notebook needs to use it."""

    model_config = ConfigDict(frozen=True)

    name: str
    view: str
    feature: str
    description: str
    view_description: str
    entity: list[str]
    owner: str
    tags: list[str]
    availability: str
    ttl: str | None

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def column(self) -> str:
        """The feature's column in a training frame."""
        return f"{self.view}__{self.feature}"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def code(self) -> str:
        """Python that joins the feature to a frame called `spine`."""
        return (
            "import workbench as wb\n\n"
            f'frame = wb.features.training_frame(spine, ["{self.name}"], event_time="event_time")'
        )


class ViewChange(BaseModel):
    """What `apply` does to one view."""

    model_config = ConfigDict(frozen=True)

    view: str
    change: Literal["added", "changed", "removed", "unchanged"]


def apply(project: Project, *, dry_run: bool = False) -> list[ViewChange]:
    """Check the project's definitions and register them; with `dry_run` only say what would be."""
    declared = load_definitions(project).views
    with database(project).session() as session:
        known = {row.name: row.digest for row in session.scalars(select(FeatureViewRow))}
        changes = [
            *(ViewChange(view=v.name, change=_change(v, known)) for v in declared.values()),
            *(ViewChange(view=name, change="removed") for name in known if name not in declared),
        ]
        if not dry_run:
            session.execute(delete(FeatureViewRow).where(FeatureViewRow.name.not_in(declared)))
            for view in declared.values():
                if known.get(view.name) != view.digest:
                    session.merge(_row(view))
    return changes


def catalogue(project: Project) -> list[FeatureEntry]:
    """List every registered feature, by view and in the order they were declared."""
    with database(project).session() as session:
        rows = session.scalars(select(FeatureViewRow).order_by(FeatureViewRow.name)).all()
    return [entry for row in rows for entry in _entries(row.name, row.definition)]


def search(project: Project, text: str) -> list[FeatureEntry]:
    """List the features that have every word of `text` in their name, description or tags."""
    words = text.lower().split()
    return [entry for entry in catalogue(project) if all(w in _text(entry) for w in words)]


def _change(view: View, known: dict[str, str]) -> Literal["added", "changed", "unchanged"]:
    if view.name not in known:
        return "added"
    return "unchanged" if known[view.name] == view.digest else "changed"


def _row(view: View) -> FeatureViewRow:
    definition = {
        "kind": "view" if isinstance(view, FeatureView) else "request",
        "description": view.description,
        "entity": list(view.entity),
        "features": dict(view.features),
        "sources": list(view.sources),
        "owner": view.owner,
        "tags": list(view.tags),
        "availability": view.availability,
        "ttl": view.ttl,
    }
    return FeatureViewRow(
        name=view.name, digest=view.digest, definition=definition, applied_at=now()
    )


def _entries(view: str, definition: dict[str, Any]) -> Sequence[FeatureEntry]:
    shared = {key: definition[key] for key in ("entity", "owner", "tags", "availability", "ttl")}
    return [
        FeatureEntry(
            name=f"{view}:{feature}",
            view=view,
            feature=feature,
            description=description,
            view_description=definition["description"],
            **shared,
        )
        for feature, description in definition["features"].items()
    ]


def _text(entry: FeatureEntry) -> str:
    parts = [entry.name, entry.description, entry.view_description, entry.owner, *entry.tags]
    return " ".join(parts).lower()
