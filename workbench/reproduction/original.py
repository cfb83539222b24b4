"""The version to make again: its run, the job that made it, and all that they recorded."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from workbench.data import Dataset, list_datasets
from workbench.errors import DataError, NotFoundError, UsageError
from workbench.experiments.checkout import find_snapshot
from workbench.git.snapshots import Snapshot, get_snapshot
from workbench.jobs import Job, get_job
from workbench.jobs.requests import Options
from workbench.jobs.waiting import options_of, secrets_of
from workbench.lineage import upstream
from workbench.project import Project
from workbench.registry import get_model, model_uri
from workbench.tracking import JOB_TAG, RunRecord, client, fetch_model, get_run, read_json
from workbench.tracking.capture.environment import Environment
from workbench.tracking.capture.origin import SNAPSHOT
from workbench.tracking.integrity import DIGEST
from workbench.tracking.stored import model_files

__all__ = ["Original", "data_nodes", "find_original"]

_DATA = ("dataset:", "view:", "spine:")


@dataclass(frozen=True)
class Original:
    """A version with its record."""

    model: str
    version: str
    run: RunRecord
    job: Job
    options: Options
    snapshot: Snapshot
    snapshot_id: str
    """The id that the snapshot is kept under, which may be a local one."""
    environment: Environment | None
    data: list[str]
    """The nodes of the datasets that it was made from, those between included."""
    datasets: list[Dataset]
    """Those of them that were read, and how."""
    folder: Path
    """Where its files are."""
    logged_as: str
    """What the notebook called the model."""
    digested: bool
    """Whether it was recorded what its files were when they were stored."""


def find_original(project: Project, name: str, version: str) -> Original:
    """Find a version and everything that its record has; `version` may be an alias.

    Raises
    ------
    NotFoundError
        If there is no such model or version, or its run, job, snapshot or files are gone.
    UsageError
        If it wasn't made by a job, or its files were changed after they were stored.
    """
    version, run_id = _version(project, name, version)
    run = _run(project, name, version, run_id)
    job = _job(project, name, version, run)
    snapshot_id = _snapshot_id(project, run)
    folder, logged_as, digested = _stored(project, name, version)
    secrets_of(project, job)  # before anything is made: one that is kept nowhere ends it here
    nodes = data_nodes(project, f"run:{run.run_id}")
    known = {dataset.node: dataset for dataset in list_datasets(project)}
    return Original(
        model=name,
        version=version,
        run=run,
        job=job,
        options=options_of(project, job.id),
        snapshot=get_snapshot(project.root, project.state, snapshot_id),
        snapshot_id=snapshot_id,
        environment=_environment(project, run),
        data=sorted(nodes, key=lambda node: (node not in known, node)),  # what was read first
        datasets=[known[node] for node in nodes if node in known],
        folder=folder,
        logged_as=logged_as,
        digested=digested,
    )


def _version(project: Project, name: str, asked: str) -> tuple[str, str]:
    model = get_model(project, name)
    runs = {known.version: known.run_id for known in model.versions}
    wanted = asked if asked in runs else model.aliases.get(asked, "")  # an alias may be a number
    if wanted not in runs:
        raise NotFoundError.named("version", asked, [*runs, *model.aliases], f" of model {name}")
    return wanted, runs[wanted]


def _run(project: Project, name: str, version: str, run_id: str) -> RunRecord:
    if not run_id:
        raise UsageError(f"{name} version {version} has no run: nothing says what made it")
    run = get_run(project, run_id)
    if run.lifecycle_stage == "deleted":
        raise NotFoundError(
            f"run {run.run_id} of {name} version {version} was deleted: "
            f"`workbench runs restore {run.run_id[:8]}` brings it back"
        )
    return run


def _job(project: Project, name: str, version: str, run: RunRecord) -> Job:
    job_id = run.tags.get(JOB_TAG)
    if job_id is None:
        raise UsageError(
            f"{name} version {version}: run {run.run_id[:8]} wasn't made by a job, so nothing "
            "says which cells made it: run its notebook with `workbench run` and register that"
        )
    try:
        return get_job(project, job_id)
    except NotFoundError as error:
        raise NotFoundError(
            f"{name} version {version}: job {job_id}, which made it, is in the records no more"
        ) from error


def _snapshot_id(project: Project, run: RunRecord) -> str:
    told = run.tags.get(SNAPSHOT, "")
    if told.startswith("none"):
        raise UsageError(f"run {run.run_id[:8]} has no snapshot of its code: {told}")
    return find_snapshot(project, run)


def _environment(project: Project, run: RunRecord) -> Environment | None:
    try:
        return Environment.model_validate(read_json(project, run.run_id, "environment.json"))
    except (NotFoundError, ValueError):
        return None


def _stored(project: Project, name: str, version: str) -> tuple[Path, str, bool]:
    """Find the version's files and what they were logged as; refuse those that were changed."""
    from mlflow.exceptions import MlflowException

    uri = model_uri(name, version)
    try:
        folder = fetch_model(project, uri)
    except DataError as error:
        raise UsageError(str(error)) from error  # nothing was made that could be different
    if not model_files(folder):
        raise NotFoundError(f"{uri}: its files are gone from {folder}")
    registered = client(project).get_model_version(name, version)
    digested = DIGEST in registered.tags
    try:
        logged = client(project).get_logged_model(registered.source.removeprefix("models:/"))
    except MlflowException:
        return folder, "model", digested  # registered from somewhere else
    return folder, str(logged.name), digested


def data_nodes(project: Project, run_node: str) -> list[str]:
    """List the nodes of the data that a run was made from, without what other runs were.

    A retrained run has windows above it, and their predictions a model that has data of its own.
    """
    sources: dict[str, list[str]] = defaultdict(list)
    for edge in upstream(project, run_node):
        if edge.source.startswith(_DATA):
            sources[edge.target].append(edge.source)
    found: dict[str, None] = {}
    waiting = [run_node]
    while waiting:
        new = [node for node in sources[waiting.pop()] if node not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return sorted(node for node in found if node.startswith("dataset:"))
