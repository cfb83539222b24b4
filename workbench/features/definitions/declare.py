"""The decorators of `features/*.py`, and what they refuse."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, get_args

import polars as pl

from workbench.errors import FeatureError, what_exists
from workbench.features.definitions.aggregates import Aggregate, duration
from workbench.features.definitions.code import code_of
from workbench.features.definitions.views import Availability, FeatureView, RequestView, Spine

__all__ = ["feature_view", "request_view", "spine"]

Transformation = Callable[..., "pl.LazyFrame | dict[str, pl.Expr]"]

_SHORTEST, _LONGEST = timedelta(hours=1), timedelta(days=90)


def spine(
    *, key: str, event_time: str, label: str, label_time: str
) -> Callable[[Callable[..., pl.LazyFrame]], Spine]:
    """Declare the rows to predict; the function's parameters name the sources it reads."""

    def declare(build: Callable[..., pl.LazyFrame]) -> Spine:
        made = Spine(
            **_identity(build), key=key, event_time=event_time, label=label, label_time=label_time
        )
        _check_sources(made.name, build)
        return made

    return declare


def feature_view(
    *,
    entity: str | Sequence[str],
    owner: str,
    event_time: str | None = None,
    created: str | None = None,
    ttl: str | None = None,
    features: Mapping[str, str] | None = None,
    aggregates: Sequence[Aggregate] = (),
    tags: Sequence[str] = (),
    availability: Availability = "batch",
    freshness: str | None = None,
) -> Callable[[Transformation], FeatureView]:
    """Declare a feature view; the function's docstring is its description.

    The function's parameters name the sources it reads. It returns a lazy frame, or a dictionary of
    polars expressions (name → expression) that are added to the rows of its only source.

    Parameters
    ----------
    entity
        The column or columns that a spine is joined on.
    owner
        Who answers for it.
    event_time
        The column that says since when a row is true; None for what has always been true.
    created
        The column that says when a row became known, if later than its event time. A row is never
        used for a moment before that.
    ttl
        How old a row may be (`3h`), both ends inclusive; older ones give null.
    features
        Name → description of each feature that the rows bring.
    aggregates
        `Count`, `Sum`, `Mean`, `Rate`, `Distinct` and `Last` over past windows, from an hour to 90
        days, of the rows, which then are events.
    availability
        `batch`, or `streaming` where events come through a stream.
    freshness
        A promise: how far behind the present its newest row is at most (`2h`).

    Raises
    ------
    FeatureError
        When the function is declared, for anything above that can't be.
    """

    def declare(build: Transformation) -> FeatureView:
        identity = _identity(build)
        name = identity["name"]
        _check_features(name, features, aggregates)
        named = features or {aggregate.name: aggregate.description for aggregate in aggregates}
        view = FeatureView(
            **identity,
            entity=(entity,) if isinstance(entity, str) else tuple(entity),
            event_time=event_time,
            created=created,
            ttl=ttl,
            features=dict(named),
            aggregates=tuple(aggregates),
            owner=owner,
            tags=_tags(name, tags),
            availability=availability,
            freshness=freshness,
        )
        _check_sources(name, build)
        _check_words(view)
        _check_availability(view)
        _check_times(view)
        _check_names(view)
        return view

    return declare


def request_view(
    *, features: Mapping[str, str], owner: str, tags: Sequence[str] = ()
) -> Callable[[Callable[[], dict[str, pl.Expr]]], RequestView]:
    """Declare features computed from the request: the function returns an expression for each."""

    def declare(build: Callable[[], dict[str, pl.Expr]]) -> RequestView:
        identity = _identity(build)
        view = RequestView(
            **identity, features=dict(features), owner=owner, tags=_tags(identity["name"], tags)
        )
        if view.sources:
            raise FeatureError(
                f"{view.name}: a request view reads no source, its values come with the request; "
                f"found the parameters {', '.join(view.sources)}"
            )
        _check_words(view)
        _check_names(view)
        return view

    return declare


def _identity(build: Callable[..., Any]) -> dict[str, Any]:
    name = build.__name__
    description = inspect.cleandoc(build.__doc__ or "")
    if not description:
        raise FeatureError(f"{name}: a docstring is required; it is the description")
    if "__" in name:
        raise FeatureError(f"{name}: two underscores part a view from its feature; use one")
    return {"name": name, "description": description, "build": build, "code": code_of(build)}


def _check_sources(name: str, build: Callable[..., Any]) -> None:
    parameters = inspect.signature(build).parameters.values()
    if not parameters:
        raise FeatureError(f"{name}: reads no source; name one as the function's parameter")
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise FeatureError(
                f"{name}: its parameters are the sources it reads; {parameter} names none"
            )


def _check_features(
    name: str, features: Mapping[str, str] | None, aggregates: Sequence[Aggregate]
) -> None:
    if bool(features) == bool(aggregates):
        raise FeatureError(f"{name}: a feature view has either features or aggregates")
    if features and not isinstance(features, Mapping):
        raise FeatureError(f"{name}: features: expected a dict of names and descriptions")
    for aggregate in aggregates:
        if not isinstance(aggregate, Aggregate):
            raise FeatureError(
                f"{name}: aggregates: expected Count, Sum, Mean, Rate, Distinct or Last, "
                f"found {aggregate!r}"
            )
        _in(name, f"{aggregate.kind} over", aggregate.over)
        if not _SHORTEST <= aggregate.length <= _LONGEST:
            raise FeatureError(
                f"{name}: {aggregate.kind} over {aggregate.over}: a window is from 1h to 90d long"
            )
    counts = Counter(aggregate.name for aggregate in aggregates)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise FeatureError(f"{name}: declares {twice[0]} twice")


def _tags(name: str, tags: Sequence[str]) -> tuple[str, ...]:
    if isinstance(tags, str):
        raise FeatureError(f"{name}: tags: expected a list of texts, like [{tags!r}]")
    return tuple(tags)


def _check_words(view: FeatureView | RequestView) -> None:
    if not view.owner or not isinstance(view.owner, str):
        raise FeatureError(f"{view.name}: owner: expected who answers for it, found {view.owner!r}")
    for feature, description in view.features.items():
        if not isinstance(description, str) or not description.strip():
            raise FeatureError(f"{view.name}: feature {feature!r} needs a description")


def _check_availability(view: FeatureView) -> None:
    known = get_args(Availability)
    if view.availability not in known:
        raise FeatureError(
            f"{view.name}: unknown availability {view.availability!r}: "
            f"{what_exists(str(view.availability), known)}"
        )
    if view.availability == "request":
        raise FeatureError(f"{view.name}: features of a request are declared with @request_view")
    if view.availability == "streaming" and view.event_time is None:
        raise FeatureError(f"{view.name}: a stream's events need an event_time")
    if view.freshness is not None:
        _in(view.name, "freshness", view.freshness)
        if view.event_time is None:
            raise FeatureError(f"{view.name}: freshness is the age of rows: it needs an event_time")


def _check_times(view: FeatureView) -> None:
    if view.aggregates and view.event_time is None:
        raise FeatureError(f"{view.name}: aggregates over a window need an event_time")
    if view.ttl is not None:
        _in(view.name, "ttl", view.ttl)
        if view.event_time is None or view.aggregates:
            raise FeatureError(
                f"{view.name}: a ttl is the age of a row: it needs an event_time and features"
            )


def _check_names(view: FeatureView | RequestView) -> None:
    if isinstance(view, FeatureView):
        if not view.entity:
            raise FeatureError(f"{view.name}: entity: name at least one column")
        times = [time for time in (view.event_time, view.created) if time is not None]
        _check_columns(view.name, [*view.entity, *times, *view.inputs])
        if twice := {*view.entity} & {*times, *([] if view.aggregates else view.features)}:
            raise FeatureError(f"{view.name}: {min(twice)!r} is its entity and something else too")
        if len({*view.entity}) < len(view.entity):
            raise FeatureError(f"{view.name}: entity: a column is named twice")
    _check_columns(view.name, view.features)
    if odd := [feature for feature in view.features if ":" in feature]:
        raise FeatureError(
            f"{view.name}: feature {odd[0]!r}: a colon parts a view from its feature"
        )


def _check_columns(name: str, columns: Iterable[str]) -> None:
    for column in columns:
        if not isinstance(column, str) or not column or column.startswith("__"):
            raise FeatureError(
                f"{name}: {column!r} can't be a column: expected a name "
                "that doesn't start with two underscores"
            )


def _in(name: str, what: str, text: str) -> None:
    try:
        duration(text)
    except FeatureError as error:
        raise FeatureError(f"{name}: {what}: {error}") from None
