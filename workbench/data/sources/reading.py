"""Reading a source by its name, which leaves a record of what was read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, overload

import polars as pl
from sqlalchemy import update

from workbench.data.datasets import Dataset, record
from workbench.data.observers import notify
from workbench.data.recipes import Recipe, from_source
from workbench.data.sources.declared import Declared
from workbench.data.sources.labels import known
from workbench.data.sources.narrowing import narrow
from workbench.data.sources.opening import open_declared
from workbench.data.sources.protocol import Source
from workbench.project import Project
from workbench.store import DatasetRow, database, insert_missing, now

__all__ = ["read", "stamp"]

_CHEAP_CELLS = 5_000_000
"""Of so many cells the digest takes a fraction of a second, and a lazy read has it too."""

_NOT_READ_BY = {"description", "owner", "tags", "max_mb", "retries"}
"""Settings of a source that don't decide what its rows are."""


@overload
def read(
    name: str,
    project: Project | None = None,
    *,
    columns: Sequence[str] | None = None,
    where: pl.Expr | None = None,
    as_of: datetime | None = None,
    lazy: Literal[False] = False,
) -> pl.DataFrame: ...


@overload
def read(
    name: str,
    project: Project | None = None,
    *,
    columns: Sequence[str] | None = None,
    where: pl.Expr | None = None,
    as_of: datetime | None = None,
    lazy: Literal[True],
) -> pl.LazyFrame: ...


def read(
    name: str,
    project: Project | None = None,
    *,
    columns: Sequence[str] | None = None,
    where: pl.Expr | None = None,
    as_of: datetime | None = None,
    lazy: bool = False,
) -> pl.DataFrame | pl.LazyFrame:
    """Read the source called `name`, and record it as a dataset.

    Parameters
    ----------
    columns
        Read these alone, in this order.
    where
        Read the rows alone for which this is true.
    as_of
        Read what was known at this moment: of a source with a `label_time` (or `created`), the
        rows that had arrived, each as it was last corrected by then.
    lazy
        Return a lazy frame, from which polars reads what is asked of it when it is collected. Its
        record has the digest of the content where that is cheap; of more than five million cells
        it has the digest of the source's stamp instead, written `stamp-…`.

    Raises
    ------
    NotFoundError
        If `workbench.toml` declares no such source, or the source has no such column or table.
    DataError
        If it is missing, refuses access or can't be parsed.
    """
    project = project or Project.find()
    declared = Declared.of(name, project)
    source = open_declared(declared)
    rows = _rows(declared, source, columns, where, as_of)
    recipe = from_source(name, columns, where, as_of)
    with declared.reading():
        if lazy:
            notify(_record_lazy(declared, source, rows, recipe))
            return rows
        frame = rows.collect()
    notify(record(project, name, declared.shown, frame, recipe))
    return frame


def stamp(name: str, project: Project) -> str:
    """Return a cheap mark of a source that changes when its content does.

    Of a file that is its address, size and time; of a server's table a checksum it computes. How
    the source is declared to be read is part of it: other settings give other rows.
    """
    declared = Declared.of(name, project)
    return _stamp(declared, open_declared(declared))


def _stamp(declared: Declared, source: Source) -> str:
    # As written in workbench.toml: a credential isn't looked up for it.
    read_by = declared.settings.model_dump_json(exclude=_NOT_READ_BY)
    return f"{source.stamp()} {hashlib.sha256(read_by.encode()).hexdigest()[:12]}"


def _rows(
    declared: Declared,
    source: Source,
    columns: Sequence[str] | None,
    where: pl.Expr | None,
    as_of: datetime | None,
) -> pl.LazyFrame:
    if as_of is None:
        return source.scan(columns, where)
    # What a row was corrected to decides whether it is chosen: a filter comes after that.
    return narrow(declared, known(declared, source.scan(), as_of), columns, where)


def _record_lazy(declared: Declared, source: Source, rows: pl.LazyFrame, recipe: Recipe) -> Dataset:
    schema = rows.collect_schema()
    height = rows.select(pl.len()).collect().item()
    if height * len(schema) <= _CHEAP_CELLS:
        return record(declared.project, declared.name, declared.shown, rows, recipe)
    mark = f"{_stamp(declared, source)}\0{recipe.model_dump_json()}"
    dataset = Dataset(
        name=declared.name,
        address=declared.shown,
        columns={column: str(dtype) for column, dtype in schema.items()},
        rows=height,
        digest=f"stamp-{hashlib.sha256(mark.encode()).hexdigest()}",
        read_at=now(),
        recipe=recipe,
    )
    content = dataset.model_dump(exclude={"columns", "recipe"})
    row = {**content, "schema": dataset.columns, "recipe": recipe.stored()}
    with database(declared.project).session() as session:
        insert_missing(session, DatasetRow, [row])
        same = (DatasetRow.name == dataset.name, DatasetRow.digest == dataset.digest)
        session.execute(update(DatasetRow).where(*same).values(read_at=dataset.read_at))
    return dataset
