"""Views in the offline store: built once from their sources, and read with what was appended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from workbench.features.definitions import FeatureView, Spine
from workbench.features.offline.build import built, merged, spine_rows, stored_rows
from workbench.features.offline.files import reading, scan, whole, write_run
from workbench.features.offline.large import write_large
from workbench.features.offline.links import link_appended, link_stored
from workbench.features.offline.manifest import File, Manifest, damaged, load, save, sweep
from workbench.features.offline.places import (
    base_of,
    definition_of,
    digest_of,
    locked,
    log_of,
    spine_of,
    tidy,
    touch,
)
from workbench.features.offline.sources import Sources
from workbench.features.offline.types import changed, conformed
from workbench.project import Project
from workbench.store import write_atomic

__all__ = [
    "Run",
    "Stored",
    "StoredSpine",
    "appended_runs",
    "describe",
    "key_types",
    "materialize",
    "materialize_spine",
    "read_stored",
    "rows",
]

_GROWTH = 10
"""Statistics are made anew when a view has grown by one row in so many."""


@dataclass(frozen=True)
class Run:
    """Rows that are ordered by entity and time: files that follow one another.

    `types` are those that its columns are read as, where they were stored with others.
    """

    folder: Path
    files: tuple[File, ...]
    types: pl.Schema | None = None

    @property
    def paths(self) -> list[Path]:
        """Where its files are."""
        return [self.folder / file.name for file in self.files]

    def scan(self) -> pl.LazyFrame:
        """Read its rows."""
        return scan(self.paths, self.types)


@dataclass(frozen=True)
class Stored:
    """One state of a view's rows, which stays readable while others are written.

    `runs` are what was built from the sources and what was appended since, the oldest first.
    `content` names the parts that it has: a state with all of another's and more has its rows too.
    """

    view: FeatureView
    runs: tuple[Run, ...]
    node: str
    digest: str
    content: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows there are, some of which a later run may overrule."""
        return sum(file.rows for run in self.runs for file in run.files)

    @property
    def paths(self) -> list[Path]:
        """Where all its files are."""
        return [path for run in self.runs for path in run.paths]


@dataclass(frozen=True)
class StoredSpine:
    """A spine's rows: the file, and its name in the lineage."""

    path: Path
    node: str


def materialize(project: Project, view: FeatureView, sources: Sources) -> Stored:
    """Store the view's rows where they aren't yet, and say where they are.

    What is stored is known by the definition and by its sources' contents; of a streaming view it
    is what was appended, and its source isn't read for it.

    Raises
    ------
    FeatureError
        If the view's function fails, or its rows can't be used.
    """
    inputs = [] if view.availability == "streaming" else [sources.node(n) for n in view.sources]
    digest = digest_of(definition_of(view), *inputs)
    folder, log = base_of(project, view, digest), log_of(project, view)
    touch(folder)
    base = _usable(folder)
    if base is None:
        with locked(project, view.name):
            base = _usable(folder) or _build(project, view, sources, folder)
            tidy(folder)
    link_stored(project, view, f"view:{view.name}@{digest}", inputs, sources)
    more = load(log) or Manifest()
    runs = [Run(folder, tuple(run)) for run in base.runs]
    runs += appended_runs(view, log, more, _types(runs[0]))
    content = (digest, *more.batches)
    node = f"view:{view.name}@{digest_of(*content) if more.batches else digest}"
    if more.batches:
        link_appended(project, view, f"view:{view.name}@{digest}", node)
    stored = Stored(view, tuple(runs), node, digest, content)
    if _outgrown(base, stored):
        _describe_again(project, stored, folder)
    return stored


def appended_runs(view: FeatureView, folder: Path, log: Manifest, types: pl.Schema) -> list[Run]:
    """Return what was appended, as rows of `types`.

    Raises
    ------
    FeatureError
        If a file has gone, or rows can't be of these types without losing something.
    """
    _check_whole(folder, log)
    return [_of_types(view, Run(folder, tuple(run)), types) for run in log.runs]


def _of_types(view: FeatureView, run: Run, types: pl.Schema) -> Run:
    have = _types(run)
    if have == types:
        return run
    with reading(run.paths):
        rows = run.scan().select(changed(have, types)).collect()
    what = f"feature view {view.name}: rows that were appended, in {run.paths[0]}"
    now = ", ".join(f"{name} {types[name]}" for name in rows.columns)
    folder = f"{run.folder.parent.name}/{run.folder.name}"
    conformed(
        rows,
        pl.Schema({name: types[name] for name in rows.columns}),
        what,
        f"what the view's function gives now, {now}: give the column its old type there, or "
        f"delete the folder {folder} and append the rows again",
    )
    return Run(run.folder, run.files, types)


def rows(stored: Stored, columns: Sequence[str] | None = None) -> pl.LazyFrame:
    """Read what is stored: rows as known, ordered by entity and then by time.

    Parameters
    ----------
    columns
        Features, or columns of events; None for all. Entity and times are always there.
    """
    with reading(stored.paths):
        both = merged([run.scan() for run in stored.runs], stored.view)
        if columns is None:
            return both
        present = both.collect_schema().names()
    fixed = [name for name in present if name in stored.view.entity or name in _TIMES]
    return both.select(list(dict.fromkeys([*fixed, *columns])))


def key_types(stored: Stored) -> pl.Schema:
    """Return the types of the view's entity columns."""
    schema = _types(stored.runs[0])
    return pl.Schema({key: schema[key] for key in stored.view.entity})


def _types(run: Run) -> pl.Schema:
    with reading(run.paths):
        return scan(run.paths[:1]).collect_schema()


_TIMES = ("__event", "__available", "__created")


def read_stored(stored: Stored | StoredSpine) -> pl.LazyFrame:
    """Read all that is stored of a view or a spine."""
    if isinstance(stored, StoredSpine):
        return scan([stored.path])
    return rows(stored)


def materialize_spine(project: Project, spine: Spine, sources: Sources) -> StoredSpine:
    """Store the spine's rows, ordered by time and key, and say where they are."""
    inputs = [sources.node(name) for name in spine.sources]
    digest = digest_of(spine.digest, *inputs)
    path = spine_of(project, spine, digest)
    stored = StoredSpine(path, f"spine:{spine.name}@{digest}")
    touch(path)
    if not path.exists():
        with locked(project, f"spine {spine.name}"):
            frame = spine_rows(spine, sources)
            with write_atomic(path) as beside:
                frame.write_parquet(beside, statistics=True)
            tidy(path)
    link_stored(project, spine, stored.node, inputs, sources)
    return stored


def _usable(folder: Path) -> Manifest | None:
    """Return the table in `folder`, unless a file of it has gone or was cut."""
    manifest = load(folder)
    if manifest is None or not all(whole(folder, f) for run in manifest.runs for f in run):
        return None
    return manifest


def _check_whole(folder: Path, manifest: Manifest) -> None:
    """Refuse to go on without rows that were appended: they can't be made again from sources."""
    for run in manifest.runs:
        for file in run:
            if not whole(folder, file):
                raise damaged(folder / file.name, "it has gone or was cut")


def _build(project: Project, view: FeatureView, sources: Sources, folder: Path) -> Manifest:
    sweep(folder, None)
    frame = built(view, sources)
    if view.availability != "streaming" and any(map(sources.is_large, view.sources)):
        folder.mkdir(parents=True, exist_ok=True)
        run = write_large(folder, frame, view)
    else:
        run = write_run(folder, stored_rows(frame, view), view.entity)
    describe(project, view, [Run(folder, tuple(run))])
    height = sum(file.rows for file in run)
    return save(folder, Manifest(runs=[run], described={view.digest: height}))


def describe(project: Project, view: FeatureView, runs: Sequence[Run]) -> None:
    """Store statistics of a view's rows."""
    from workbench.features.statistics import store_statistics  # which reads what we wrote

    paths = [path for run in runs for path in run.paths]
    with reading(paths):
        # In no order, which for all the rows of a large table would take more than the memory.
        both = pl.concat([run.scan() for run in runs], how="vertical_relaxed")
        store_statistics(project, view, both)


def _outgrown(base: Manifest, stored: Stored) -> bool:
    """Whether the definition has no statistics, or those of clearly fewer rows.

    A stream's are made as its log grows.
    """
    known = base.described.get(stored.view.digest)
    streamed = stored.view.availability == "streaming"
    return known is None or (not streamed and stored.rows * _GROWTH > known * (_GROWTH + 1))


def _describe_again(project: Project, stored: Stored, folder: Path) -> None:
    with locked(project, stored.view.name):
        base = load(folder)
        if base is None or not _outgrown(base, stored):  # somebody else has
            return
        describe(project, stored.view, stored.runs)
        described = {**base.described, stored.view.digest: stored.rows}
        save(folder, base.model_copy(update={"described": described}))
