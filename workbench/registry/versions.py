"""Models and their versions, in MLflow's registry.

Metrics, gates and versions are each one question, of however many models and versions: nothing is
asked a version at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, cast

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.access import refusal
from workbench.project import Project
from workbench.store import GateRow, database, failure
from workbench.tracking import (
    client,
    model_versions,
    registered_model,
    registered_models,
    run_metrics,
)
from workbench.usage import COST

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

__all__ = [
    "FORMAT",
    "OVERRIDE",
    "OWNER",
    "Model",
    "Version",
    "aliases_of",
    "as_store_error",
    "get_model",
    "list_models",
    "model_uri",
]

Outcome = Literal["passed", "failed"]

OWNER, OVERRIDE, FORMAT = "workbench.owner", "workbench.override", "workbench.model_format"
"""Tags of a version: who answers for it; why it was promoted without a gate that passed; how it is
stored."""


class Version(BaseModel):
    """One version of a model; `gate` is how the newest gate of it went, if there was one.

    One that plain MLflow registered may have no run, which is an empty `run_id`.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    run_id: str
    metrics: dict[str, float]
    aliases: list[str]
    gate: Outcome | None
    owner: str = ""
    override: str = ""
    """The reason for which an admin once did without its gate; empty if nobody did."""
    format: str = ""
    """How it is stored: native, skops, custom, or a pickle, which the project has to trust."""
    created_at: datetime


class Model(BaseModel):
    """A registered model, its newest version first."""

    model_config = ConfigDict(frozen=True)

    name: str
    aliases: dict[str, str]
    versions: list[Version]


def model_uri(name: str, version: str) -> str:
    """MLflow's address of a version."""
    return f"models:/{name}/{version}"


def get_model(project: Project, name: str) -> Model:
    """Return one registered model.

    Raises
    ------
    NotFoundError
        If there is none of that name.
    """
    with as_store_error():
        mlflow = client(project)
        found = registered_model(mlflow, name)
        return _models(project, [found], model_versions(mlflow, name))[0]


def list_models(project: Project) -> list[Model]:
    """List the registered models with their versions, metrics, aliases and gate results."""
    with as_store_error():
        mlflow = client(project)
        return _models(project, registered_models(mlflow), model_versions(mlflow))


def aliases_of(project: Project, name: str) -> dict[str, str]:
    """Return the version of each alias of a model, and read no more of it.

    Raises
    ------
    NotFoundError
        If there is no model of that name.
    """
    with as_store_error():
        return _aliases(registered_model(client(project), name))


def _models(
    project: Project, registered: Sequence[RegisteredModel], versions: Sequence[ModelVersion]
) -> list[Model]:
    of_model: dict[str, list[ModelVersion]] = defaultdict(list)
    for version in sorted(versions, key=lambda version: -int(version.version)):
        of_model[version.name].append(version)
    metrics = run_metrics(project, [version.run_id for version in versions if version.run_id])
    gates = _gates(project, [model.name for model in registered])
    return [
        Model(
            name=model.name,
            aliases=(aliases := _aliases(model)),
            versions=[
                _version(version, aliases, metrics, gates) for version in of_model[model.name]
            ],
        )
        for model in registered
    ]


def _aliases(model: RegisteredModel) -> dict[str, str]:
    # MLflow gives SQLite's aliases as whole numbers and other stores' as text.
    return {alias: str(version) for alias, version in sorted(model.aliases.items())}


def _version(
    found: ModelVersion,
    aliases: dict[str, str],
    metrics: dict[str, dict[str, float]],
    gates: dict[tuple[str, str], str],
) -> Version:
    version = str(found.version)
    return Version(
        version=version,
        run_id=found.run_id or "",
        metrics=_of_quality(metrics.get(found.run_id or "", {})),
        aliases=[alias for alias, target in aliases.items() if target == version],
        gate=cast("Outcome | None", gates.get((found.name, version))),
        owner=found.tags.get(OWNER, ""),
        override=found.tags.get(OVERRIDE, ""),
        format=found.tags.get(FORMAT, ""),
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, tz=UTC),
    )


def _gates(project: Project, names: Sequence[str]) -> dict[tuple[str, str], str]:
    """Read how the newest gate of each version went, and not the reports, which are long."""
    query = select(GateRow.model, GateRow.version, GateRow.outcome).order_by(GateRow.id)
    if len(names) == 1:
        query = query.where(GateRow.model == names[0])
    with database(project).session() as session:
        return {(model, version): outcome for model, version, outcome in session.execute(query)}


@contextmanager
def as_store_error(where: str = "MLflow's registry") -> Iterator[None]:
    """Say what MLflow's registry says as an error of ours; who may not is told so."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        told = refusal(error, "read models", "viewer")
        raise told or failure(where, error) from error


def _of_quality(metrics: dict[str, float]) -> dict[str, float]:
    """Leave out what a run says of itself: its cost is none of the model's qualities."""
    return {name: value for name, value in metrics.items() if not name.startswith(COST)}
