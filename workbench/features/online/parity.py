"""Whether a model is served what it was trained on: offline and online, cell by cell."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from workbench.errors import UsageError
from workbench.features.definitions import FeatureView, load_definitions
from workbench.features.frames import training_frame
from workbench.features.join import UTC
from workbench.features.offline import Sources, materialize, rows
from workbench.features.offline.files import reading
from workbench.features.online.progress import progress_of
from workbench.features.online.reading import OnlineReader
from workbench.features.online.stores import online_store
from workbench.project import Project
from workbench.store import now as present

__all__ = ["Difference", "Parity", "check_parity"]

_MOMENT = "__moment"
_CLOSE = 1e-9
"""How far two sums of the same floats may be apart that were added up in another order."""


class Difference(BaseModel):
    """A cell that isn't the same."""

    model_config = ConfigDict(frozen=True)

    entity: dict[str, Any]
    feature: str
    offline: Any
    online: Any


class Parity(BaseModel):
    """What was compared, as of when, and every cell that differs."""

    model_config = ConfigDict(frozen=True)

    view: str
    moment: datetime
    entities: int
    cells: int
    differences: list[Difference]


def check_parity(
    project: Project,
    view: str,
    sample: int = 1000,
    *,
    now: datetime | None = None,
    seed: int = 0,
) -> Parity:
    """Compare the features of sampled entities: a training frame of `now` with what is online.

    A window that ended when it was materialised isn't the one that ends now: aggregates are
    compared as of the moment that each of their rows has online.

    Raises
    ------
    UsageError
        For a view that is computed from the request, and so has nothing stored.
    FeatureError
        If the view isn't in the online store.
    """
    declared = load_definitions(project).view(view)
    if not isinstance(declared, FeatureView):
        raise UsageError(f"feature view {view} is computed from the request: nothing to compare")
    moment = now or present()
    reader = OnlineReader(view, project)
    stored = materialize(project, declared, Sources(project))
    with reading(stored.paths):
        entities = _sampled(rows(stored), declared, sample, seed)
    online = reader.frame(entities, now=moment)
    if declared.aggregates:
        moments = reader.moments(entities).fill_null(_until(project, view) or moment)
    else:
        moments = pl.repeat(moment, entities.height, dtype=UTC, eager=True)
    entities = entities.with_columns(moments.alias(_MOMENT))
    offline = training_frame(entities, [view], event_time=_MOMENT, project=project)
    columns = [f"{view}__{name}" for name in declared.features]
    return Parity(
        view=view,
        moment=moment,
        entities=entities.height,
        cells=entities.height * len(columns),
        differences=[
            difference
            for name in declared.features
            for difference in _differences(declared, name, offline, online)
        ],
    )


def _until(project: Project, view: str) -> datetime | None:
    """Return the moment of which an entity without a row has no events."""
    known = progress_of(project, online_store(project).address).get(view)
    return known.until if known else None


def _sampled(known: pl.LazyFrame, view: FeatureView, sample: int, seed: int) -> pl.DataFrame:
    entities = known.select(view.entity).unique().sort(view.entity).collect()
    if entities.height <= sample:
        return entities
    return entities.sample(sample, seed=seed).sort(view.entity)


def _differences(
    view: FeatureView, name: str, offline: pl.DataFrame, online: pl.DataFrame
) -> list[Difference]:
    column = f"{view.name}__{name}"
    there, here = offline[column], online[column]
    if there.dtype != here.dtype:
        both = {"offline": str(there.dtype), "online": str(here.dtype)}
        return [Difference(entity={}, feature=name, **both)]
    at = there.ne_missing(here).arg_true().to_list()
    return [
        Difference(
            entity=offline.select(view.entity).row(row, named=True),
            feature=name,
            offline=there[row],
            online=here[row],
        )
        for row in at
        if not (view.aggregates and _close(there[row], here[row]))
    ]


def _close(one: Any, other: Any) -> bool:
    both = isinstance(one, float) and isinstance(other, float)
    return both and math.isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE)
