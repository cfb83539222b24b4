"""What a project's `features/*.py` declares."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import re
import runpy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl

from workbench.errors import ConfigError, FeatureError, NotFoundError, WorkbenchError
from workbench.project import Project

__all__ = [
    "Aggregate",
    "Count",
    "Definitions",
    "FeatureView",
    "Rate",
    "RequestView",
    "Spine",
    "duration",
    "feature_view",
    "load_definitions",
    "request_view",
    "spine",
]

Availability = Literal["batch", "streaming", "request"]
Transformation = Callable[..., pl.LazyFrame]

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """Parse `90m`, `24h` or `7d`.

    >>> duration("7d")
    datetime.timedelta(days=7)
    """
    match = re.fullmatch(r"([1-9][0-9]*)([mhd])", text)
    if match is None:
        raise FeatureError(f"duration {text!r}: expected a whole number and m, h or d, like 24h")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


@dataclass(frozen=True)
class Aggregate:
    """A number over the events of the window (t - over, t], t being the moment asked about."""

    column: str | None
    over: str
    kind: Literal["rate", "count"]

    @property
    def name(self) -> str:
        """The feature's name within its view."""
        return "_".join(part for part in (self.column, self.kind, self.over) if part)

    @property
    def description(self) -> str:
        """What the catalogue says of it."""
        what = f"share of {self.column}" if self.kind == "rate" else "number of events"
        return f"{what} over the past {self.over}"


def Rate(column: str, over: str) -> Aggregate:
    """Declare the mean of a Boolean (or 0/1) column over a past window; null without events."""
    duration(over)
    return Aggregate(column, over, "rate")


def Count(over: str) -> Aggregate:
    """Declare the number of events in a past window; 0 without any."""
    duration(over)
    return Aggregate(None, over, "count")


@dataclass(frozen=True)
class _Definition:
    name: str
    description: str
    build: Callable[..., Any] = field(repr=False)
    source_code: str = field(repr=False)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The sources it reads: the names of its function's parameters."""
        return tuple(inspect.signature(self.build).parameters)

    def run(self, **sources: pl.LazyFrame) -> Any:
        """Call the function.

        Raises
        ------
        FeatureError
            If it raises anything.
        """
        try:
            return self.build(**sources)
        except WorkbenchError:
            raise
        except Exception as error:
            reason = str(error).partition("\n")[0]
            raise FeatureError(f"{self.name}: {type(error).__name__}: {reason}") from error

    @cached_property
    def digest(self) -> str:
        """A digest of the definition's text, decorator, module helpers and all."""
        return hashlib.sha256(self.source_code.encode()).hexdigest()


@dataclass(frozen=True)
class Spine(_Definition):
    """Rows to predict: key, entities, the moment asked about, and the label once it is known."""

    key: str
    event_time: str
    label: str
    label_time: str


@dataclass(frozen=True)
class FeatureView(_Definition):
    """Features of an entity over time, as rows or as aggregates over windows of events."""

    entity: tuple[str, ...]
    event_time: str | None
    created: str | None
    ttl: str | None
    features: Mapping[str, str]
    aggregates: tuple[Aggregate, ...]
    owner: str
    tags: tuple[str, ...]
    availability: Availability


@dataclass(frozen=True)
class RequestView(_Definition):
    """Features computed from the spine's own columns and from features joined before."""

    features: Mapping[str, str]
    owner: str
    tags: tuple[str, ...]
    availability: Availability = "request"

    @property
    def entity(self) -> tuple[str, ...]:
        """None: a request brings its own values."""
        return ()

    @property
    def ttl(self) -> None:
        """None: a request's values are as new as the request."""
        return None


View = FeatureView | RequestView


def spine(
    *, key: str, event_time: str, label: str, label_time: str
) -> Callable[[Transformation], Spine]:
    """Declare the rows to predict; the function's parameters name the sources it reads."""

    def declare(build: Transformation) -> Spine:
        return Spine(
            **_identity(build), key=key, event_time=event_time, label=label, label_time=label_time
        )

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
) -> Callable[[Transformation], FeatureView]:
    """Declare a feature view; the function's docstring is its description.

    Parameters
    ----------
    entity
        The column or columns that a spine is joined on.
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
        `Rate` and `Count` over past windows of the rows, which then are events.
    """
    if (features is None) == (not aggregates):
        raise FeatureError("a feature view has either features or aggregates")
    if aggregates and event_time is None:
        raise FeatureError("aggregates over a window need an event_time")
    if ttl is not None:
        duration(ttl)
        if event_time is None or aggregates:
            raise FeatureError("a ttl is the age of a row: it needs an event_time and features")

    def declare(build: Transformation) -> FeatureView:
        named = features or {aggregate.name: aggregate.description for aggregate in aggregates}
        return FeatureView(
            **_identity(build),
            entity=(entity,) if isinstance(entity, str) else tuple(entity),
            event_time=event_time,
            created=created,
            ttl=ttl,
            features=named,
            aggregates=tuple(aggregates),
            owner=owner,
            tags=tuple(tags),
            availability=availability,
        )

    return declare


def request_view(
    *, features: Mapping[str, str], owner: str, tags: Sequence[str] = ()
) -> Callable[[Callable[[], dict[str, pl.Expr]]], RequestView]:
    """Declare features computed from the request: the function returns an expression for each."""

    def declare(build: Callable[[], dict[str, pl.Expr]]) -> RequestView:
        return RequestView(**_identity(build), features=features, owner=owner, tags=tuple(tags))

    return declare


def _identity(build: Callable[..., Any]) -> dict[str, Any]:
    description = inspect.cleandoc(build.__doc__ or "")
    if not description:
        raise FeatureError(f"{build.__name__}: a docstring is required; it is the description")
    # The whole module counts, not the function alone: helpers and constants change values too.
    module = Path(inspect.getfile(build)).read_text(encoding="utf-8")
    return {
        "name": build.__name__,
        "description": description,
        "build": build,
        "source_code": json.dumps([build.__name__, module]),
    }


@dataclass(frozen=True)
class Definitions:
    """Everything that a project declares, by name."""

    views: Mapping[str, View]
    spines: Mapping[str, Spine]

    def view(self, name: str) -> View:
        """Return the view called `name`."""
        if name not in self.views:
            raise NotFoundError.named("feature view", name, self.views)
        return self.views[name]

    def spine(self, name: str) -> Spine:
        """Return the spine called `name`."""
        if name not in self.spines:
            raise NotFoundError.named("spine", name, self.spines)
        return self.spines[name]


def load_definitions(project: Project) -> Definitions:
    """Run the project's `features/*.py` and collect what they declare.

    Raises
    ------
    ConfigError
        If a file can't be run; the message names the file and its error.
    FeatureError
        If the same name is declared twice.
    """
    views: dict[str, View] = {}
    spines: dict[str, Spine] = {}
    for path in sorted((project.root / "features").glob("*.py")):
        declared = _run(path)
        twice = _repeated(path, {definition.name for definition in declared})
        if twice:
            raise FeatureError(f"{path.name}: {twice} is declared twice")
        for definition in declared:
            known: dict[str, Any] = spines if isinstance(definition, Spine) else views
            if definition.name in known:
                raise FeatureError(f"{path.name}: {definition.name} is declared twice")
            known[definition.name] = definition
    return Definitions(views, spines)


def _run(path: Path) -> list[View | Spine]:
    try:
        namespace = runpy.run_path(str(path), run_name=f"features.{path.stem}")
    except FeatureError as error:
        raise FeatureError(f"features/{path.name}: {error}") from error
    except Exception as error:
        raise ConfigError(
            f"features/{path.name}: can't be run: {type(error).__name__}: {error}"
        ) from error
    kinds = (FeatureView, RequestView, Spine)
    return [value for value in namespace.values() if isinstance(value, kinds)]


def _repeated(path: Path, names: set[str]) -> str | None:
    """Name a definition that a later one in the file replaced, which running it can't tell."""
    seen: set[str] = set()
    for statement in ast.parse(path.read_bytes()).body:
        if isinstance(statement, ast.FunctionDef) and statement.name in names:
            if statement.name in seen:
                return statement.name
            seen.add(statement.name)
    return None
