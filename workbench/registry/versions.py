"""Models and their versions, in MLflow's registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from workbench.errors import GateRefusedError, NotFoundError, StoreError
from workbench.lineage import link
from workbench.project import Project
from workbench.store import GateRow, database, file_lock
from workbench.tracking import client, get_run
from workbench.usage import COST

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

__all__ = ["Model", "Version", "get_model", "list_models", "model_uri", "register"]


class Version(BaseModel):
    """One version of a model; `gate` is how the newest gate of it went, if there was one."""

    model_config = ConfigDict(frozen=True)

    version: str
    run_id: str
    metrics: dict[str, float]
    aliases: list[str]
    gate: Literal["passed", "failed"] | None
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


def register(project: Project, name: str, run_id: str) -> str:
    """Make the model that a run logged a version of `name`; return the version.

    Registering a run again returns the version it has.

    Raises
    ------
    GateRefusedError
        If the run can't be traced: it has no commit, no dataset, or isn't finished.
    """
    import mlflow

    _check_traceable(project, run_id)
    registry = client(project)
    with file_lock(project.state / "registry.lock"), _as_store_error():
        if not registry.search_registered_models(filter_string=f"name = '{name}'"):
            registry.create_registered_model(name)
        for known in registry.search_model_versions(f"name = '{name}'"):
            if known.run_id == run_id:
                return str(known.version)
        mlflow.set_tracking_uri(project.tracking_uri)
        mlflow.set_registry_uri(project.tracking_uri)
        made = registry.create_model_version(name, _logged_model(project, run_id), run_id=run_id)
    version = str(made.version)
    link(project, [f"run:{run_id}"], f"model:{name}/{version}", "registered")
    return version


def _check_traceable(project: Project, run_id: str) -> None:
    run = client(project).get_run(run_id)
    missing = [
        what
        for what, there in {
            "a commit": run.data.tags.get("mlflow.source.git.commit"),
            "a dataset": run.inputs.dataset_inputs,
            "a finished execution": run.info.status == "FINISHED",
        }.items()
        if not there
    ]
    if missing:
        raise GateRefusedError(f"run {run_id} can't be registered: it lacks {', '.join(missing)}")


def _logged_model(project: Project, run_id: str) -> str:
    run = client(project).get_run(run_id)
    if not run.outputs.model_outputs:
        raise NotFoundError(f"run {run_id} logged no model")
    return f"models:/{run.outputs.model_outputs[-1].model_id}"


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
    with _as_store_error():
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
        created_at=datetime.fromtimestamp(found.creation_timestamp / 1000, tz=UTC),
    )


def _gates(project: Project, name: str) -> dict[str, str]:
    query = select(GateRow).where(GateRow.model == name).order_by(GateRow.id)
    with database(project).session() as session:
        return {row.version: row.outcome for row in session.scalars(query)}


@contextmanager
def _as_store_error() -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise StoreError(f"MLflow's registry: {error.message}") from error


def _of_quality(metrics: dict[str, float]) -> dict[str, float]:
    """Leave out what a run says of itself: its cost is none of the model's qualities."""
    return {name: value for name, value in metrics.items() if not name.startswith(COST)}
