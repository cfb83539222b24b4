"""Ranges of entities: as much of a view as is joined at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import polars as pl

from workbench.features.offline.files import reached, scan
from workbench.features.offline.manifest import Bound, File
from workbench.features.offline.store import Run, Stored

__all__ = ["Partition", "partitions"]


@dataclass(frozen=True)
class _Piece:
    """Files of one run that have the partition's entities, and maybe others (`more`)."""

    paths: list[Path]
    types: pl.Schema | None
    more: bool


@dataclass(frozen=True)
class Partition:
    """All rows of the entities from `low` to before `high`; None: from the first, to the last."""

    entity: tuple[str, ...]
    low: Bound | None
    high: Bound | None
    pieces: tuple[_Piece, ...]

    @property
    def paths(self) -> list[Path]:
        """The files that have its rows."""
        return [path for piece in self.pieces for path in piece.paths]

    def runs(self) -> list[pl.LazyFrame]:
        """Read its rows, run by run, the oldest first."""
        scanned = [(scan(piece.paths, piece.types), piece.more) for piece in self.pieces]
        return [rows.filter(self._mine) if more else rows for rows, more in scanned]

    @property
    def _mine(self) -> pl.Expr:
        low = reached(self.entity, self.low) if self.low else pl.lit(value=True)
        return low & ~reached(self.entity, self.high) if self.high else low

    def place(self, entities: pl.DataFrame) -> tuple[int, int]:
        """Say which of the ordered `entities` are in it: from a number to before another."""
        first, last = (
            entities.height - entities.select(reached(self.entity, bound).sum()).item()
            if bound
            else default
            for bound, default in ((self.low, 0), (self.high, entities.height))
        )
        return first, last


def partitions(stored: Stored, most: float = 0) -> list[Partition]:
    """Cut what is stored into ranges of entities, in order; at least one.

    Parameters
    ----------
    most
        How many rows a partition may have, if it isn't one file anyway.
    """
    largest = max(stored.runs, key=lambda run: sum(file.rows for file in run.files))
    groups = list(_groups(largest.files, most))
    lows = [None, *(group[0].low for group in groups[1:])]
    return [
        Partition(
            stored.view.entity,
            low,
            high,
            tuple(
                _Piece([run.folder / file.name for file in group], run.types, more=False)
                if run is largest
                else _piece(run, low, high)
                for run in stored.runs
            ),
        )
        for group, (low, high) in zip(groups, pairwise([*lows, None]), strict=True)
    ]


def _groups(files: Sequence[File], most: float) -> Iterator[list[File]]:
    group: list[File] = []
    for file in files:
        if group and sum(f.rows for f in group) + file.rows > most:
            yield group
            group = []
        group.append(file)
    yield group


def _piece(run: Run, low: Bound | None, high: Bound | None) -> _Piece:
    ends = [file.low for file in run.files[1:]] + [None]
    paths = [
        path
        for path, file, end in zip(run.paths, run.files, ends, strict=True)
        if (file.low is None or high is None or file.low < high)
        and (end is None or low is None or end > low)
    ]
    return _Piece(paths, run.types, more=low is not None or high is not None)
