"""The run that a notebook is in."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from workbench.access import refusals, require
from workbench.data import frame_digest
from workbench.errors import StoreError
from workbench.lineage import link, made
from workbench.project import Project
from workbench.tracking import exits
from workbench.tracking.delivery import Delivery, deliver
from workbench.tracking.flavors import log_model
from workbench.tracking.lifecycle import FinalStatus
from workbench.tracking.living import RunLock, abandoned
from workbench.tracking.sending import LOCAL_ID, LOCAL_PREFIX, find_run
from workbench.tracking.store import StoreAwayError, client, initialise
from workbench.tracking.writer import writer_of

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

__all__ = ["INTERRUPTED", "Run", "current_run", "settle_runs"]

INTERRUPTED = "workbench.interrupted"
"""The tag of a run whose process was gone before it could say how the run ended."""

_begun: dict[Path, Run] = {}


def current_run(project: Project | None = None) -> Run:
    """Return the run of this job, or of this notebook: the active one, else a new one.

    A new one ends with the process, unless `Run.end` ends it before. While the store is away it has
    a local id: what is logged waits in the spool, and the run is created once the store is back.
    Plain `mlflow` calls don't reach it until then.

    Raises
    ------
    ForbiddenError
        If who asks isn't a developer, or the store's server doesn't let their login.
    """
    import mlflow

    project = project or Project.find()
    mlflow.set_tracking_uri(project.tracking_uri)
    mlflow.set_registry_uri(project.tracking_uri)
    active = mlflow.active_run()
    if active is not None:
        return Run(project, active.info.run_id)
    run = _begun.get(project.state)
    if run is not None and run.began_local:
        if not run.is_local:  # created meanwhile: now plain calls can reach it
            mlflow.start_run(run_id=run.run_id)
        return run
    if run is not None:  # somebody has ended it with MLflow's own call
        run.writer.own(None)
    run = _begun[project.state] = _begin(project)
    return run


def settle_runs(project: Project) -> list[str]:
    """Mark interactive runs whose process is gone as interrupted; return their ids.

    What they left in the spool is sent before. Those of which something still can't be sent are
    left for later, and so are all while the store is away. Jobs' runs are closed with their jobs.
    """
    settled = []
    for run_id, lock in abandoned(project):
        try:
            found = None if deliver(project, run_id).waiting else _interrupt(project, run_id, lock)
        except StoreAwayError:
            found = None
        if found is None:
            lock.release()
            continue
        lock.remove()
        settled += [found] if found else []
    return settled


class Run:
    """A handle to log with.

    Metrics, parameters, tags, datasets and files are checked when they are logged and with the
    operating system when the call returns: they outlive the process, however it ends. They are in
    MLflow a second later, after `flush`, or once the store is back; what MLflow refuses is kept
    beside the spool with the reason. A model goes to MLflow straight, and is there when the call
    returns.
    """

    def __init__(
        self, project: Project, run_id: str, *, create: Mapping[str, Any] | None = None
    ) -> None:
        self.project = project
        self.writer = writer_of(project, run_id, create=create)

    @property
    def run_id(self) -> str:
        """The run's id in MLflow; a local one until the run could be created."""
        return self.writer.run_id

    @property
    def began_local(self) -> bool:
        """Whether the store was away when the run began."""
        return self.writer.spooled_id.startswith(LOCAL_PREFIX)

    @property
    def is_local(self) -> bool:
        """Whether it isn't in MLflow yet either."""
        return self.run_id.startswith(LOCAL_PREFIX)

    @property
    def node(self) -> str:
        """The run's name in the lineage."""
        return f"run:{self.run_id}"

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters; one that is logged again must have the same value.

        Of a value over 6,000 characters the parameter holds the beginning, and the artifact
        `params/<name>.txt` all of it.
        """
        self.writer.params(params)

    def log_metric(self, key: str, value: Any, step: int | None = None) -> None:
        """Log a metric; NaN and infinities are values like others."""
        self.writer.metric(key, value, step)

    def log_metrics(
        self, metrics: Mapping[str, Any], prefix: str = "", step: int | None = None
    ) -> None:
        """Log metrics by name, each name with `prefix` in front."""
        self.writer.metrics({f"{prefix}{key}": metrics[key] for key in metrics}, step)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags; the last value of a tag stands."""
        self.writer.tags(tags)

    def log_dataset(
        self, name: str, frame: pl.DataFrame, context: str, made_from: Sequence[str] = ()
    ) -> str:
        """Log a frame as an input of the run and return the digest of its content.

        Parameters
        ----------
        context
            What the frame was for: `training`, `validation`, ….
        made_from
            The lineage nodes that it was made from.
        """
        digest = frame_digest(frame)
        schema = {column: str(dtype) for column, dtype in frame.schema.items()}
        dataset = {
            "name": name,
            "digest": digest[:32],  # MLflow keeps 36 characters
            "source_type": "workbench",
            "source": json.dumps({"project": self.project.name, "spine": name}),
            "schema": json.dumps(schema),
            "profile": json.dumps({"num_rows": frame.height}),
        }
        self.writer.dataset(dataset, context)
        self.flush()
        node = f"dataset:{name}@{digest[:12]}"
        link(self.project, made_from, node, "selected")
        link(self.project, [node], self.node, context)
        made(node)
        return digest

    def log_model(
        self,
        model: Any,
        columns: Sequence[str] | None = None,
        *,
        name: str = "model",
        example: Any = None,
    ) -> str:
        """Log a fitted model; return its URI. What was logged before goes to the store first.

        Parameters
        ----------
        columns
            The names of the features that it was fitted on, in order: its signature.
        example
            Rows like those it was fitted on, which tell more than names do.

        Raises
        ------
        DataError
            If it has scikit-learn types that the project doesn't trust.
        StoreError
            If the store is away.
        """
        if not self.flush() and self.is_local:
            raise StoreError(f"run {self.run_id}: the store is away; a model can't wait for it")
        with refusals(f"log a model with run {self.run_id}"):
            return log_model(
                model,
                name,
                example=example,
                columns=columns,
                project=self.project,
                run_id=self.run_id,
            )

    def log_json(self, content: Any, path: str) -> None:
        """Store something as a JSON artifact at `path`; what JSON has no word for, as text."""
        self.log_text(json.dumps(content, indent=2, default=str), path)

    def log_text(self, text: str, path: str) -> None:
        """Store a text as an artifact at `path`."""
        self.writer.file(text.encode(), path)
        self.flush()

    def log_figure(self, figure: Figure, path: str) -> None:
        """Store a matplotlib figure as an artifact at `path`, whose ending says in which format."""
        drawn = io.BytesIO()
        figure.savefig(drawn, format=PurePosixPath(path).suffix[1:] or None)
        self.writer.file(drawn.getvalue(), path)
        self.flush()

    def flush(self) -> bool:
        """Wait until all that was logged is in MLflow; False if the store is away just now."""
        return self.writer.flush()

    def end(self, status: FinalStatus = "FINISHED") -> Delivery:
        """End the run, after all that was logged; say what still waits for the store."""
        self.writer.end(status)
        left = self.writer.close()
        _leave_mlflow(self.run_id)
        if _begun.get(self.project.state) is self:
            del _begun[self.project.state]
        return left


def _begin(project: Project) -> Run:
    """Begin a run, or take up the job's."""
    import mlflow

    handed_over = os.environ.get("MLFLOW_RUN_ID")
    if not handed_over:  # who asked for a job was asked then
        require(project, "developer", "log a run")
    _watch_exit()
    try:
        experiment_id = initialise(project)
    except StoreAwayError:
        return Run(project, handed_over) if handed_over else _begin_local(project)
    if handed_over:
        # A job hands its run over in MLFLOW_RUN_ID, which start_run takes up by itself.
        return Run(project, mlflow.start_run().info.run_id)
    with refusals("log a run"):
        run = Run(project, mlflow.start_run(experiment_id=experiment_id).info.run_id)
    _own(run)
    return run


def _begin_local(project: Project) -> Run:
    """Begin a run that is created in MLflow once the store is back."""
    import time

    from mlflow.tracking.context.registry import resolve_tags

    run_id = f"{LOCAL_PREFIX}{uuid4().hex}"
    create = {"name": None, "tags": resolve_tags(), "start_time": int(time.time() * 1000)}
    run = Run(project, run_id, create=create)
    _own(run)
    run.set_tags({LOCAL_ID: run_id})  # the first entry: there is something to create it for
    return run


def _own(run: Run) -> None:
    lock = RunLock.take(run.project, run.run_id)
    run.writer.own(lock)


def _interrupt(project: Project, run_id: str, lock: RunLock) -> str | None:
    """Give a run the end that it couldn't give itself; return its id, empty if it had one.

    Raises
    ------
    StoreAwayError
        If the store is away.
    """
    from mlflow.exceptions import MlflowException

    initialise(project)
    mlflow = client(project)
    try:
        real_id = find_run(project, run_id) if run_id.startswith(LOCAL_PREFIX) else run_id
        if real_id is None or mlflow.get_run(real_id).info.status != "RUNNING":
            return ""
        mlflow.set_tag(real_id, INTERRUPTED, "true")
        mlflow.set_terminated(real_id, "KILLED", int(lock.last_alive * 1000))
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return ""
        raise StoreAwayError(error.message) from error
    return real_id


@cache
def _watch_exit() -> None:
    """Keep MLflow from ending our runs after us: it would wait for minutes for a store that's away.

    It ends the active run at exit as finished, however the process ends.
    """
    import mlflow  # noqa: F401 - its own exit handler has to be there first

    exits.on_end(_leave_all, lambda: None)


def _leave_all(_ending: exits.Ending, in_handler: bool) -> None:  # noqa: FBT001 - a callback's
    if in_handler:
        return  # no process ends here for sure; and where it does, MLflow isn't asked
    for run in _begun.values():
        _leave_mlflow(run.run_id)


def _leave_mlflow(run_id: str) -> None:
    """Take a run out of MLflow's active ones in this thread, without a call to the store."""
    from mlflow.tracking import fluent

    stack = fluent._active_run_stack.get()
    stack[:] = [run for run in stack if run.info.run_id != run_id]
    monitor = fluent.run_id_to_system_metrics_monitor.pop(run_id, None)
    if monitor is not None:
        monitor.finish()
