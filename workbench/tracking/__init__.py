"""Runs: what a job or a notebook logged, in MLflow, where every tool can read it.

In a notebook:

>>> import workbench as wb
>>> run = wb.tracking.current_run()  # doctest: +SKIP
>>> run.log_metrics({"roc_auc": 0.77})  # doctest: +SKIP

In a job that is the job's own run; elsewhere a new one is started. Plain `mlflow` calls reach the
same run.
"""

from workbench.tracking.flavors import LoadedModel, load_model, positive_probability
from workbench.tracking.runs import (
    RunRecord,
    create_run,
    finish_run,
    get_run,
    list_runs,
    read_json,
    store_file,
)
from workbench.tracking.session import Run, current_run
from workbench.tracking.store import client, initialise

__all__ = [
    "LoadedModel",
    "Run",
    "RunRecord",
    "client",
    "create_run",
    "current_run",
    "finish_run",
    "get_run",
    "initialise",
    "list_runs",
    "load_model",
    "positive_probability",
    "read_json",
    "store_file",
]
