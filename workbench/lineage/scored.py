"""A scored row, found by its key: which window it is in, what it was given and by which version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.errors import NotFoundError, UsageError
from workbench.project import Project
from workbench.store import PredictionRow, database

__all__ = ["Row", "find_row"]


class Row(BaseModel):
    """One prediction: its window's node, its key and what was predicted."""

    model_config = ConfigDict(frozen=True)

    node: str
    factory: str
    key: str
    prediction: float | None
    model: str
    version: str
    window_start: datetime

    def __str__(self) -> str:
        """Say it in a line."""
        value = "nothing" if self.prediction is None else f"{self.prediction:.6g}"
        return f"{self.key}: predicted {value} by {self.model}/{self.version}"


def find_row(project: Project, text: str) -> Row:
    """Find the newest prediction for a key.

    Parameters
    ----------
    text
        `prediction:FACTORY/KEY`, or `predictions:FACTORY/DAY#KEY` for that of one window.

    Raises
    ------
    NotFoundError
        If the factory has scored nothing, or no row with that key.
    UsageError
        If there is no key.
    """
    factory, rest = text.partition(":")[2].partition("/")[::2]
    in_window = text.startswith("predictions:")
    window, key = rest.split("#", 1) if in_window and "#" in rest else ("", rest)
    if not key:
        raise UsageError(f"{text}: expected prediction:FACTORY/KEY")
    of_factory = select(PredictionRow).where(PredictionRow.factory == factory)
    with database(project).session() as session:
        scored = session.scalars(of_factory.order_by(PredictionRow.window_start)).all()
        others = session.scalars(select(PredictionRow.factory).distinct()).all()
    if not scored:
        raise NotFoundError.named("scored factory", factory, others)
    named = [row for row in scored if _node(row).partition("/")[2].startswith(window)]
    if not named:
        windows = [_node(row).partition("/")[2] for row in scored]
        raise NotFoundError.named("scored window", window, windows, f" of factory {factory}")
    for row in reversed(named):
        found = _look(project, row, key)
        if found is not None:
            return found
    where = f"{len(named)} scored window{'s' if len(named) > 1 else ''} of factory {factory}"
    raise NotFoundError(f"{text}: no row has the key {key!r} in {where}")


def _look(project: Project, row: PredictionRow, key: str) -> Row | None:
    path = project.root / row.path
    if not path.exists():
        return None
    rows = pl.scan_parquet(path, glob=False)
    column = rows.collect_schema().names()[0]  # the key stands first
    wanted = pl.col(column).cast(pl.String) == key
    found: list[dict[str, Any]] = rows.filter(wanted).select("prediction").collect().to_dicts()
    if not found:
        return None
    return Row(
        node=_node(row),
        factory=row.factory,
        key=key,
        prediction=found[-1]["prediction"],
        model=row.model,
        version=row.version,
        window_start=row.window_start,
    )


def _node(row: PredictionRow) -> str:
    return f"predictions:{row.factory}/{row.window_start:%Y-%m-%d}@{row.digest[:12]}"
