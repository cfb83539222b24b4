"""Models and their versions, in MLflow's registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.access import refusal
from workbench.errors import NotFoundError, StoreError
from workbench.project import Project
from workbench.store import GateRow, database
from workbench.tracking import client, get_run
from workbench.usage import COST

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

__all__ = [
    "FORMAT",
    "OVERRIDE",
    "OWNER",
    "Model",
    "Version",
    "as_store_error",
    "get_model",
    "list_models",
    "model_uri",
]


OWNER, OVERRIDE, FORMAT = "workbench.owner", "workbench.override", "workbench.model_format"
"""Tags of a version: who answers for it; why it was promoted without a gate that passed; how it is
stored."""


class Version(BaseModel):
    """One version of a model; `gate` is how the newest gate of it went, if there was one."""

    model_config = ConfigDict(frozen=True)

    version: str
    run_id: str
    metrics: dict[str, float]
    aliases: list[str]
    gate: Literal["passed", "failed"] | None
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
    models = {model.name: model for model in list_models(project)}
    if name not in models:
        raise NotFoundError.named("model", name, models)
    return models[name]


def list_models(project: Project) -> list[Model]:
    """List the registered models with their versions, metrics, aliases and gate results."""
    with as_store_error():
        registered = client(project).search_registered_models()
        return [_model(project, model) for model in registered]


def _model(project: Project, registered: RegisteredModel) -> Model:
    # MLflow gives SQLite's aliases as whole numbers and other stores' as text.
    aliases = {alias: str(version) for alias, version in sorted(registered.aliases.items())}
    found = client(project).search_model_versions(f"name = '{registered.name}'")
    gates = _gates(project, registered.name)
    versions = [_version(project, version, aliases, gates) for version in found]
    return Model(
        name=registered.name,
        aliases=aliases,
        versions=sorted(versions, key=lambda version: -int(version.version)),
    )


def _version(
    project: Project, found: ModelVersion, aliases: dict[str, str], gates: dict[str, str]
) -> Version:
    version = str(found.version)
    return Version(
        version=version,
        run_id=found.run_id,
        metrics=_of_quality(get_run(project, found.run_id).metrics),
        aliases=[alias for alias, target in aliases.items() if target == version],
        gate=gates.get(version),
        owner=found.tags.get(OWNER, ""),
        override=found.tags.get(OVERRIDE, ""),
        format=found.tags.get(FORMAT, ""),
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, tz=UTC),
    )


def _gates(project: Project, name: str) -> dict[str, str]:
    query = select(GateRow).where(GateRow.model == name).order_by(GateRow.id)
    with database(project).session() as session:
        return {row.version: row.outcome for row in session.scalars(query)}


@contextmanager
def as_store_error() -> Iterator[None]:
    """Say what MLflow's registry says as an error of ours; who may not is told so."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        told = refusal(error, "read models", "viewer")
        raise told or StoreError(f"MLflow's registry: {error.message}") from error


def _of_quality(metrics: dict[str, float]) -> dict[str, float]:
    """Leave out what a run says of itself: its cost is none of the model's qualities."""
    return {name: value for name, value in metrics.items() if not name.startswith(COST)}
