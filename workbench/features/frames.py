"""Training frames: a spine with its features as they were known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from workbench.errors import FeatureError, NotFoundError
from workbench.features.definitions import (
    Definitions,
    FeatureView,
    RequestView,
    View,
    duration,
    load_definitions,
)
from workbench.features.join import asof_features, in_order, restored, to_utc, window_features
from workbench.features.offline import Sources, materialize, materialize_spine, read_stored
from workbench.project import Project

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
    return read_stored(materialize_spine(project, spine, Sources(project))).collect()


def training_frame(
    spine: pl.DataFrame,
    features: Sequence[str],
    *,
    event_time: str,
    project: Project | None = None,
) -> pl.DataFrame:
    """Join features to a spine as they were known at each row's `event_time`.

    Parameters
    ----------
    spine
        The rows, with an aware `event_time` and the entity columns of the views.
    features
        `view:feature`, or `view` for all of its features. A request view may use the features of
        the views named before it.

    Returns
    -------
    polars.DataFrame
        The spine's columns and one column `view__feature` for each feature; the same rows in the
        same order.

    Raises
    ------
    NotFoundError
        For an unknown view or feature.
    FeatureError
        If the spine lacks an entity column or its time is naive.
    """
    project = project or Project.find()
    definitions = load_definitions(project)
    return _joined_frame(project, definitions, Sources(project), spine, features, event_time)[0]


def build_frame(project: Project, spine_name: str, features: Sequence[str]) -> BuiltFrame:
    """Join features to all rows of a declared spine, and say what it was made from."""
    definitions = load_definitions(project)
    spine = definitions.spine(spine_name)
    sources = Sources(project)
    stored = materialize_spine(project, spine, sources)
    rows = read_stored(stored).collect()
    frame, nodes = _joined_frame(project, definitions, sources, rows, features, spine.event_time)
    return BuiltFrame(frame, [stored.node, *nodes])


def _joined_frame(
    project: Project,
    definitions: Definitions,
    sources: Sources,
    spine: pl.DataFrame,
    features: Sequence[str],
    event_time: str,
) -> tuple[pl.DataFrame, list[str]]:
    nodes = []
    frame = in_order(to_utc(spine.lazy(), event_time, "spine"), event_time)
    try:
        for view_name, names in _by_view(features, definitions.views).items():
            view = definitions.view(view_name)
            if isinstance(view, RequestView):
                frame = _requested(frame, view, names)
            else:
                stored = materialize(project, view, sources)
                nodes.append(stored.node)
                frame = _joined(frame, view, read_stored(stored), names, event_time)
        result = restored(frame).collect()
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise FeatureError(f"training frame: {reason}") from error
    if result.height != spine.height:
        raise FeatureError(f"rows in {spine.height}, rows out {result.height}: a view multiplies")
    return result, nodes


def _by_view(features: Sequence[str], views: Mapping[str, View]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for reference in features:
        view_name, _, feature = reference.partition(":")
        if view_name not in views:
            raise NotFoundError.named("feature view", view_name, views)
        known = list(views[view_name].features)
        if feature and feature not in known:
            raise NotFoundError.named("feature", feature, known, f" of view {view_name}")
        names = wanted.setdefault(view_name, [])
        names.extend(name for name in ([feature] if feature else known) if name not in names)
    return wanted


def _requested(frame: pl.LazyFrame, view: RequestView, names: list[str]) -> pl.LazyFrame:
    expressions = view.run()
    if not isinstance(expressions, dict):
        kind = type(expressions).__name__
        raise FeatureError(f"request view {view.name}: expected a dict, it returned a {kind}")
    if sorted(expressions) != sorted(view.features):
        raise FeatureError(
            f"request view {view.name}: declares {', '.join(view.features)}; "
            f"returns {', '.join(expressions)}"
        )
    return frame.with_columns(expressions[name].alias(f"{view.name}__{name}") for name in names)


def _joined(
    frame: pl.LazyFrame, view: FeatureView, rows: pl.LazyFrame, names: list[str], moment: str
) -> pl.LazyFrame:
    rows = _with_entity(rows, view, frame)
    if not view.aggregates:
        ttl = duration(view.ttl) if view.ttl else None
        return asof_features(frame, rows, view.entity, moment, names, ttl, view.name)
    windows = [
        (aggregate.name, aggregate.column, aggregate.kind, duration(aggregate.over))
        for aggregate in view.aggregates
        if aggregate.name in names
    ]
    return window_features(frame, rows, view.entity, moment, windows, view.name)


def _with_entity(rows: pl.LazyFrame, view: FeatureView, spine: pl.LazyFrame) -> pl.LazyFrame:
    """Check the entity columns of a spine, and give the view's rows the types that it has."""
    want, have = spine.collect_schema(), rows.collect_schema()
    for key in view.entity:
        if key not in want:
            raise FeatureError(f"the spine has no column {key!r}, the entity of view {view.name}")
        if want[key] != have[key] and not (want[key].is_integer() and have[key].is_integer()):
            raise FeatureError(
                f"entity {key!r} is {want[key]} in the spine and {have[key]} in view {view.name}"
            )
    other = [key for key in view.entity if want[key] != have[key]]
    # A key too large for the spine's integers is null then, and can't be anybody's.
    cast = rows.with_columns(pl.col(key).cast(want[key], strict=False) for key in other)
    return cast.drop_nulls(other) if other else rows
