"""What changed between two datasets: columns, types, rows and cells.

Each side is a file, a source as it reads now, or a dataset of the record. Of a dataset the record
has the digests, not the cells; its cells are compared when its recipe still gives the same
content, and else its columns by their digests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from workbench.data.sides import Side, side_of, side_of_frame
from workbench.project import Project

__all__ = ["ColumnChange", "DataDiff", "Example", "diff", "frame_diff"]

_EXAMPLES = 5


class Example(BaseModel):
    """One changed cell: its row (the key, or its number from 0) and its two values."""

    model_config = ConfigDict(frozen=True)

    row: str
    before: str | None
    after: str | None


class ColumnChange(BaseModel):
    """A column of both sides whose cells differ; `cells` is None where rows can't be matched."""

    model_config = ConfigDict(frozen=True)

    name: str
    cells: int | None = None
    examples: list[Example] = []


class DataDiff(BaseModel):
    """What changed from `before` to `after`."""

    model_config = ConfigDict(frozen=True)

    before: str
    after: str
    same: bool
    rows: tuple[int, int]
    columns_added: dict[str, str] = {}
    columns_removed: dict[str, str] = {}
    types_changed: dict[str, tuple[str, str]] = {}
    columns_moved: bool = False
    key: list[str] = []
    rows_added: int | None = None
    rows_removed: int | None = None
    rows_changed: int | None = None
    rows_moved: bool = False
    """The same rows in another order."""
    columns: list[ColumnChange] = []
    notes: list[str] = []


def diff(
    before: str, after: str, project: Project | None = None, *, key: Sequence[str] | None = None
) -> DataDiff:
    """Say what changed between two datasets: files, sources by name, `NAME@DIGEST` or digests.

    Rows are matched by `key`, else by the key that the source declares, else by their place.

    Raises
    ------
    NotFoundError
        If a name leads to nothing.
    DataError
        If a side can't be read.
    """
    project = project or Project.find()
    one, other = side_of(before, project), side_of(after, project)
    return _compare(one, other, [list(key)] if key else one.keys or other.keys)


def frame_diff(before: pl.DataFrame, after: pl.DataFrame, key: Sequence[str] = ()) -> DataDiff:
    """Say what changed between two frames; rows are matched by `key`, else by their place."""
    one, other = side_of_frame("before", before), side_of_frame("after", after)
    return _compare(one, other, [list(key)] if key else [])


def _compare(one: Side, other: Side, keys: list[list[str]]) -> DataDiff:
    common = [name for name in one.columns if name in other.columns]
    alike = [name for name in common if one.columns[name] == other.columns[name]]
    found: dict[str, Any] = {
        "columns_added": {n: t for n, t in other.columns.items() if n not in one.columns},
        "columns_removed": {n: t for n, t in one.columns.items() if n not in other.columns},
        "types_changed": {n: (one.columns[n], other.columns[n]) for n in common if n not in alike},
        "columns_moved": common != [name for name in other.columns if name in one.columns],
    }
    if one.digest != other.digest:
        found |= _rows(one, other, alike, keys)
    return DataDiff(
        before=one.label,
        after=other.label,
        same=one.digest == other.digest,
        rows=(one.rows, other.rows),
        **found,
    )


def _rows(one: Side, other: Side, alike: list[str], keys: list[list[str]]) -> dict[str, Any]:
    if one.frame is None or other.frame is None:
        return _by_digests(one, other, alike)
    notes = []
    for key in keys:
        problem = _no_key(one, other, alike, key)
        if problem is None:
            return _by_key(one.frame, other.frame, alike, key)
        notes.append(f"rows are not matched by {', '.join(key)}: {problem}")
    if one.rows == other.rows:
        return {**_by_place(one.frame, other.frame, alike), "notes": notes}
    by_digests = _by_digests(one, other, alike)
    notes.append("without a key it can't be said which rows are new, gone or changed: --key")
    return {**by_digests, "notes": notes}


def _by_digests(one: Side, other: Side, alike: list[str]) -> dict[str, Any]:
    """Tell the columns whose digests differ: all that a record can say."""
    gone = [side.label for side in (one, other) if side.frame is None]
    notes = [f"{label}: its cells can't be had any more, only its digests" for label in gone]
    if not one.cells or not other.cells:
        return {"notes": [*notes, "the record has no digests of columns to compare"]}
    changed = [name for name in alike if one.cells[name] != other.cells[name]]
    return {"columns": [ColumnChange(name=name) for name in changed], "notes": notes}


def _no_key(one: Side, other: Side, alike: list[str], key: list[str]) -> str | None:
    missing = [name for name in key if name not in alike]
    if missing:
        return f"no column {', '.join(missing)} of the same type on both sides"
    for side in (one, other):
        assert side.frame is not None
        double = side.frame.height - _numbered(side.frame, key).n_unique()
        if double:
            return f"{double:,} rows of {side.label} share their key with another"
    return None


def _numbered(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Pick columns and number them: to polars a name like "*" would be a pattern."""
    return pl.DataFrame([frame[name].alias(str(place)) for place, name in enumerate(names)])


def _by_key(
    before: pl.DataFrame, after: pl.DataFrame, alike: list[str], key: list[str]
) -> dict[str, Any]:
    names = [*key, *(name for name in alike if name not in key)]
    keys = [str(place) for place in range(len(key))]
    both = _numbered(before, names).join(
        _numbered(after, names), on=keys, how="inner", nulls_equal=True, suffix=" after"
    )
    compared = {str(place): name for place, name in enumerate(names) if place >= len(key)}
    changed = both.select(pl.any_horizontal(map(_differs, compared))) if compared else None
    return {
        "key": key,
        "rows_added": after.height - both.height,
        "rows_removed": before.height - both.height,
        "rows_changed": 0 if changed is None else int(changed.to_series().sum()),
        "columns": _changes(both, compared, keys, key),
    }


def _by_place(before: pl.DataFrame, after: pl.DataFrame, alike: list[str]) -> dict[str, Any]:
    one, other = _numbered(before, alike), _numbered(after, alike)
    compared = dict(zip(one.columns, alike, strict=True))
    renamed = other.rename({name: f"{name} after" for name in other.columns})
    both = pl.concat([one, renamed], how="horizontal").with_row_index("row")
    columns = _changes(both, compared, ["row"], [])
    return {"columns": columns, "rows_moved": bool(columns) and _same_rows(one, other)}


def _same_rows(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    one, other = before.hash_rows().sort(), after.hash_rows().sort()
    return one.equals(other)


def _differs(column: str) -> pl.Expr:
    return pl.col(column).ne_missing(pl.col(f"{column} after"))


def _changes(
    both: pl.DataFrame, compared: dict[str, str], places: list[str], key: list[str]
) -> list[ColumnChange]:
    found = []
    for column, name in compared.items():
        rows = both.filter(_differs(column))
        if rows.height:
            shown = rows.head(_EXAMPLES).select(column, f"{column} after", *places).rows()
            examples = [
                Example(row=_place(key, place), before=_shown(before), after=_shown(after))
                for before, after, *place in shown
            ]
            found.append(ColumnChange(name=name, cells=rows.height, examples=examples))
    return found


def _place(key: list[str], values: list[Any]) -> str:
    if not key:
        return f"row {values[0]}"
    return ", ".join(f"{name}={value}" for name, value in zip(key, values, strict=True))


def _shown(value: Any) -> str | None:
    return None if value is None else str(value)[:200]
