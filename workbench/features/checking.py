"""Running views on columns without rows: a mistake in one is found before there is any data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from workbench.errors import FeatureError, WorkbenchError
from workbench.features.definitions import FeatureView, View
from workbench.features.join.windows import event_rows, window_features
from workbench.project import Project

__all__ = ["Checked", "check_views"]

_MISTAKES = (
    NameError,
    pl.exceptions.ColumnNotFoundError,
    pl.exceptions.DuplicateError,
    pl.exceptions.InvalidOperationError,
    pl.exceptions.SchemaError,
    pl.exceptions.SchemaFieldNotFoundError,
    pl.exceptions.StructFieldNotFoundError,
)
"""What is wrong whatever the rows are. Anything else that is raised may be for want of them."""


@dataclass(frozen=True)
class Checked:
    """The types of a view's features; none, and the problem, where it couldn't be run."""

    types: dict[str, str] = field(default_factory=dict)
    problem: str | None = None


def check_views(project: Project, views: Mapping[str, View]) -> dict[str, Checked]:
    """Run each view on the columns of its sources.

    Raises
    ------
    FeatureError
        If a view's function returns something that it may not. A source that can't be read, or a
        function that can't do without rows, is no mistake of the definition.
    """
    schemas: dict[str, pl.Schema | WorkbenchError] = {}
    for view in views.values():
        for name in view.sources:
            if name not in schemas:
                schemas[name] = _schema(project, name)
    return {name: _checked(view, schemas) for name, view in views.items()}


def _schema(project: Project, name: str) -> pl.Schema | WorkbenchError:
    from workbench.data.sources import open_source

    try:
        return open_source(name, project).schema()
    except WorkbenchError as error:
        return error


def _checked(view: View, schemas: Mapping[str, pl.Schema | WorkbenchError]) -> Checked:
    if not isinstance(view, FeatureView):
        view.run()
        return Checked()
    frames = {}
    for name in view.sources:
        schema = schemas[name]
        if isinstance(schema, WorkbenchError):
            return Checked(problem=str(schema))
        frames[name] = pl.LazyFrame(schema=schema)
    try:
        return Checked(_types(view, view.run(**frames)))
    except FeatureError as error:
        cause = error.__cause__
        if cause is None or isinstance(cause, _MISTAKES):
            raise
        return Checked(problem=str(error))


def _types(view: FeatureView, rows: pl.LazyFrame) -> dict[str, str]:
    schema = rows.collect_schema()
    if view.aggregates:
        events = event_rows(rows, view)
        asked = events.select(*view.entity, "__available")
        frame = window_features(asked, events, view, list(view.features), "__available")
        schema = frame.collect_schema()
        return {name: str(schema[f"{view.name}__{name}"]) for name in view.features}
    return {name: str(schema[name]) for name in view.features}
