"""Runs of rows as files: cut between entities, so that a join can take them one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import numpy as np
import polars as pl

from workbench.features.join.asked import first_of_each
from workbench.features.offline.manifest import Bound, File, damaged
from workbench.store import write_atomic

__all__ = ["FILE_BYTES", "divisible", "reached", "reading", "scan", "whole", "write_run"]

FILE_BYTES = 128 * 2**20
"""About how many bytes of rows, in memory, a file gets; all rows of an entity are in one."""


def write_run(
    folder: Path, rows: pl.DataFrame, entity: Sequence[str], low: Bound | None = None
) -> list[File]:
    """Write ordered rows, as one file or more; they are nobody's until a manifest names them.

    Parameters
    ----------
    low
        An entity before which there are none in `rows`; None: the first there is.
    """
    return [
        _write(folder, part, list(part.select(entity).row(0)) if number else low)
        for number, part in enumerate(_parts(rows, entity))
    ]


def _write(folder: Path, rows: pl.DataFrame, low: Bound | None) -> File:
    path = folder / f"{uuid4().hex}.parquet"
    with write_atomic(path) as beside:
        rows.write_parquet(beside, compression="lz4", statistics=True)
        size = beside.stat().st_size
    return File(name=path.name, rows=rows.height, size=size, low=low)


def _parts(rows: pl.DataFrame, entity: Sequence[str]) -> Iterator[pl.DataFrame]:
    size = rows.estimated_size()
    if not divisible(rows.schema, entity) or size <= FILE_BYTES * 3 // 2:
        yield rows
        return
    step = max(1, rows.height * FILE_BYTES // size)
    starts = np.flatnonzero(first_of_each(rows, entity))
    nearest = np.searchsorted(starts, np.arange(0, rows.height, step)).clip(max=len(starts) - 1)
    for low, high in pairwise([*np.unique(starts[nearest]).tolist(), rows.height]):
        yield rows[low:high]


def divisible(schema: pl.Schema, entity: Sequence[str]) -> bool:
    """Whether rows can be cut: the first entity of a file is a number or a text in the manifest."""
    return all(schema[key].is_integer() or schema[key] == pl.String for key in entity)


def reached(entity: Sequence[str], low: Bound) -> pl.Expr:
    """Whether a row's entity is `low` or after it, column by column."""
    after = pl.lit(value=True)
    for key, value in reversed(list(zip(entity, low, strict=True))):
        after = (pl.col(key) > value) | ((pl.col(key) == value) & after)
    return after


def scan(paths: Sequence[Path], types: pl.Schema | None = None) -> pl.LazyFrame:
    """Read files of one run, one after the other; as columns of other `types`, if there are any."""
    rows = pl.scan_parquet(list(paths), glob=False)  # a folder may have brackets in its name
    if types is None:
        return rows
    return rows.select(
        pl.col(name) if dtype == pl.Null else pl.col(name).cast(dtype)
        for name, dtype in types.items()
    )


def whole(folder: Path, file: File) -> bool:
    """Whether a file is there, and as long as it was."""
    try:
        return (folder / file.name).stat().st_size == file.size
    except FileNotFoundError:
        return False


@contextmanager
def reading(paths: Sequence[Path]) -> Iterator[None]:
    """Read files in the block; if that fails, say which of them is damaged.

    Raises
    ------
    FeatureError
        If one of them can't be read.
    """
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        for path in paths:
            try:
                pl.read_parquet(path, glob=False)
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
                raise damaged(path, str(error)) from error
        raise
