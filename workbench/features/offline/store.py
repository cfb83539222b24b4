"""Views in the offline store: built once from their sources, and appended to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import polars as pl

from workbench.features.definitions import FeatureView, Spine
from workbench.features.offline.build import built, merged, spine_rows, stored_rows
from workbench.features.offline.files import reading, scan, whole, write_run
from workbench.features.offline.large import write_large
from workbench.features.offline.manifest import File, Manifest, damaged, load, save, sweep
from workbench.features.offline.sources import Sources
from workbench.lineage import link
from workbench.project import Project
from workbench.store import file_lock, write_atomic

__all__ = [
    "Run",
    "Stored",
    "StoredSpine",
    "append",
    "key_types",
    "materialize",
    "materialize_spine",
    "read_stored",
    "rows",
]

_BATCHES = 10_000
"""How many names of appended batches are kept, to know one that comes again."""


@dataclass(frozen=True)
class Run:
    """Rows that are ordered by entity and time: files that follow one another."""

    folder: Path
    files: tuple[File, ...]

    @property
    def paths(self) -> list[Path]:
        """Where its files are."""
        return [self.folder / file.name for file in self.files]


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
    digest = _digest(_definition(view), *inputs)
    folder = project.state / "offline" / "views" / f"{view.name}-{digest}"
    base = _usable(folder)
    if base is None:
        with _lock(project, view):
            base = _usable(folder) or _build(project, view, sources, folder)
            link(project, inputs, f"view:{view.name}@{digest}", "computed")
    more, log = load(_log(project, view)) or Manifest(), _log(project, view)
    _check_whole(log, more)
    runs = [Run(folder, tuple(run)) for run in base.runs]
    runs += [Run(log, tuple(run)) for run in more.runs]
    content = (digest, *more.batches)
    node = f"view:{view.name}@{_digest(*content) if more.batches else digest}"
    return Stored(view, tuple(runs), node, digest, content)


def append(
    project: Project, view: FeatureView, frame: pl.DataFrame, *, once: str | None = None
) -> None:
    """Add rows to those that the view's function makes: newer ones, late ones, or of the past.

    Parameters
    ----------
    frame
        Rows as the view's function returns them, or events as `event_rows` orders them.
    once
        A name for them. Rows whose name is known are there already, and nothing is done.

    Raises
    ------
    FeatureError
        If the rows can't be used.
    """
    rows = frame if "__event" in frame.columns else stored_rows(frame.lazy(), view)
    folder, keys = _log(project, view), list(view.entity)
    with _lock(project, view):
        old = load(folder) or Manifest()
        if once in old.batches or not rows.height:
            return
        _check_whole(folder, old)
        sweep(folder, old)
        runs = [*old.runs, write_run(folder, rows.sort(keys, maintain_order=True), keys)]
        batches = [*old.batches, once or uuid4().hex][-_BATCHES:]
        manifest = Manifest(runs=_compacted(folder, runs, view, project), batches=batches)
        save(folder, manifest)
    if view.availability == "streaming" and len(manifest.runs) == 1:  # it has grown by a share
        _describe(project, view, folder, manifest.runs[0])


def rows(stored: Stored, columns: Sequence[str] | None = None) -> pl.LazyFrame:
    """Read what is stored: rows as known, ordered by entity and then by time.

    Parameters
    ----------
    columns
        Features, or columns of events; None for all. Entity and times are always there.
    """
    with reading([path for run in stored.runs for path in run.paths]):
        both = merged([scan(run.paths) for run in stored.runs], stored.view)
        if columns is None:
            return both
        present = both.collect_schema().names()
    fixed = [name for name in present if name in stored.view.entity or name in _TIMES]
    return both.select(list(dict.fromkeys([*fixed, *columns])))


def key_types(stored: Stored) -> pl.Schema:
    """Return the types of the view's entity columns."""
    paths = stored.runs[0].paths
    with reading(paths):
        schema = scan(paths[:1]).collect_schema()
    return pl.Schema({key: schema[key] for key in stored.view.entity})


_TIMES = ("__event", "__available", "__created")


def read_stored(stored: Stored | StoredSpine) -> pl.LazyFrame:
    """Read all that is stored of a view or a spine."""
    if isinstance(stored, StoredSpine):
        return scan([stored.path])
    return rows(stored)


def materialize_spine(project: Project, spine: Spine, sources: Sources) -> StoredSpine:
    """Store the spine's rows, ordered by time and key, and say where they are."""
    inputs = [sources.node(name) for name in spine.sources]
    digest = _digest(spine.digest, *inputs)
    path = project.state / "offline" / "spines" / f"{spine.name}-{digest}.parquet"
    stored = StoredSpine(path, f"spine:{spine.name}@{digest}")
    if not path.exists():
        frame = spine_rows(spine, sources)
        with write_atomic(path) as beside:
            frame.write_parquet(beside, statistics=True)
        link(project, inputs, stored.node, "computed")
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
    _describe(project, view, folder, run)
    return save(folder, Manifest(runs=[run]))


def _describe(project: Project, view: FeatureView, folder: Path, run: list[File]) -> None:
    from workbench.features.statistics import store_statistics  # which reads what we wrote

    store_statistics(project, view, scan(Run(folder, tuple(run)).paths))


def _compacted(
    folder: Path, runs: list[list[File]], view: FeatureView, project: Project
) -> list[list[File]]:
    """Put the last runs together while they are of a size: there are never many, nor much work."""
    limit = project.settings.memory_mb * 2**20 // 8
    while len(runs) > 1:
        one, other = (sum(file.rows for file in run) for run in runs[-2:])
        size = sum(file.size for run in runs[-2:] for file in run)
        if one > 2 * other or size > limit:
            break
        parts = [scan(Run(folder, tuple(run)).paths) for run in runs[-2:]]
        both = merged(parts, view).collect()
        runs = [*runs[:-2], write_run(folder, both, view.entity)]
    return runs


def _definition(view: FeatureView) -> str:
    """Digest what the stored rows depend on: neither a word nor a window or TTL changes them."""
    columns = view.inputs if view.aggregates else tuple(view.features)
    return _digest(view.code_digest, _shape(view), *columns)


def _shape(view: FeatureView) -> str:
    kind = "events" if view.aggregates else "rows"
    return "\0".join([kind, *view.entity, str(view.event_time), str(view.created)])


def _log(project: Project, view: FeatureView) -> Path:
    """Return the folder of what was appended to a view.

    Of a stream it stays while events look the same, for nobody could append them again; rows of a
    batch are those of one definition.
    """
    streamed = view.availability == "streaming"
    digest = _digest(_shape(view), *view.inputs) if streamed else _definition(view)
    return project.state / "offline" / "appended" / f"{view.name}-{digest}"


def _lock(project: Project, view: FeatureView) -> AbstractContextManager[None]:
    return file_lock(project.state / "offline" / "locks" / f"{view.name}.lock")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
