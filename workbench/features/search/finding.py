"""Finding features: the index of a project, kept at what its records say."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

from sqlalchemy import make_url

from workbench.features.search.facets import NOTHING, Chosen, Counted
from workbench.features.search.index import Index
from workbench.features.search.pacing import Paced
from workbench.features.search.segment import Found
from workbench.features.search.usage import Usage, newest_edge, usage
from workbench.features.search.views import documents, stamps
from workbench.project import Project

__all__ = ["Records", "count", "find", "known_usage", "refresh"]


def find(project: Project, text: str, limit: int, chosen: Chosen = NOTHING) -> list[Found]:
    """Return the features that fit a text, the best first; without a word, the most used."""
    return _opened(project).index(project).find(text, limit, chosen)


def count(project: Project, text: str, chosen: Chosen = NOTHING) -> Counted:
    """Count the features that fit a text, in all and by entity, tag, availability and owner."""
    return _opened(project).index(project).count(text, chosen)


def known_usage(project: Project) -> Mapping[str, Usage]:
    """Say who uses each feature, as the index knows it: all hits of a search are of one moment."""
    return _opened(project).used.answer


def refresh(project: Project) -> None:
    """Bring the index up to date now, so that nobody who searches has to wait for it."""
    _opened(project).refresh(project)


class _Features:
    """The index of one project's features. Safe to share between threads."""

    def __init__(self, project: Project) -> None:
        self.used: Paced[dict[str, Usage]] = Paced({})
        self._index = Index(project.state / "search", "features")
        self._records = Records(project.database_url)
        self._lock = Lock()
        self._at: int | None = None
        self._newest_edge = -1

    def index(self, project: Project) -> Index:
        """Return the index as the records are, or at least as they were a moment ago."""
        # While another thread brings it up to date, what is there is good enough.
        if self._lock.acquire(blocking=not self._index.ready):
            try:
                at = self._records.version()
                changed = at is None or at != self._at or self.used.is_due(self._newest_edge)
                if changed or not self._index.ready:
                    self._update(project)
                    self._at = at
            finally:
                self._lock.release()
        return self._index

    def refresh(self, project: Project) -> None:
        with self._lock:
            self._update(project)

    def _update(self, project: Project) -> None:
        self._newest_edge = newest_edge(project)
        used = self.used.ask(self._newest_edge, lambda: usage(project, "feature"))
        marks = stamps(project, used)
        self._index.update(marks, lambda views: documents(project, views, used))


class Records:
    """Tells, in microseconds, whether anybody has written to the project's tables."""

    def __init__(self, url: str) -> None:
        address = make_url(url)
        self._path = address.database if address.get_backend_name() == "sqlite" else None
        self._connection: sqlite3.Connection | None = None

    def version(self) -> int | None:
        """Return a number that any change changes; None where that can't be told so quickly."""
        if self._path is None or not Path(self._path).exists():
            return None
        with suppress(sqlite3.Error):
            if self._connection is None:
                self._connection = sqlite3.connect(self._path, check_same_thread=False)
            (version,) = self._connection.execute("pragma data_version").fetchone()
            return int(version)
        return None


_known: dict[tuple[int, str, Path], _Features] = {}


def _opened(project: Project) -> _Features:
    # By process too: a connection doesn't outlive a fork.
    key = os.getpid(), project.database_url, project.state
    return _known.get(key) or _known.setdefault(key, _Features(project))
