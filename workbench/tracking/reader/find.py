"""One run, by its id or as much of it as tells it from the others."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from workbench.errors import NotFoundError, UsageError
from workbench.project import Project
from workbench.tracking.reader import api
from workbench.tracking.reader.records import RunRecord, read_records
from workbench.tracking.reader.request import Request
from workbench.tracking.reader.schema import SchemaError, connected
from workbench.tracking.reader.tables import runs

__all__ = ["find_run"]

_BEGINNING = re.compile(r"[0-9a-f]{4,31}")
_SHOWN = 5


def find_run(project: Project, run_id: str) -> RunRecord:
    """Return the run, deleted or not, of whichever experiment.

    Raises
    ------
    NotFoundError
        If there is none.
    UsageError
        If several begin so.
    """
    try:
        with connected(project.tracking_uri) as connection:
            if connection is None:
                raise _unknown(run_id)
            wanted = select(runs.c.run_uuid).where(_named(run_id)).limit(_SHOWN + 1)
            found = connection.scalars(wanted.order_by(runs.c.run_uuid)).all()
            return read_records(connection, [_only(run_id, found)])[0]
    except SchemaError:
        pass
    if not _BEGINNING.fullmatch(run_id):
        return api.get_run(project, run_id)
    request = Request([project.name], f"attributes.run_id LIKE '{run_id}%'", lifecycle="all")
    records = {record.run_id: record for record in api.search(project, request)}
    return records[_only(run_id, sorted(records))]


def _named(run_id: str) -> ColumnElement[bool]:
    if _BEGINNING.fullmatch(run_id):
        return runs.c.run_uuid.like(f"{run_id}%")
    return runs.c.run_uuid == run_id


def _only(run_id: str, found: Sequence[str]) -> str:
    if not found:
        raise _unknown(run_id)
    if len(found) > 1:
        more = ", …" if len(found) > _SHOWN else ""
        listed = ", ".join(found[:_SHOWN])
        raise UsageError(f"several runs begin with {run_id}: {listed}{more}: write more of it")
    return found[0]


def _unknown(run_id: str) -> NotFoundError:
    return NotFoundError(
        f"unknown run {run_id!r}: expected an id, or at least its first four characters; "
        "see `workbench runs list`"
    )
