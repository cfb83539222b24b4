"""All runs as one wide frame, a column for each metric, parameter and tag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, case, func, select

from workbench.errors import NotFoundError, UsageError
from workbench.tracking.reader.conditions import among
from workbench.tracking.reader.queries import Search, run_ids
from workbench.tracking.reader.records import RunRecord, is_shown
from workbench.tracking.reader.tables import BY_KIND, plain_rows, runs, tags

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CELLS", "records_frame", "wide_frame"]

CELLS = 200_000_000
"""The largest frame we make: ten thousand parameters for each of many runs fill any memory."""

_FEW = 5_000  # runs: up to here their values come by run, above it by key
_PARTS = {"metric": "metrics", "param": "params", "tag": "tags"}


def wide_frame(
    connection: Connection, search: Search, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Read the runs found, in their order, with all columns or those named."""
    ids = run_ids(connection, search)
    base = _base(connection, ids)
    known = _known_columns(connection, ids)
    _check(len(ids), known, columns)
    chosen = [name for name in known if columns is None or name in columns]
    read = _by_run if len(ids) <= _FEW else _by_key
    return _joined(base, read(connection, ids, {name: known[name] for name in chosen}))


def records_frame(
    records: Iterable[RunRecord], columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Make the same frame of records that are in memory."""
    import polars as pl

    rows = list(records)
    known = {
        f"{part}.{key}": (kind, key)
        for kind, part in _PARTS.items()
        for key in sorted({key for row in rows for key in getattr(row, part)})
    }
    _check(len(rows), known, columns)
    found: dict[str, Any] = {
        "run_id": [row.run_id for row in rows],
        "name": [row.name for row in rows],
        "status": [row.status for row in rows],
        "start_time": [row.start_time for row in rows],
        "end_time": [row.end_time for row in rows],
    }
    schema: dict[str, Any] = _base_schema()
    for name, (kind, key) in known.items():
        if columns is None or name in columns:
            found[name] = [getattr(row, _PARTS[kind]).get(key) for row in rows]
            schema[name] = pl.Float64 if kind == "metric" else pl.String
    return pl.DataFrame(found, schema=schema)


def _base(connection: Connection, ids: list[str]) -> pl.DataFrame:
    import polars as pl

    tagged = select(tags.c.value).where(
        tags.c.run_uuid == runs.c.run_uuid, tags.c.key == "mlflow.runName"
    )
    wanted = select(
        runs.c.run_uuid,
        func.coalesce(func.nullif(runs.c.name, ""), tagged.scalar_subquery(), runs.c.run_uuid),
        runs.c.status,
        runs.c.start_time,
        func.nullif(runs.c.end_time, 0),
    ).where(among(connection, runs.c.run_uuid, ids))
    schema = dict.fromkeys(_base_schema(), pl.String) | {
        "start_time": pl.Int64,
        "end_time": pl.Int64,
    }
    found = pl.DataFrame(plain_rows(connection, wanted), schema=schema, orient="row")
    in_order = pl.DataFrame({"run_id": ids}, schema={"run_id": pl.String})
    moment = pl.Datetime("us", "UTC")
    return in_order.join(found, on="run_id", maintain_order="left").with_columns(
        (pl.col(name) * 1000).cast(moment) for name in ("start_time", "end_time")
    )


def _base_schema() -> dict[str, Any]:
    import polars as pl

    when = pl.Datetime("us", "UTC")
    texts = dict.fromkeys(("run_id", "name", "status"), pl.String)
    return {**texts, "start_time": when, "end_time": when}


def _known_columns(connection: Connection, ids: list[str]) -> dict[str, tuple[str, str]]:
    """Name the columns that the runs have values for, and what each holds."""
    found = {}
    for kind, part in _PARTS.items():
        table = BY_KIND[kind]
        keys = select(table.c.key).distinct()
        if len(ids) <= _FEW:
            keys = keys.where(among(connection, table.c.run_uuid, ids))
        for key in sorted(connection.scalars(keys)):
            if kind != "tag" or is_shown(key):
                found[f"{part}.{key}"] = (kind, key)
    return found


def _check(height: int, known: Mapping[str, object], columns: Sequence[str] | None) -> None:
    for name in columns or ():
        if name not in known:
            raise NotFoundError.named("column", name, known)
    width = len(known if columns is None else columns)
    if height * width > CELLS:
        raise UsageError(
            f"{height} runs × {width} columns are too many for one frame: "
            "name the columns, or narrow the runs by a filter"
        )


def _by_run(
    connection: Connection, ids: list[str], chosen: Mapping[str, tuple[str, str]]
) -> Iterator[pl.DataFrame]:
    """Read the values of these runs, and part them by key."""
    for kind in _PARTS:
        table = BY_KIND[kind]
        names = {key: name for name, (each, key) in chosen.items() if each == kind}
        wanted = select(table.c.key, table.c.run_uuid, _number(table)).where(
            among(connection, table.c.run_uuid, ids)
        )
        rows: dict[str, list[Any]] = {key: [] for key in names}
        for key, run_id, value in plain_rows(connection, wanted):
            if key in rows:
                rows[key].append((run_id, value))
        for key, name in names.items():
            yield _column(rows[key], name, kind)


def _by_key(
    connection: Connection, ids: list[str], chosen: Mapping[str, tuple[str, str]]
) -> Iterator[pl.DataFrame]:
    """Read key by key, of all runs of the store: less to carry when most of them are wanted."""
    for name, (kind, key) in chosen.items():
        table = BY_KIND[kind]
        wanted = select(table.c.run_uuid, _number(table)).where(table.c.key == key)
        yield _column(plain_rows(connection, wanted), name, kind)


def _number(table: Any) -> Any:
    """Read NaN, which MLflow stores as 0 with a mark, as NaN; databases have no such literal."""
    return (
        case((table.c.is_nan, None), else_=table.c.value) if "is_nan" in table.c else table.c.value
    )


def _column(rows: Sequence[Any], name: str, kind: str) -> pl.DataFrame:
    import polars as pl

    dtype = pl.Float64 if kind == "metric" else pl.String
    frame = pl.DataFrame(rows, schema={"run_id": pl.String, name: dtype}, orient="row")
    # Every row here has a value; the one that isn't shown is NaN. A tag's may be missing.
    return frame.with_columns(pl.col(name).fill_null(float("nan"))) if kind == "metric" else frame


def _joined(base: pl.DataFrame, columns: Iterable[pl.DataFrame]) -> pl.DataFrame:
    for column in columns:
        joined = base.join(column, on="run_id", how="left", maintain_order="left")
        if joined[joined.columns[-1]].null_count() < joined.height:  # others' runs may have it
            base = joined
    return base
