"""Runs beside each other."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import UsageError
from workbench.project import Project
from workbench.server.operation import Query
from workbench.server.resources.runs.fields import Axis, axes_of, chosen_axes
from workbench.server.resources.runs.listing import Ids, split
from workbench.server.resources.runs.pictures import page, parallel, scatter
from workbench.tracking import Comparison, get_run
from workbench.tracking import compare_runs as compare

__all__ = ["ComparisonQuery", "Picture", "PictureQuery", "compare_runs", "draw_runs"]

MOST_COMPARED = 12
"""How many runs stand side by side: each has a column."""

MOST_DRAWN = 100


class ComparisonQuery(Query):
    """Which runs."""

    runs: Ids


class PictureQuery(ComparisonQuery):
    """Which runs, and how they are drawn."""

    kind: Literal["parallel", "scatter"]
    axes: str = Field(
        default="",
        description="`metrics.roc_auc,params.depth`: of a scatter the two; chosen if empty",
    )
    theme: Literal["light", "dark"] = "light"


class Picture(BaseModel):
    """Runs drawn: a page of its own, that asks nobody for anything."""

    model_config = ConfigDict(frozen=True)

    html: str
    axes: list[str] = Field(description="what was drawn")
    available: list[str] = Field(description="what could be")


def compare_runs(project: Project, query: ComparisonQuery) -> Comparison:
    """Compare two runs or more: parameters, metrics, data, features, packages, cells."""
    ids = split(query.runs)
    if len(ids) > MOST_COMPARED:
        raise UsageError(f"{len(ids)} runs: expected {MOST_COMPARED} at most, each has a column")
    return compare(project, ids)


def draw_runs(project: Project, query: PictureQuery) -> Picture:
    """Draw runs as lines through parallel axes, or as points between two."""
    ids = split(query.runs)
    if not 2 <= len(ids) <= MOST_DRAWN:
        raise UsageError(f"{len(ids)} runs: expected from 2 to {MOST_DRAWN}")
    runs = [get_run(project, run_id) for run_id in ids]
    known = axes_of(runs)
    axes = chosen_axes(known, split(query.axes), most=None if query.kind == "parallel" else 2)
    draw = parallel if query.kind == "parallel" else scatter
    html = page(draw(runs, axes, theme=query.theme), title=", ".join(map(_name, axes)))
    return Picture(html=html, axes=[axis.name for axis in axes], available=list(known))


def _name(axis: Axis) -> str:
    return axis.label
