"""Tables larger than memory: cut by entity on disk first, then put in order part by part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from workbench.errors import FeatureError
from workbench.features.definitions import FeatureView
from workbench.features.offline.build import comparable, stored_rows
from workbench.features.offline.files import FILE_BYTES, divisible, reached, scan, write_run
from workbench.features.offline.manifest import SCRATCH, Bound, File

__all__ = ["write_large"]

_EVERY = 1000
"""One row of so many is looked at to see where to cut."""

_PART = "__part"


def write_large(folder: Path, frame: pl.LazyFrame, view: FeatureView) -> list[File]:
    """Write a view's rows as one run, with a few parts of it in memory at a time.

    Raises
    ------
    FeatureError
        If the rows can't be used.
    """
    rows = comparable(frame, view)
    if not divisible(rows.collect_schema(), view.entity):
        return write_run(folder, stored_rows(rows, view), view.entity)
    cuts = _cuts(rows, view)
    with TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch:
        _spread(rows, view, cuts, Path(scratch))
        files = [file for part in _parts(folder, Path(scratch), view, cuts) for file in part]
    return files or write_run(folder, stored_rows(rows.head(0), view), view.entity)


def _cuts(rows: pl.LazyFrame, view: FeatureView) -> list[Bound]:
    """Choose entities at which the rows fall into parts of about the size of a file."""
    keys = list(view.entity)
    sample = _collected(rows.select(keys).drop_nulls().gather_every(_EVERY), view).sort(keys)
    size = sample.height * _EVERY * 8 * len(rows.collect_schema())
    parts = size // FILE_BYTES + 1
    places = [sample.height * number // parts for number in range(1, parts)]
    return [list(row) for row in sample[places].unique(maintain_order=True).rows()]


def _spread(rows: pl.LazyFrame, view: FeatureView, cuts: list[Bound], scratch: Path) -> None:
    reached_cuts = [reached(view.entity, cut).cast(pl.UInt16) for cut in cuts]
    part = pl.sum_horizontal(pl.lit(0, pl.UInt16), *reached_cuts).alias(_PART)
    target = pl.PartitionBy(scratch, key=_PART, include_key=False)
    try:
        rows.with_columns(part).sink_parquet(target, compression="lz4", mkdir=True)
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise FeatureError(f"{view.name}: {reason}") from error


def _parts(
    folder: Path, scratch: Path, view: FeatureView, cuts: list[Bound]
) -> Iterator[list[File]]:
    for number, low in enumerate([None, *cuts]):
        paths = sorted((scratch / f"{_PART}={number}").glob("*.parquet"))
        if paths:  # else its entities were too few for one row of the sample and had null times
            yield write_run(folder, stored_rows(scan(paths), view), view.entity, low)


def _collected(frame: pl.LazyFrame, view: FeatureView) -> pl.DataFrame:
    try:
        return frame.collect()
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise FeatureError(f"{view.name}: {reason}") from error
