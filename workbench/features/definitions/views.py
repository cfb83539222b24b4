"""The three kinds of definition: spine, feature view, request view."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import polars as pl

from workbench.errors import FeatureError, WorkbenchError
from workbench.features.definitions.aggregates import Aggregate
from workbench.features.definitions.code import Code
from workbench.features.definitions.own import importing
from workbench.features.definitions.results import (
    checked_events,
    checked_expressions,
    checked_rows,
    checked_spine,
)

__all__ = ["Availability", "FeatureView", "RequestView", "Spine", "View"]

Availability = Literal["batch", "streaming", "request"]


@dataclass(frozen=True)
class _Definition:
    name: str
    description: str
    build: Callable[..., Any] = field(repr=False)
    code: Code = field(repr=False)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The sources it reads: the names of its function's parameters."""
        return tuple(inspect.signature(self.build).parameters)

    @property
    def where(self) -> str:
        """The file and the name, as an error says them: `features/shops.py: sold`."""
        package, _, file = self.build.__module__.rpartition(".")
        return f"features/{file}.py: {self.name}" if package == "features" else self.name

    @cached_property
    def digest(self) -> str:
        """A digest of all that it says: declaration, words, code and what the code uses."""
        return _digest([self.name, self._declared(), self.code.own, *self.code.used])

    @property
    def code_digest(self) -> str:
        """A digest of the code that computes its values, without words and declaration."""
        return _digest([*self.code.values])

    def _declared(self) -> dict[str, Any]:
        fields = {**vars(self), "build": None, "code": None}
        return {name: value for name, value in fields.items() if name in self.__match_args__}

    def _call(self, **sources: pl.LazyFrame) -> Any:
        ours = self.build.__module__.startswith("features.")
        root = Path(self.build.__code__.co_filename).parents[1] if ours else None
        try:
            with importing(root) if root else nullcontext():
                return self.build(**sources)
        except WorkbenchError:
            raise
        except Exception as error:
            reason = str(error).partition("\n")[0]
            raise FeatureError(f"{self.where}: {type(error).__name__}: {reason}") from error


@dataclass(frozen=True)
class Spine(_Definition):
    """Rows to predict: key, entities, the moment asked about, and the label once it is known."""

    key: str
    event_time: str
    label: str
    label_time: str

    def run(self, **sources: pl.LazyFrame) -> pl.LazyFrame:
        """Call the function and check its rows; their times are microseconds in UTC.

        Raises
        ------
        FeatureError
            If it raises anything, lacks a column or has a time without a zone.
        """
        return checked_spine(self._call(**sources), self)


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
    freshness: str | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns of its events that the aggregates need, besides entity and times."""
        columns = dict.fromkeys(a.column for a in self.aggregates if a.column is not None)
        return tuple(column for column in columns if column not in self.entity)

    def run(self, **sources: pl.LazyFrame) -> pl.LazyFrame:
        """Call the function and check its rows; their times are microseconds in UTC.

        A function may drop rows and may pass on columns of its sources that aren't declared; a
        column that it makes itself has to be, unless it is a moment. Events may have any columns,
        for their features are the aggregates. Expressions (a dictionary instead of a frame) are
        evaluated on the only source and keep its rows.

        Raises
        ------
        FeatureError
            If it raises anything, lacks a column, makes one that isn't declared, has a time
            without a zone, or a column that can't be aggregated.
        """
        result = self._call(**sources)
        check = checked_events if self.aggregates else checked_rows
        return check(result, self, sources)


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

    def run(self) -> dict[str, pl.Expr]:
        """Call the function and check that it gives an expression for each feature.

        Raises
        ------
        FeatureError
            If it raises anything or gives something else.
        """
        return checked_expressions(self._call(), self.features, self.where)


View = FeatureView | RequestView


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
