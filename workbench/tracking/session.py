"""The run that a notebook is in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.data import frame_digest
from workbench.lineage import link
from workbench.project import Project
from workbench.tracking.flavors import log_model
from workbench.tracking.store import client, initialise

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

__all__ = ["Run", "current_run"]


def current_run(project: Project | None = None) -> Run:
    """Return the run of this job, or of this notebook: the active one, else a new one."""
    import mlflow

    project = project or Project.find()
    experiment_id = initialise(project)
    mlflow.set_tracking_uri(project.tracking_uri)
    mlflow.set_registry_uri(project.tracking_uri)
    active = mlflow.active_run()
    if active is None:
        # A job hands its run over in MLFLOW_RUN_ID, which start_run takes up by itself.
        active = mlflow.start_run(
            experiment_id=None if os.environ.get("MLFLOW_RUN_ID") else experiment_id
        )
    return Run(project, active.info.run_id)


class Run:
    """A handle to log with. What is logged is durable when the call returns."""

    def __init__(self, project: Project, run_id: str) -> None:
        self.project = project
        self.run_id = run_id

    @property
    def node(self) -> str:
        """The run's name in the lineage."""
        return f"run:{self.run_id}"

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters; one that is logged again must have the same value."""
        from mlflow.entities import Param

        entries = [Param(key, str(value)) for key, value in params.items()]
        client(self.project).log_batch(self.run_id, params=entries)

    def log_metrics(self, metrics: Mapping[str, float], prefix: str = "") -> None:
        """Log metrics by name, each name with `prefix` in front."""
        import time

        from mlflow.entities import Metric

        stamp = int(time.time() * 1000)
        entries = [Metric(f"{prefix}{key}", float(metrics[key]), stamp, 0) for key in metrics]
        client(self.project).log_batch(self.run_id, metrics=entries)

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
        import json

        from mlflow.entities import Dataset, DatasetInput, InputTag

        digest = frame_digest(frame)
        schema = {column: str(dtype) for column, dtype in frame.schema.items()}
        dataset = Dataset(
            name=name,
            digest=digest[:32],  # MLflow keeps 36 characters
            source_type="workbench",
            source=json.dumps({"project": self.project.name, "spine": name}),
            schema=json.dumps(schema),
            profile=json.dumps({"num_rows": frame.height}),
        )
        tags = [InputTag("mlflow.data.context", context)]
        client(self.project).log_inputs(self.run_id, [DatasetInput(dataset, tags)])
        node = f"dataset:{name}@{digest[:12]}"
        link(self.project, made_from, node, "selected")
        link(self.project, [node], self.node, context)
        return digest

    def log_model(self, model: Any, columns: Sequence[str]) -> str:
        """Log a fitted binary classifier; return its URI.

        Parameters
        ----------
        columns
            The names of the features that it was fitted on, in order: its signature.

        Raises
        ------
        DataError
            If it has scikit-learn types that the project doesn't trust.
        """
        return log_model(model, columns, self.project.settings.trusted_types)

    def log_json(self, content: Any, path: str) -> None:
        """Store something as a JSON artifact at `path`."""
        client(self.project).log_dict(self.run_id, content, path)

    def log_figure(self, figure: Figure, path: str) -> None:
        """Store a matplotlib figure as an artifact at `path`."""
        client(self.project).log_figure(self.run_id, figure, path)
