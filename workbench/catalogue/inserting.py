"""The code that a notebook needs to use a thing of the catalogue."""

from __future__ import annotations

from workbench.catalogue.entries import Entry
from workbench.features.search.inserting import Spines, code_for, python_text
from workbench.features.search.views import definitions
from workbench.project import Project
from workbench.store import database

__all__ = ["code_of"]

_CHAMPION = "champion"


def code_of(project: Project, entry: Entry) -> str:
    """Write Python that gives what an entry stands for; empty where nothing does.

    A dataset that was made by code, for one, is made again by that code alone.
    """
    if entry.kind in {"source", "dataset"}:
        return f"wb.data.read({python_text(entry.name)})" if _is_source(project, entry.name) else ""
    if entry.kind == "model":
        address = f"{entry.address}@{_CHAMPION}"
        find = f"wb.tracking.load_model(wb.Project.find(), {python_text(address)})"
        return find if _CHAMPION in entry.tags else ""
    if entry.kind == "function" and entry.address.startswith(f"{entry.name}@"):
        return f"wb.functions.get({python_text(entry.address)})"
    return _frame(project, entry.name.partition(":")[0], entry)


def _frame(project: Project, view: str, entry: Entry) -> str:
    """Join a view's features, or the one that the entry is."""
    with database(project).session() as session:
        found = definitions(session, [view])
    if view not in found:
        return ""  # removed since it was found
    every = [f"{view}:{feature}" for feature in found[view]["features"]]
    return code_for(
        [entry.name] if entry.kind == "feature" else every, Spines(project).of_view(view)
    )


def _is_source(project: Project, name: str) -> bool:
    return name in project.settings.sources
