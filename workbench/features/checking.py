"""Running views on columns without rows: a mistake in one is found before there is any data."""

from __future__ import annotations

import hashlib
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
    """The types of a view's features, and the problem where it couldn't be run.

    `inputs` is a digest of the columns that it was run on.
    """

    types: dict[str, str] = field(default_factory=dict)
    problem: str | None = None
    inputs: str = ""


def check_views(
    project: Project, views: Mapping[str, View], before: Mapping[str, Checked]
) -> dict[str, Checked]:
    """Run each view on the columns of its sources.

    Parameters
    ----------
    before
        What was found of the same definitions: on the same columns it is so again.

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
    nothing = Checked()
    return {n: _checked(view, schemas, before.get(n, nothing)) for n, view in views.items()}


def _schema(project: Project, name: str) -> pl.Schema | WorkbenchError:
    from workbench.data.sources import open_source

    try:
        return open_source(name, project).schema()
    except WorkbenchError as error:
        return error


def _checked(
    view: View, schemas: Mapping[str, pl.Schema | WorkbenchError], before: Checked
) -> Checked:
    if not isinstance(view, FeatureView):
        view.run()
        return Checked()
    frames = {}
    for name in view.sources:
        schema = schemas[name]
        if isinstance(schema, WorkbenchError):
            return Checked(before.types, str(schema))
        frames[name] = pl.LazyFrame(schema=schema)
    inputs = _digest({name: schemas[name] for name in view.sources})
    if inputs == before.inputs:
        return before
    try:
        return Checked(_types(view, view.run(**frames)), inputs=inputs)
    except FeatureError as error:
        cause = error.__cause__
        if cause is None or isinstance(cause, _MISTAKES):
            raise
        return Checked(problem=str(error))


def _digest(schemas: Mapping[str, Mapping[str, pl.DataType] | WorkbenchError]) -> str:
    return hashlib.sha256(repr(schemas).encode()).hexdigest()


def _types(view: FeatureView, rows: pl.LazyFrame) -> dict[str, str]:
    schema = rows.collect_schema()
    if view.aggregates:
        events = event_rows(rows, view)
        asked = events.select(*view.entity, "__available")
        frame = window_features(asked, events, view, list(view.features), "__available")
        schema = frame.collect_schema()
        return {name: str(schema[f"{view.name}__{name}"]) for name in view.features}
    return {name: str(schema[name]) for name in view.features}
