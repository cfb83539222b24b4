"""Datasets: a named source as it was read."""

from __future__ import annotations

from datetime import datetime

import polars as pl
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.data.digest import frame_digest
from workbench.project import Project
from workbench.store import DatasetRow, database, insert_missing, now

__all__ = ["Dataset", "list_datasets", "record"]


class Dataset(BaseModel):
    """What was read: where from, its columns and types, how many rows, and its digest."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    name: str
    address: str
    columns: dict[str, str]
    rows: int
    digest: str
    read_at: datetime

    @property
    def node(self) -> str:
        """The dataset's name in the lineage."""
        return f"dataset:{self.name}@{self.digest[:12]}"


def record(project: Project, name: str, address: str, frame: pl.DataFrame) -> Dataset:
    """Record that `frame` was read from `address` under `name`; the same content only once."""
    digest = frame_digest(frame)
    dataset = {
        "name": name,
        "address": address,
        "schema": {column: str(dtype) for column, dtype in frame.schema.items()},
        "rows": frame.height,
        "digest": digest,
        "read_at": now(),
    }
    same = select(DatasetRow).where(DatasetRow.name == name, DatasetRow.digest == digest)
    with database(project).session() as session:
        insert_missing(session, DatasetRow, [dataset])
        return _dataset(session.scalars(same).one())


def list_datasets(project: Project) -> list[Dataset]:
    """List every dataset that was ever read, newest first."""
    with database(project).session() as session:
        rows = session.scalars(select(DatasetRow).order_by(DatasetRow.id.desc())).all()
        return [_dataset(row) for row in rows]


def _dataset(row: DatasetRow) -> Dataset:
    return Dataset(
        name=row.name,
        address=row.address,
        columns=row.schema,
        rows=row.rows,
        digest=row.digest,
        read_at=row.read_at,
    )
