"""Training frames: a spine with its features as they were known."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from workbench.errors import FeatureError, NotFoundError, UsageError
from workbench.features.columns import request_columns
from workbench.features.definitions import (
    Definitions,
    RequestView,
    View,
    load_definitions,
)
from workbench.features.join import Asked, ask, to_utc
from workbench.features.offline import (
    Sources,
    Stored,
    key_types,
    materialize,
    materialize_spine,
    read_stored,
)
from workbench.features.parallel import join_view
from workbench.lineage import Edge, column_edges, feature_node, link_all, used
from workbench.project import Project

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BuiltFrame", "build_frame", "load_spine", "training_frame"]


@dataclass(frozen=True)
class BuiltFrame:
    """A frame with its features, and the lineage nodes that it was made from."""

    frame: pl.DataFrame
    made_from: list[str]


def load_spine(name: str, project: Project | None = None) -> pl.DataFrame:
    """Return the rows of the spine called `name`, ordered by time and key."""
    project = project or Project.find()
    spine = load_definitions(project).spine(name)
    stored = materialize_spine(project, spine, Sources(project))
    used(stored.node)
    return read_stored(stored).collect()


def training_frame(
    spine: pl.DataFrame | pl.LazyFrame | pd.DataFrame,
    features: Sequence[str],
    *,
    event_time: str = "event_time",
    project: Project | None = None,
    cluster: str | None = None,
) -> pl.DataFrame:
    """Join features to a spine as they were known at each row's `event_time`.

    Parameters
    ----------
    spine
        The rows, with an aware `event_time` and the entity columns of the views. A lazy frame is
        collected; of a pandas frame the columns count and not the index.
    features
        `view:feature`, or `view` for all of its features. A request view may use the features of
        the views named before it.
    cluster
        The address of a Dask scheduler (`tcp://host:8786`) whose workers see the project's folder.

    Returns
    -------
    polars.DataFrame
        The spine's columns and one column `view__feature` for each feature; the same rows in the
        same order. Its `event_time` is in microseconds, UTC.

    Raises
    ------
    NotFoundError
        For an unknown view or feature.
    FeatureError
        If the spine lacks an entity column or its time is naive, if two columns would have the
        same name, or if a request view uses values of other rows.
    """
    project = project or Project.find()
    frame = _collected(spine)
    joining = _Joining(project, load_definitions(project), Sources(project), event_time, cluster)
    joined = joining.join(frame, features)
    used(*joining.nodes)
    return joined


def build_frame(project: Project, spine_name: str, features: Sequence[str]) -> BuiltFrame:
    """Join features to all rows of a declared spine, and say what it was made from."""
    definitions = load_definitions(project)
    spine = definitions.spine(spine_name)
    sources = Sources(project)
    stored = materialize_spine(project, spine, sources)
    joining = _Joining(project, definitions, sources, spine.event_time)
    joining.spine = stored.node
    frame = joining.join(read_stored(stored).collect(), features)
    return BuiltFrame(frame, [stored.node, *joining.nodes])


@dataclass
class _Joining:
    """One spine on its way through its views."""

    project: Project
    definitions: Definitions
    sources: Sources
    event_time: str
    cluster: str | None = None
    nodes: list[str] = field(default_factory=list)
    views: dict[str, str] = field(default_factory=dict)
    spine: str | None = None

    def join(self, spine: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
        """Add the features to a spine."""
        frame = to_utc(spine.lazy(), self.event_time, "spine").collect()
        questions: dict[tuple[tuple[str, pl.DataType], ...], Asked] = {}
        wanted = _by_view(features, self.definitions.views)
        _check_columns(frame, wanted)
        for name, names in wanted.items():
            view = self.definitions.view(name)
            if isinstance(view, RequestView):
                frame = _requested(frame, view, names)
                node = f"view:{name}@{view.digest[:16]}"
                needed = request_columns(view, node, self.views, self.spine)
                link_all(self.project, column_edges(node, needed))
                self._use(node, names)
                continue
            stored = materialize(self.project, view, self.sources)
            self._use(stored.node, names)
            keys = _keys(frame, stored)
            asked = questions.get(kind := tuple(keys.schema.items()))
            if asked is None:  # views of the same entity are asked the same
                asked = questions[kind] = ask(
                    keys.with_columns(frame[self.event_time].alias(_AT)), view.entity, _AT
                )
            answers = join_view(
                asked,
                stored,
                names,
                frame.height,
                memory_mb=self.project.settings.memory_mb,
                cluster=self.cluster,
            )
            frame = frame.with_columns(answers.get_columns())
        return frame

    def _use(self, view: str, names: Sequence[str]) -> None:
        """Let the chain lead through the features that were asked for, not the view as a whole."""
        features = [feature_node(view, name) for name in names]
        link_all(self.project, [Edge(source=view, target=n, relation="has") for n in features])
        self.views[view.partition(":")[2].rpartition("@")[0]] = view
        self.nodes += features


_AT = "__at"


def _collected(spine: pl.DataFrame | pl.LazyFrame | pd.DataFrame) -> pl.DataFrame:
    if isinstance(spine, pl.DataFrame):
        return spine
    try:
        return spine.collect() if isinstance(spine, pl.LazyFrame) else _from_pandas(spine)
    except pl.exceptions.PolarsError as error:
        raise FeatureError(f"spine: {str(error).partition(chr(10))[0]}") from error
    except TypeError as error:
        kind = type(spine).__name__
        raise UsageError(f"spine: it is a {kind}; expected a frame of polars or pandas") from error


def _from_pandas(spine: pd.DataFrame) -> pl.DataFrame:
    with warnings.catch_warnings():
        # Of how pyarrow asks pandas for aware times; what it gets is right.
        warnings.simplefilter("ignore", DeprecationWarning)
        return pl.from_pandas(spine)


def _by_view(features: Sequence[str], views: Mapping[str, View]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for reference in [features] if isinstance(features, str) else features:
        if not isinstance(reference, str):
            raise UsageError(f"feature {reference!r}: expected 'view:feature', or 'view'")
        view_name, _, feature = reference.partition(":")
        if view_name not in views:
            raise NotFoundError.named("feature view", view_name, views)
        known = list(views[view_name].features)
        if feature and feature not in known:
            raise NotFoundError.named("feature", feature, known, f" of view {view_name}")
        names = wanted.setdefault(view_name, [])
        names.extend(name for name in ([feature] if feature else known) if name not in names)
    return wanted


def _check_columns(spine: pl.DataFrame, wanted: Mapping[str, Sequence[str]]) -> None:
    """Refuse a feature whose column is another one's."""
    owners = dict.fromkeys(spine.columns, "the spine")
    for view, names in wanted.items():
        for name in names:
            column = f"{view}__{name}"
            if column in owners:
                raise FeatureError(
                    f"training frame: {view}:{name} is the column {column!r}, which is "
                    f"{owners[column]}'s already; rename one of them, or leave it out"
                )
            owners[column] = f"{view}:{name}"


def _requested(frame: pl.DataFrame, view: RequestView, names: list[str]) -> pl.DataFrame:
    expressions = view.run()
    columns = [expressions[name].alias(f"{view.name}__{name}") for name in names]
    try:
        joined = frame.with_columns(columns)
        differing = _of_other_rows(frame, joined, columns)
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise FeatureError(f"training frame: {view.name}: {reason}") from error
    if differing:
        raise FeatureError(
            f"{view.where}: {differing} has other values in a whole frame than row by row; a "
            "request is served by itself, so it may not use values of other rows (no mean, shift, "
            "rank, over)"
        )
    return joined


_TRIED_ROWS, _SINGLE_ROWS = 100_000, 16


def _of_other_rows(
    frame: pl.DataFrame, joined: pl.DataFrame, columns: Sequence[pl.Expr]
) -> str | None:
    """Name a column that is another one where rows are missing: every other row, or all but one."""
    height = min(frame.height, _TRIED_ROWS)
    if height < 2:
        return None
    places = pl.int_range(height, eager=True)
    alone = places.gather_every(max(1, height // _SINGLE_ROWS))
    parts = [
        places.gather_every(2),
        places.gather_every(2, 1),
        *(alone[n : n + 1] for n in range(alone.len())),
    ]
    names = joined.columns[-len(columns) :]
    lazy = frame.lazy()
    found = pl.collect_all(
        [lazy.select(pl.all().gather(part)).with_columns(columns).select(names) for part in parts]
    )
    return next(
        (
            column
            for part, values in zip(parts, found, strict=True)
            for column in names
            if not values[column].equals(joined[column].gather(part), check_dtypes=False)
        ),
        None,
    )


def _keys(spine: pl.DataFrame, stored: Stored) -> pl.DataFrame:
    """Return the entity columns of a spine, as the view has them."""
    view, have = stored.view, key_types(stored)
    for key in view.entity:
        if key not in spine.columns:
            raise FeatureError(f"the spine has no column {key!r}, the entity of view {view.name}")
        if not _comparable(spine.schema[key], have[key]):
            raise FeatureError(
                f"entity {key!r} is {spine.schema[key]} in the spine "
                f"and {have[key]} in view {view.name}"
            )
    # A key too large for the view's integers is null then, and can't be anybody's.
    return spine.select(pl.col(key).cast(have[key], strict=False) for key in view.entity)


def _comparable(one: pl.DataType, other: pl.DataType) -> bool:
    texts = (pl.String, pl.Categorical, pl.Enum)
    return (
        one in (other, pl.Null)
        or (one.is_integer() and other.is_integer())
        or (one in texts and other in texts)
    )
