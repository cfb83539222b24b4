"""One question about runs, answered by SQL where that can be, else by MLflow's API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, select

from workbench.project import Project
from workbench.tracking.reader import api
from workbench.tracking.reader.filters import UnsureError, parse_filter, parse_order
from workbench.tracking.reader.queries import Lifecycle, Search
from workbench.tracking.reader.records import RunRecord
from workbench.tracking.reader.schema import SchemaError, connected
from workbench.tracking.reader.tables import experiments

__all__ = ["Request", "answer"]

_T = TypeVar("_T")


@dataclass(frozen=True)
class Request:
    """Which runs are asked for, in MLflow's words; experiments by their names."""

    experiments: Sequence[str]
    filter: str = ""
    order_by: str = "start_time desc"
    lifecycle: Lifecycle = "active"


def answer(
    project: Project,
    request: Request,
    by_sql: Callable[[Connection, Search], _T],
    by_records: Callable[[Iterable[RunRecord]], _T],
) -> _T:
    """Answer by SQL, or from the records that MLflow's API finds.

    Raises
    ------
    UsageError
        If the filter or the order is wrong.
    StoreError
        If the store can't be read.
    """
    try:
        conditions = parse_filter(request.filter)
        orders = parse_order(request.order_by)
        with connected(project.tracking_uri) as connection:
            ids = _experiment_ids(connection, request.experiments) if connection else []
            if connection is None or not ids:
                return by_records(())
            search = Search(ids, conditions, orders, request.lifecycle)
            return by_sql(connection, search)
    except (SchemaError, UnsureError):
        pass  # and not inside the handler, where an error of MLflow's would be shown as ours
    return by_records(api.search(project, request))


def _experiment_ids(connection: Connection, names: Sequence[str]) -> list[int]:
    wanted = select(experiments.c.experiment_id).where(
        experiments.c.name.in_(names), experiments.c.workspace == "default"
    )
    return list(connection.scalars(wanted))
