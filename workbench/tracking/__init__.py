"""Runs: what a job or a notebook logged, in MLflow, where every tool can read it.

In a job a run is there without a line of code, and in a notebook after `%load_ext workbench`. To
log more:

>>> import workbench as wb
>>> run = wb.tracking.current_run()  # doctest: +SKIP
>>> run.log_metrics({"roc_auc": 0.77})  # doctest: +SKIP

Plain `mlflow` calls reach the same run.
"""

from workbench.tracking.capture.handover import (
    Captured,
    read_notes,
    store_captured,
    tag_experiment,
)
from workbench.tracking.capture.origin import (
    BRANCH,
    JOB_TAG,
    LINEAR,
    code_status,
    keep_code,
    origin_tags,
    snapshot_tags,
)
from workbench.tracking.comparison import Comparison, Row, compare_runs, executed_cells
from workbench.tracking.delivery import Delivery, deliver
from workbench.tracking.export import export_runs
from workbench.tracking.flavors import (
    LoadedModel,
    fetch_model,
    load_model,
    positive_probability,
)
from workbench.tracking.inputs import RunDataset, run_datasets
from workbench.tracking.lifecycle import create_run, finish_run, read_json, read_text
from workbench.tracking.marks import NOTE, PINNED, list_pinned_first, mark_run, narrowed
from workbench.tracking.reader import Sparklines, read_sparklines, run_metrics
from workbench.tracking.registered import (
    model_version,
    model_versions,
    registered_model,
    registered_models,
)
from workbench.tracking.runs import (
    Facets,
    RunRecord,
    delete_run,
    facets,
    get_run,
    list_runs,
    metric_history,
    restore_run,
    runs_frame,
    tag_run,
)
from workbench.tracking.session import Run, current_run, settle_runs
from workbench.tracking.store import StoreAwayError, client, initialise, initialise_apart

__all__ = [
    "BRANCH",
    "JOB_TAG",
    "LINEAR",
    "NOTE",
    "PINNED",
    "Captured",
    "Comparison",
    "Delivery",
    "Facets",
    "LoadedModel",
    "Row",
    "Run",
    "RunDataset",
    "RunRecord",
    "Sparklines",
    "StoreAwayError",
    "client",
    "code_status",
    "compare_runs",
    "create_run",
    "current_run",
    "delete_run",
    "deliver",
    "executed_cells",
    "export_runs",
    "facets",
    "fetch_model",
    "finish_run",
    "get_run",
    "initialise",
    "initialise_apart",
    "keep_code",
    "list_pinned_first",
    "list_runs",
    "load_model",
    "mark_run",
    "metric_history",
    "model_version",
    "model_versions",
    "narrowed",
    "origin_tags",
    "positive_probability",
    "read_json",
    "read_notes",
    "read_sparklines",
    "read_text",
    "registered_model",
    "registered_models",
    "restore_run",
    "run_datasets",
    "run_metrics",
    "runs_frame",
    "settle_runs",
    "snapshot_tags",
    "store_captured",
    "tag_experiment",
    "tag_run",
]
