"""Datasets: a named source as it was read."""

from __future__ import annotations

from datetime import datetime

import polars as pl
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.data.digest import digest_parts
from workbench.data.recipes import Recipe
from workbench.errors import NotFoundError, UsageError
from workbench.project import Project
from workbench.store import DatasetRow, database, insert_missing, now

__all__ = ["Dataset", "find_dataset", "list_datasets", "record"]


class Dataset(BaseModel):
    """What was read: where from, its columns and types, how many rows, its digest and how."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    name: str
    address: str
    columns: dict[str, str]
    rows: int
    digest: str
    read_at: datetime
    recipe: Recipe = Recipe()

    @property
    def node(self) -> str:
        """The dataset's name in the lineage."""
        return f"dataset:{self.label}"

    @property
    def stamped(self) -> bool:
        """Whether it was too large to digest, and its digest is of its source's stamp."""
        return self.digest.startswith("stamp-")

    @property
    def label(self) -> str:
        """The dataset's name as commands take it: `flights@0f3a…`."""
        return f"{self.name}@{self.digest[:12]}"


def record(
    project: Project,
    name: str,
    address: str,
    frame: pl.DataFrame | pl.LazyFrame,
    recipe: Recipe | None = None,
) -> Dataset:
    """Record that `frame` was read from `address` under `name`; the same content only once.

    A lazy frame is read through once, in batches. Of the same content read in several ways the
    first recipe stands, and the last time.
    """
    parts, moment = digest_parts(frame), now()
    made = (recipe or Recipe()).model_copy(update={"cells": parts.cells}).stored()
    dataset = {
        "name": name,
        "address": address,
        "schema": {column: str(dtype) for column, dtype in frame.collect_schema().items()},
        "rows": parts.rows,
        "digest": parts.value,
        "recipe": made,
        "read_at": moment,
    }
    same = select(DatasetRow).where(DatasetRow.name == name, DatasetRow.digest == parts.value)
    with database(project).session() as session:
        insert_missing(session, DatasetRow, [dataset])
        row = session.scalars(same).one()
        row.read_at = moment
        return _dataset(row)


def list_datasets(project: Project) -> list[Dataset]:
    """List every dataset that was ever read, the last one that was read first."""
    newest = select(DatasetRow).order_by(DatasetRow.read_at.desc(), DatasetRow.id.desc())
    with database(project).session() as session:
        rows = session.scalars(newest).all()
        return [_dataset(row) for row in rows]


def find_dataset(project: Project, label: str) -> Dataset:
    """Find the one dataset that `NAME@DIGEST`, `NAME` (the newest) or `DIGEST` means.

    Digests may be shortened as far as they stay clear.

    Raises
    ------
    NotFoundError
        If there is none.
    UsageError
        If a shortened digest means several.
    """
    known = list_datasets(project)
    name, at, digest = label.rpartition("@")
    if not at:
        named = [dataset for dataset in known if dataset.name == label]
        if named:
            return named[0]
        digest = label
    found = [
        dataset
        for dataset in known
        if digest and dataset.digest.startswith(digest) and name in ("", dataset.name)
    ]
    if not found:
        raise NotFoundError.named("dataset", label, [dataset.label for dataset in known])
    if len({dataset.digest for dataset in found}) > 1:
        meant = ", ".join(dataset.label for dataset in found[:5])
        raise UsageError(f"{label}: means several datasets: {meant}")
    return found[0]


def _dataset(row: DatasetRow) -> Dataset:
    return Dataset(
        name=row.name,
        address=row.address,
        columns=row.schema,
        rows=row.rows,
        digest=row.digest,
        read_at=row.read_at,
        recipe=Recipe.model_validate(row.recipe),
    )
