"""What a join is asked: entities and moments, in the order in which a search is quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from workbench.features.join.times import UTC

__all__ = ["Asked", "Integers", "ask", "first_of_each"]

Integers = npt.NDArray[np.int64]

MOMENT = "__moment"

ROOM = 2**63 - 1
"""What an integer can hold."""


@dataclass(frozen=True)
class Asked:
    """Questions, grouped by entity and in order of time.

    `entities` has each entity once, in order; `entity` and `times` (microseconds) say for each
    question which of them it is about and when, and `row` where it stood in the spine. Rows of the
    spine with a null key or moment ask nothing.
    """

    entities: pl.DataFrame
    entity: Integers
    times: Integers
    row: Integers

    @property
    def keys(self) -> list[str]:
        """The entity's columns."""
        return self.entities.columns

    @property
    def height(self) -> int:
        """How many questions there are."""
        return len(self.times)

    def between(self, first: int, last: int) -> Asked:
        """Return the questions about the entities number `first` to before `last`."""
        low, high = np.searchsorted(self.entity, [first, last])
        return Asked(
            self.entities[first:last],
            self.entity[low:high] - first,
            self.times[low:high],
            self.row[low:high],
        )

    def frame(self) -> pl.DataFrame:
        """Write the questions as a frame: the entity's columns and `__moment`."""
        entity = pl.Series(self.entity)
        moment = pl.Series(MOMENT, self.times).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        return self.entities.select(pl.all().gather(entity)).with_columns(moment)

    def answered(self, answers: pl.DataFrame, nobody: pl.DataFrame, height: int) -> pl.DataFrame:
        """Give answers, a row for each question, the order of the spine of `height` rows.

        A row of the spine that asked nothing gets the answer in `nobody`.
        """
        place = np.full(height, self.height, np.int64)
        place[self.row] = np.arange(self.height)
        if self.height < height:
            answers = pl.concat([answers, nobody])
        return answers.select(pl.all().gather(pl.Series(place)))


def ask(spine: pl.DataFrame, keys: Sequence[str], moment: str) -> Asked:
    """Ask about the entity in `keys` at the time in `moment` (UTC), row by row."""
    assert spine.schema[moment] == UTC
    # Row numbers under a name that no key can have: it isn't one yet.
    named = spine.select(*keys, pl.col(moment).to_physical().alias(MOMENT)).with_row_index("__row")
    rows = named.drop_nulls([*keys, MOMENT])
    number, times = _numbers(rows.select(keys)), rows[MOMENT].to_numpy()
    order = _by_entity_and_time(number, times)
    number = number[order]
    first = np.ones(len(number), np.bool_)
    first[1:] = number[1:] != number[:-1]
    entities = rows.select(keys)[order[first]]
    row = rows["__row"].cast(pl.Int64).to_numpy()
    return Asked(entities, np.cumsum(first) - 1, times[order], row[order])


_SMALL = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)


def _numbers(keys: pl.DataFrame) -> Integers:
    """Give each entity a number, in their order; a single whole number is one itself."""
    if keys.width == 1 and keys.dtypes[0] in _SMALL:
        number = keys.to_series()
    else:
        entities = keys.unique().sort(keys.columns).with_row_index("__entity")
        joined = keys.join(entities, on=keys.columns, how="left", maintain_order="left")
        number = joined["__entity"]
    numbers: Integers = number.cast(pl.Int64).to_numpy()
    return numbers


def _by_entity_and_time(number: Integers, times: Integers) -> Integers:
    """Say in which order questions are grouped by entity and ascend in time."""
    if not len(times):
        return times
    least, earliest = int(number.min()), int(times.min())
    span = int(times.max()) - earliest + 1
    if (int(number.max()) - least + 1) * span >= ROOM:  # one integer can't hold both
        return np.lexsort((times, number))
    both = pl.Series((number - least) * span + (times - earliest))
    order: Integers = both.arg_sort().cast(pl.Int64).to_numpy()
    return order


def first_of_each(rows: pl.DataFrame, keys: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Mark the first row of each entity, of rows in which it stands together."""
    columns = [pl.col(key) for key in keys]
    changed = pl.any_horizontal(column.ne_missing(column.shift()) for column in columns)
    marks: npt.NDArray[np.bool_] = rows.select(changed).to_series().to_numpy(writable=True)
    marks[:1] = True
    return marks
