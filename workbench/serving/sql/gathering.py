"""Asking a model about many rows at once, though DuckDB hands them over 2,048 at a time.

A query with few rows is answered as they come. Once there are many it is stopped. If it is plain to
see which rows the model would be asked about (`foreseen`: all of the one table), the model answers
these; else the query is run to take note of them. The model answers in large batches, and the query
is run a last time with these answers, found by the rows themselves. A row that isn't among them (a
query may hold a random number) is answered on the spot: gathering makes a query faster, and never
makes it another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeVar

import polars as pl

__all__ = ["Gathering", "TooManyError", "gathered"]

_FEW_ROWS = 16_384
"""As many rows are answered as they come: running the query anew would take longer."""

_BATCH = 262_144
"""Rows of a large batch."""

_VECTOR = 2_048
"""At multiples of so many rows DuckDB begins to hand over some."""

_T = TypeVar("_T")


class TooManyError(Exception):
    """There are many rows: better ask about them together."""


@dataclass
class Gathering:
    """The rows that one model is asked about in one query.

    Parameters
    ----------
    answer
        Answers rows: as many values as the frame has rows, one row's independent of the others'.
    most_bytes
        How much of the rows may be noted.
    foreseen
        The rows that it will be asked about, in their order, if that is known before.
    """

    answer: Callable[[pl.DataFrame], pl.Series]
    most_bytes: int
    foreseen: pl.DataFrame | None = None
    _rows: int = 0
    _noting: bool = False
    _noted: list[pl.DataFrame] = field(default_factory=list)
    _bytes: int = 0
    _answers: dict[str, list[tuple[pl.DataFrame, pl.Series]]] = field(default_factory=dict)
    _is_answered: bool = False
    _foretold: pl.Series = field(default_factory=pl.Series)
    _starts: dict[str, list[int]] = field(default_factory=dict)

    def ask(self, rows: pl.DataFrame) -> pl.Series | None:
        """Answer for some rows; None where they are only noted.

        Raises
        ------
        TooManyError
            If there were many before: start again with `note`.
        """
        if self._noting:
            self._note(rows)
            return None
        if self._is_answered:
            return self._told(rows)
        self._rows += rows.height
        if self._rows > _FEW_ROWS:
            raise TooManyError
        return self.answer(rows)

    def foretell(self) -> None:
        """Ask about the rows that are foreseen, and from now on answer."""
        assert self.foreseen is not None
        rows, self._is_answered = self.foreseen, True
        batches = [rows[start : start + _BATCH] for start in range(0, rows.height, _BATCH)]
        self._foretold = pl.concat([self.answer(batch) for batch in batches], rechunk=True)
        first = 0
        for chunk in rows.to_series(0).get_chunks():
            for start in range(first, first + chunk.len(), _VECTOR):
                self._starts.setdefault(str(rows.row(start)), []).append(start)
            first += chunk.len()

    def note(self) -> None:
        """From now on take note of rows."""
        self._noting = True

    def settle(self) -> None:
        """Ask about all that was noted, and from now on answer."""
        self._noting, self._is_answered = False, True
        for batch in _batches(self._noted):
            answers = self.answer(pl.concat(batch, rechunk=True))
            ends = list(accumulate(rows.height for rows in batch))
            for rows, end in zip(batch, ends, strict=True):
                told = answers[end - rows.height : end]
                self._answers.setdefault(_key(rows), []).append((rows, told))
        self._noted.clear()

    def _note(self, rows: pl.DataFrame) -> None:
        self._bytes += int(rows.estimated_size())
        if self._bytes <= self.most_bytes:
            self._noted.append(rows)

    def _told(self, rows: pl.DataFrame) -> pl.Series:
        for known, answers in self._answers.get(_key(rows), ()):
            if known.equals(rows):
                return answers
        if self._starts and self.foreseen is not None and rows.height:
            for start in self._starts.get(str(rows.row(0)), ()):
                end = start + rows.height
                if self.foreseen[start:end].equals(rows):
                    return self._foretold[start:end]
            self._starts.clear()
            raise TooManyError  # they are others: take note of them
        return self.answer(rows)


def _batches(noted: Iterable[pl.DataFrame]) -> Iterable[list[pl.DataFrame]]:
    batch: list[pl.DataFrame] = []
    height = 0
    for rows in noted:
        batch.append(rows)
        height += rows.height
        if height >= _BATCH:
            yield batch
            batch, height = [], 0
    if batch:
        yield batch


def _key(rows: pl.DataFrame) -> str:
    """Give what rows are found by: as text, in which a NaN is like another."""
    return f"{rows.height} {rows.row(0)} {rows.row(-1)}" if rows.height else ""


def gathered(
    gatherings: Iterable[Gathering], run: Callable[[], _T], dry_run: Callable[[], None]
) -> _T:
    """Run a query, gathering rows first if it turns out that there are many.

    Parameters
    ----------
    dry_run
        Runs it for its rows' sake alone.
    """
    all_ = list(gatherings)
    try:
        return run()
    except TooManyError:
        pass
    if all(gathering.foreseen is not None for gathering in all_):
        try:
            for gathering in all_:
                gathering.foretell()
            return run()
        except TooManyError:
            pass
    for gathering in all_:
        gathering.note()
    dry_run()
    for gathering in all_:
        gathering.settle()
    return run()
