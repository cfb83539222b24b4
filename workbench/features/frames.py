"""Training frames: a spine with its features as they were known."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from workbench.errors import FeatureError, NotFoundError
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
from workbench.lineage import used
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
    spine: pl.DataFrame | pd.DataFrame,
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
        The rows, with an aware `event_time` and the entity columns of the views. Of a pandas frame
        the columns count and not the index.
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
        If the spine lacks an entity column or its time is naive.
    """
    project = project or Project.find()
    frame = spine if isinstance(spine, pl.DataFrame) else _from_pandas(spine)
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

    def join(self, spine: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
        """Add the features to a spine."""
        frame = to_utc(spine.lazy(), self.event_time, "spine").collect()
        questions: dict[tuple[tuple[str, pl.DataType], ...], Asked] = {}
        for name, names in _by_view(features, self.definitions.views).items():
            view = self.definitions.view(name)
            if isinstance(view, RequestView):
                frame = _requested(frame, view, names)
                continue
            stored = materialize(self.project, view, self.sources)
            self.nodes.append(stored.node)
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


_AT = "__at"


def _from_pandas(spine: pd.DataFrame) -> pl.DataFrame:
    with warnings.catch_warnings():
        # Of how pyarrow asks pandas for aware times; what it gets is right.
        warnings.simplefilter("ignore", DeprecationWarning)
        return pl.from_pandas(spine)


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


def _requested(frame: pl.DataFrame, view: RequestView, names: list[str]) -> pl.DataFrame:
    expressions = view.run()
    try:
        return frame.with_columns(expressions[name].alias(f"{view.name}__{name}") for name in names)
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise FeatureError(f"training frame: {view.name}: {reason}") from error


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
