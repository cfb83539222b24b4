"""The part of MLflow's tables that reading runs needs, declared without importing MLflow."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    String,
    TableClause,
    column,
    table,
)

__all__ = [
    "BY_KIND",
    "attribute",
    "datasets",
    "experiments",
    "input_tags",
    "inputs",
    "is_postgresql",
    "latest_metrics",
    "metrics",
    "params",
    "plain_rows",
    "runs",
    "tags",
]

experiments = table(
    "experiments",
    column("experiment_id", Integer),
    column("name", String),
    column("workspace", String),
)
runs = table(
    "runs",
    column("run_uuid", String),
    column("name", String),
    column("user_id", String),
    column("status", String),
    column("start_time", BigInteger),
    column("end_time", BigInteger),
    column("lifecycle_stage", String),
    column("artifact_uri", String),
    column("experiment_id", Integer),
)
latest_metrics = table(
    "latest_metrics",
    column("key", String),
    column("value", Float),
    column("step", BigInteger),
    column("is_nan", Boolean),
    column("run_uuid", String),
)
metrics = table(
    "metrics",
    column("key", String),
    column("value", Float),
    column("is_nan", Boolean),
    column("timestamp", BigInteger),
    column("step", BigInteger),
    column("run_uuid", String),
)
params = table("params", column("key", String), column("value", String), column("run_uuid", String))
tags = table("tags", column("key", String), column("value", String), column("run_uuid", String))
datasets = table(
    "datasets", column("dataset_uuid", String), column("name", String), column("digest", String)
)
inputs = table(
    "inputs",
    column("input_uuid", String),
    column("source_id", String),
    column("destination_id", String),
)
input_tags = table(
    "input_tags", column("input_uuid", String), column("name", String), column("value", String)
)

BY_KIND: dict[str, TableClause] = {"metric": latest_metrics, "param": params, "tag": tags}
"""The tables of keys and values."""


def attribute(name: str) -> ColumnElement[Any]:
    """Return the column of a run's attribute, which MLflow's language calls by another name."""
    return runs.c[{"run_id": "run_uuid", "run_name": "name"}.get(name, name)]


def is_postgresql(connection: Connection) -> bool:
    """Tell PostgreSQL from SQLite, the two that we read by SQL."""
    return connection.dialect.name == "postgresql"


def plain_rows(connection: Connection, statement: Select[Any]) -> list[tuple[Any, ...]]:
    """Fetch the driver's own tuples: SQLAlchemy's rows take three times as long to make."""
    cursor = connection.execute(statement).cursor
    assert cursor is not None, "a select has a cursor"
    return list(cursor.fetchall())
