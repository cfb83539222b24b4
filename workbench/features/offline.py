"""The offline store: each view's rows as Parquet, in the order that joins want.

A file's name carries the digest of the definition and of the data it was made from, so a file that
is there is right, and one that isn't is made; nothing is ever changed in place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from workbench.data import frame_digest, read
from workbench.errors import FeatureError
from workbench.features.definitions import FeatureView, Spine
from workbench.features.join import check_order, event_totals, known_rows, to_utc
from workbench.lineage import link
from workbench.project import Project
from workbench.store import write_atomic

__all__ = ["Sources", "Stored", "materialize", "materialize_spine", "read_stored"]


@dataclass(frozen=True)
class Stored:
    """Rows in the offline store: the file, and its name in the lineage."""

    path: Path
    node: str


class Sources:
    """The project's sources, each read once and with its digest at hand."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._read: dict[str, tuple[pl.DataFrame, str]] = {}

    def frame(self, name: str) -> pl.DataFrame:
        """Return the source's rows."""
        return self._get(name)[0]

    def node(self, name: str) -> str:
        """Return the source's name in the lineage, with its content's digest."""
        return f"dataset:{name}@{self._get(name)[1][:12]}"

    def _get(self, name: str) -> tuple[pl.DataFrame, str]:
        if name not in self._read:
            frame = read(name, self._project)
            self._read[name] = frame, frame_digest(frame)
        return self._read[name]


def materialize(project: Project, view: FeatureView, sources: Sources) -> Stored:
    """Store the view's rows where they aren't yet, and say where they are."""

    def rows() -> pl.LazyFrame:
        built = _build(view, sources)
        times = [column for column in (view.event_time, view.created) if column]
        for column in times:
            built = to_utc(built, column, f"feature view {view.name}")
        if view.aggregates:
            assert view.event_time is not None
            columns = dict.fromkeys(a.column for a in view.aggregates if a.column is not None)
            return event_totals(built, view.entity, view.event_time, list(columns))
        return known_rows(built, view.entity, view.event_time, view.created, list(view.features))

    return _stored(project, view, sources, rows)


def materialize_spine(project: Project, spine: Spine, sources: Sources) -> Stored:
    """Store the spine's rows, ordered by time and key, and say where they are."""

    def rows() -> pl.LazyFrame:
        built = _build(spine, sources)
        for column in (spine.event_time, spine.label_time):
            built = to_utc(built, column, f"spine {spine.name}")
        return built.sort(spine.event_time, spine.key)

    return _stored(project, spine, sources, rows)


def read_stored(stored: Stored) -> pl.LazyFrame:
    """Read rows from the offline store."""
    return pl.scan_parquet(stored.path, glob=False)  # a folder may have brackets in its name


def _build(definition: FeatureView | Spine, sources: Sources) -> pl.LazyFrame:
    arguments: Mapping[str, pl.LazyFrame] = {
        name: sources.frame(name).lazy() for name in definition.sources
    }
    built = definition.run(**arguments)
    if not isinstance(built, pl.LazyFrame):
        kind = type(built).__name__
        raise FeatureError(f"{definition.name}: expected a LazyFrame, it returned a {kind}")
    return built


def _stored(
    project: Project,
    definition: FeatureView | Spine,
    sources: Sources,
    rows: Callable[[], pl.LazyFrame],
) -> Stored:
    inputs = [sources.node(name) for name in definition.sources]
    digest = hashlib.sha256("\0".join([definition.digest, *inputs]).encode()).hexdigest()[:16]
    kind = "view" if isinstance(definition, FeatureView) else "spine"
    path = project.state / "offline" / f"{kind}s" / f"{definition.name}-{digest}.parquet"
    stored = Stored(path, f"{kind}:{definition.name}@{digest}")
    if not path.exists():
        try:
            frame = rows().collect()
        except pl.exceptions.PolarsError as error:
            reason = str(error).partition("\n")[0]
            raise FeatureError(f"{definition.name}: {reason}") from error
        if isinstance(definition, FeatureView):
            check_order(frame, f"feature view {definition.name}")
        with write_atomic(path) as beside:
            frame.write_parquet(beside, statistics=True)
        link(project, inputs, stored.node, "computed")
    return stored
