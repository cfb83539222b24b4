"""Rows that come from outside: added to those that the view's function makes, and never lost."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import polars as pl

from workbench.errors import UsageError
from workbench.features.definitions import FeatureView, load_definitions
from workbench.features.join import check_order
from workbench.features.offline.build import merged, stored_rows, stored_types
from workbench.features.offline.files import scan, write_run
from workbench.features.offline.manifest import File, Manifest, load, save, sweep
from workbench.features.offline.places import locked, log_of
from workbench.features.offline.sources import Sources
from workbench.features.offline.store import appended_runs, describe
from workbench.features.offline.types import conformed
from workbench.project import Project

__all__ = ["append"]

_BATCHES = 10_000
"""How many names of appended batches are kept, to know one that comes again."""


def append(
    project: Project,
    view: FeatureView | str,
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    once: str | None = None,
) -> None:
    """Add rows to those that the view's function makes: newer ones, late ones, or of the past.

    They stay while the view has the same columns, whatever becomes of its function and sources.

    Parameters
    ----------
    view
        The view, or its name.
    frame
        Rows as the view's function returns them, or events as `event_rows` orders them.
    once
        A name for them. Rows whose name is known are there already, and nothing is done.

    Raises
    ------
    NotFoundError
        For an unknown view.
    FeatureError
        If the rows can't be used, or have other types than the view, as which they would lose
        something.
    """
    view = _view(project, view)
    types = stored_types(view, Sources(project))
    rows = _rows(frame.lazy(), view, types)
    folder, keys = log_of(project, view), list(view.entity)
    with locked(project, view.name):
        old = load(folder) or Manifest()
        if once in old.batches or not rows.height:
            return
        appended_runs(view, folder, old, types)  # refuses what nobody could read with the new rows
        sweep(folder, old)
        runs = [*old.runs, write_run(folder, rows, keys)]
        batches = [*old.batches, once or uuid4().hex][-_BATCHES:]
        manifest = Manifest(runs=_compacted(folder, runs, view, types, project), batches=batches)
        save(folder, manifest)
    if view.availability == "streaming" and len(manifest.runs) == 1:  # it has grown by a share
        describe(project, view, appended_runs(view, folder, manifest, types))


def _view(project: Project, view: FeatureView | str) -> FeatureView:
    known = load_definitions(project).view(view) if isinstance(view, str) else view
    if not isinstance(known, FeatureView):
        raise UsageError(
            f"feature view {known.name} is computed from the request: there is nothing to append to"
        )
    return known


def _rows(frame: pl.LazyFrame, view: FeatureView, types: pl.Schema) -> pl.DataFrame:
    """Return a batch as it is stored."""
    what, keys = f"feature view {view.name}: rows to append", list(view.entity)
    stored = frame.collect_schema().names() == types.names()  # as a stream's outbox has them
    rows = frame.collect() if stored else stored_rows(frame, view)
    todo = ", ".join(f"{name} {dtype}" for name, dtype in types.items() if name not in _TIMES)
    rows = conformed(rows, types, what, f"what the view has, or what is the same as that: {todo}")
    rows = rows.sort(keys, maintain_order=True)
    check_order(rows, what, keys)
    return rows


_TIMES = ("__event", "__available", "__created")


def _compacted(
    folder: Path, runs: list[list[File]], view: FeatureView, types: pl.Schema, project: Project
) -> list[list[File]]:
    """Put the last runs together while they are of a size: there are never many, nor much work."""
    limit = project.settings.memory_mb * 2**20 // 8
    while len(runs) > 1:
        one, other = (sum(file.rows for file in run) for run in runs[-2:])
        size = sum(file.size for run in runs[-2:] for file in run)
        if one > 2 * other or size > limit:
            break
        parts = [scan([folder / file.name for file in run], types) for run in runs[-2:]]
        both = merged(parts, view).collect()
        runs = [*runs[:-2], write_run(folder, both, view.entity)]
    return runs
