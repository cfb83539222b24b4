"""The data that runs used, as their inputs say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, and_, select

from workbench.project import Project
from workbench.tracking.reader.conditions import among
from workbench.tracking.reader.schema import SchemaError, connected
from workbench.tracking.reader.tables import datasets, input_tags, inputs
from workbench.tracking.store import client

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

__all__ = ["RunDataset", "digests_by_name", "run_datasets"]

_CONTEXT = "mlflow.data.context"


class RunDataset(BaseModel):
    """A dataset that a run used; `context` says what for: `read`, `training`, `validation`, …."""

    model_config = ConfigDict(frozen=True)

    name: str
    digest: str
    context: str


def run_datasets(project: Project, run_ids: Sequence[str]) -> dict[str, list[RunDataset]]:
    """Return the datasets of each run; a run without any isn't there.

    Raises
    ------
    StoreError
        If the store can't be read.
    """
    try:
        with connected(project.tracking_uri) as connection:
            return _by_sql(connection, run_ids) if connection is not None else {}
    except SchemaError:
        pass
    mlflow = client(project)
    found = {run_id: mlflow.get_run(run_id).inputs.dataset_inputs for run_id in run_ids}
    return {run_id: [_read(used) for used in some] for run_id, some in found.items() if some}


def digests_by_name(used: Iterable[RunDataset]) -> dict[str, str]:
    """Give the digest under each name; several in one text, for files of one name.

    >>> of_both_years = [
    ...     RunDataset(name="data", digest=digest, context="read") for digest in ("b2", "a1", "a1")
    ... ]
    >>> digests_by_name(of_both_years)
    {'data': 'a1, b2'}
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for data in used:
        found[data.name].add(data.digest)
    return {name: ", ".join(sorted(digests)) for name, digests in found.items()}


def _by_sql(connection: Connection, run_ids: Sequence[str]) -> dict[str, list[RunDataset]]:
    named = and_(input_tags.c.input_uuid == inputs.c.input_uuid, input_tags.c.name == _CONTEXT)
    wanted = (
        select(inputs.c.destination_id, datasets.c.name, datasets.c.digest, input_tags.c.value)
        .join(datasets, datasets.c.dataset_uuid == inputs.c.source_id)
        .outerjoin(input_tags, named)
        .where(among(connection, inputs.c.destination_id, run_ids))
        .order_by(datasets.c.name, datasets.c.digest)
    )
    found = defaultdict(list)
    for run_id, name, digest, context in connection.execute(wanted):
        found[run_id].append(RunDataset(name=name, digest=digest, context=context or ""))
    return dict(found)


def _read(used: DatasetInput) -> RunDataset:
    context = next((tag.value for tag in used.tags if tag.key == _CONTEXT), "")
    return RunDataset(name=used.dataset.name, digest=used.dataset.digest, context=context)
