"""Listing and searching: two indexes, of features and of all the rest, as if they were one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from threading import Lock

from workbench.catalogue.entries import KINDS, Entry, Kind, entries_but_features, of_feature
from workbench.features import catalogue
from workbench.features.catalogue import entries as feature_entries
from workbench.features.search import NEAR, Document, Index, Paced, Records, find
from workbench.project import Project
from workbench.registry import Model, list_models

__all__ = ["count", "list_entries", "search"]


def list_entries(project: Project, kind: Kind | None = None) -> list[Entry]:
    """List all there is, or all of a kind, by kind and name."""
    features = [of_feature(f) for f in catalogue(project)] if kind in {None, "feature"} else []
    others = entries_but_features(project, list_models(project)) if kind != "feature" else []
    return [entry for entry in (*others, *features) if kind in {None, entry.kind}]


def search(
    project: Project,
    text: str,
    kind: Kind | None = None,
    limit: int = 20,
    *,
    offset: int = 0,
    but_features: bool = False,
) -> list[Entry]:
    """List what fits `text` best; all of its words have to fit, as in `features.search`.

    `kind:source`, `column:dep_delay`, `owner:ada`, `tag:air` and `used_by:flights-late` narrow it.

    Parameters
    ----------
    offset
        How many hits to leave out: those of the pages before.
    but_features
        Leave features out, of which there may be very many.
    """
    text = f"{text} kind:{kind}" if kind is not None else text
    rest, last = _opened(project), offset + limit
    features = [] if but_features else find(project, text, last)
    others = rest.index(project).find(text, last)
    hits = sorted([*((hit, True) for hit in features), *((hit, False) for hit in others)])
    # Words are taken for others only where nothing at all has them as they are.
    is_near = bool(hits) and hits[0][0].tier >= NEAR
    chosen = [pair for pair in hits if is_near or pair[0].tier < NEAR][offset:last]
    named = [hit.name for hit, is_feature in chosen if is_feature]
    entries = {entry.name: of_feature(entry) for entry in feature_entries(project, named)}
    listed = [(entries if is_feature else rest.entries).get(hit.name) for hit, is_feature in chosen]
    return [entry for entry in listed if entry is not None]


def count(project: Project, text: str) -> dict[Kind, int]:
    """Count what fits a text, by kind; features have counts of their own."""
    counted = _opened(project).index(project).count(text).facets.get("kind", [])
    found = {each.value: each.count for each in counted}
    return {kind: found.get(kind, 0) for kind in KINDS if kind != "feature"}


class _Rest:
    """All that isn't a feature, by `kind:name`, and its index."""

    def __init__(self, project: Project) -> None:
        self.entries: dict[str, Entry] = {}
        self._index = Index(project.state / "search", "catalogue")
        self._records = Records(project.database_url)
        self._registry = Records(project.tracking_uri)
        self._models: Paced[list[Model]] = Paced([])
        self._lock = Lock()
        self._at: object = None

    def index(self, project: Project) -> Index:
        """Return the index as the records are."""
        with self._lock:
            at, registry = (project.settings, self._records.version()), self._registry.version()
            changed = None in at or at != self._at or self._models.is_due(registry)
            if changed or not self._index.ready:
                self._update(project, self._models.ask(registry, lambda: list_models(project)))
                self._at = at
        return self._index

    def _update(self, project: Project, models: list[Model]) -> None:
        found = entries_but_features(project, models)
        self.entries = {f"{entry.kind}:{entry.name}": entry for entry in found}
        stamps = {name: _stamp(entry) for name, entry in self.entries.items()}
        self._index.update(stamps, self._documents)

    def _documents(self, names: Collection[str]) -> Iterator[Document]:
        return (_document(name, self.entries[name]) for name in names)


def _stamp(entry: Entry) -> str:
    return hashlib.sha256(entry.model_dump_json().encode()).hexdigest()[:32]


def _document(name: str, entry: Entry) -> Document:
    users = [user.partition(":")[2] for user in entry.used_by]
    filters = (
        ("kind", entry.kind),
        ("owner", entry.owner),
        *(("tag", tag) for tag in entry.tags),
        *(("column", column) for column in entry.columns),
        *(("used_by", user) for user in users),
    )
    labels = (entry.kind, entry.owner, *entry.tags, *entry.columns)
    text = (entry.description, entry.address)
    facets = (("kind", entry.kind),)
    return Document(name, name, entry.uses, entry.name, labels, text, filters, facets)


_known: dict[tuple[int, str, Path], _Rest] = {}


def _opened(project: Project) -> _Rest:
    key = os.getpid(), project.database_url, project.state
    return _known.get(key) or _known.setdefault(key, _Rest(project))
