"""What two definitions of a view have different, and what was made from the earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from workbench.lineage import downstream
from workbench.project import Project
from workbench.store import EdgeRow, database

__all__ = ["breaks", "details", "users"]

_LINES = ("entity", "event_time", "created", "ttl", "sources")
"""What of a definition changes values, and is said with its old and its new value."""

_WORDS = ("owner", "tags", "availability", "freshness")
"""What changes no value, and is said in the same way."""

_KINDS = ("model:", "dataset:", "run:")


def details(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Say what is different, one line for each: `ttl 3h → 2h`, `feature rent removed`, `code`."""
    before, after = old["features"], new["features"]
    both = [name for name in after if name in before]
    found = [
        *(_line(key, old, new) for key in (*_LINES, *_WORDS) if old.get(key) != new.get(key)),
        *(f"feature {name} removed" for name in before if name not in after),
        *(f"feature {name} added" for name in after if name not in before),
        *(f"description of {name}" for name in both if before[name] != after[name]),
        *(["description"] if old["description"] != new["description"] else []),
        *(["code"] if old.get("computation") != new["computation"] else []),
    ]
    return found or ["text that changes no value"]


def breaks(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Say whether values of the old definition's features may be gone or others."""
    changed = any(old.get(key) != new.get(key) for key in (*_LINES, "computation"))
    return changed or any(feature not in new["features"] for feature in old["features"])


def users(project: Project, view: str) -> list[str]:
    """List the models, frames and runs that were made from the view, by kind and name."""
    with database(project).session() as session:
        stored = select(EdgeRow.source).where(
            EdgeRow.source.startswith(f"view:{view}@", autoescape=True)
        )
        nodes = session.scalars(stored.distinct()).all()
    made = {edge.target for edge in downstream(project, *nodes)}
    # A frame goes by its name, for it has a new digest every time that it is made.
    names = {node.partition("@")[0] for node in made if node.startswith(_KINDS)}
    return sorted(names, key=lambda name: (_KINDS.index(f"{name.partition(':')[0]}:"), name))


def _line(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    return f"{key} {_shown(old.get(key))} → {_shown(new.get(key))}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
