"""Making a run's model a version: only what can be traced becomes one."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.access import refusals, require
from workbench.errors import GateRefusedError, NotFoundError, WorkbenchError
from workbench.lineage import link
from workbench.project import Project
from workbench.registry.versions import FORMAT, OWNER, as_store_error, model_uri
from workbench.store import disk_full, file_lock, room
from workbench.tracking import client, fetch_model, model_versions, registered_model
from workbench.tracking.capture.origin import COMMIT, DIRTY, JOB_TAG, LINEAR, SNAPSHOT
from workbench.tracking.integrity import DIGEST
from workbench.tracking.models import format_of
from workbench.tracking.recorded import read_recorded
from workbench.tracking.store import ask_experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import RegisteredModel

__all__ = ["register"]

_logger = logging.getLogger("workbench.registry")


@dataclass(frozen=True)
class _Model:
    """The model that a run logged last."""

    uri: str
    digest: str
    has_signature: bool
    format: str


def register(project: Project, name: str, run_id: str, *, owner: str = "") -> str:
    """Make the model that a run logged a version of `name`; return the version.

    Registering a run again returns the version it has.

    Parameters
    ----------
    owner
        Who answers for it; of a model that has versions, its owner as it is unless given.

    Raises
    ------
    ForbiddenError
        If who asks isn't a developer, or the store's server doesn't let their login.
    NotFoundError
        If there is no such run, or it logged no model.
    GateRefusedError
        If the version couldn't be traced: it says all that is missing, and how it comes to be.
    """
    what = f"register a version of {name}"
    require(project, "developer", what)
    ask_experiment(project, what)  # a model of a new name, many a server lets anybody make
    run, model = _read(project, run_id)
    registry = client(project)
    with (
        file_lock(project.state / "registry.lock"),
        as_store_error(),
        refusals(what),
        room(project.state) as give_back,
    ):
        known = _known(registry, name)
        owner = owner or (known.tags.get(OWNER, "") if known else "")
        if missing := _missing(run, model, owner):
            raise GateRefusedError(
                f"run {run_id} can't become a version of {name}: it lacks {'; '.join(missing)}"
            )
        there = [v for v in model_versions(registry, name) if v.run_id == run_id] if known else []
        give_back()
        if known is None:
            registry.create_registered_model(name, tags={OWNER: owner})
        version = str(there[0].version) if there else _made(project, name, model, run_id, owner)
        link(project, [f"run:{run_id}"], f"model:{name}/{version}", "registered")
    if not there or not _is_explained(project, name, version):
        _explain(project, name, version)
    return version


def _is_explained(project: Project, name: str, version: str) -> bool:
    """Whether the explanation is there, and whole: the disk may have been full then."""
    from workbench.explanation import read_explanation

    try:
        read_explanation(project, name, version)
    except (WorkbenchError, OSError):
        return False
    return True


def _known(registry: MlflowClient, name: str) -> RegisteredModel | None:
    try:
        return registered_model(registry, name)
    except NotFoundError:
        return None


def _explain(project: Project, name: str, version: str) -> None:
    """Keep with the version why it says what it says of the rows that were recorded with it.

    A model that can't be explained is registered all the same: a policy may ask for more.
    """
    from workbench.explanation import store_explanation
    from workbench.explanation.explaining import explain

    try:
        rows, _ = read_recorded(fetch_model(project, model_uri(name, version)))
        store_explanation(
            project, name, version, explain(f"{name}/{version}", rows, project=project)
        )
    except NotFoundError as error:
        _logger.info("%s version %s is not explained: %s", name, version, error)
    except (WorkbenchError, OSError) as error:
        said = "the disk is full" if disk_full(error) else error
        _logger.warning("%s version %s is not explained: %s", name, version, said)


def _read(project: Project, run_id: str) -> tuple[Run, _Model]:
    from mlflow.exceptions import MlflowException

    try:
        run = client(project).get_run(run_id)
    except MlflowException as error:
        raise NotFoundError(f"unknown run {run_id!r}: `workbench runs list` has all") from error
    if not run.outputs.model_outputs:
        raise NotFoundError(f"run {run_id} logged no model: wb.log_model(model, example=rows)")
    return run, _model(project, run.outputs.model_outputs[-1].model_id)


def _model(project: Project, model_id: str) -> _Model:
    import mlflow
    from mlflow.exceptions import MlflowException

    uri = f"models:/{model_id}"
    mlflow.set_tracking_uri(project.tracking_uri)
    mlflow.set_registry_uri(project.tracking_uri)
    digest = client(project).get_logged_model(model_id).tags.get(DIGEST, "")
    try:
        info = mlflow.models.get_model_info(uri)
    except (MlflowException, OSError) as error:
        raise NotFoundError(f"{uri}: its files are gone: {error}") from error
    signature = info.signature
    named = signature is not None and signature.inputs is not None
    return _Model(uri, digest, named, format_of(info.flavors))


def _missing(run: Run, model: _Model, owner: str) -> list[str]:
    """Say what a version of the run couldn't be traced by, each with what gives it."""
    tags = run.data.tags
    snapshot = tags.get(SNAPSHOT, "")
    inputs = run.inputs.dataset_inputs
    kept = snapshot and not snapshot.startswith("none:")
    code = kept or (tags.get(COMMIT) and tags.get(DIRTY) != "true")  # what was run is neither
    linear = JOB_TAG in tags or tags.get(LINEAR) == "true"
    found = {
        f"a finished execution (it is {run.info.status})": run.info.status == "FINISHED",
        "a commit or a snapshot of its code (put the project under Git)": code,
        "a dataset with its digest (read with wb.data.read, or run.log_dataset)": inputs
        and all(one.dataset.digest for one in inputs),
        "a signature (log the model with example= or columns=)": model.has_signature,
        "an owner (--owner, or owner in the factory file)": owner,
        "a fresh execution from top to bottom (run the notebook as a job: "
        "workbench models register NAME --from-notebook NOTEBOOK)": linear,
    }
    return [what for what, there in found.items() if not there]


def _made(project: Project, name: str, model: _Model, run_id: str, owner: str) -> str:
    import mlflow

    mlflow.set_tracking_uri(project.tracking_uri)
    mlflow.set_registry_uri(project.tracking_uri)
    tags = {OWNER: owner, FORMAT: model.format}
    if model.format == "pickle":  # also one that MLflow's own call logged
        client(project).set_tag(run_id, FORMAT, "pickle")
    if model.digest:
        tags[DIGEST] = model.digest
    model_id = model.uri.removeprefix("models:/")  # which a server wants beside the address
    made = client(project).create_model_version(
        name, model.uri, run_id=run_id, tags=tags, model_id=model_id
    )
    return str(made.version)
