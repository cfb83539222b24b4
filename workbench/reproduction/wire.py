"""What goes to the process that makes a version again, and what comes back from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from workbench.data import Dataset
from workbench.jobs.requests import Limits
from workbench.reproduction.records import DataCheck, Predictions
from workbench.tracking.capture.environment import Environment

__all__ = ["REQUEST", "RESULT", "Answer", "Asked"]

REQUEST, RESULT = "request.json", "result.json"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class Asked(_Message):
    """A notebook to run again, and the model to compare with."""

    root: Path
    notebook: str
    parameters: dict[str, Any]
    label: str
    limits: Limits
    environment: dict[str, str]
    datasets: list[Dataset]
    folder: Path
    logged_as: str
    trust_pickle: bool
    trusted_types: list[str]


class Answer(_Message):
    """What came of it; of a job that failed there is no model."""

    checks: list[DataCheck]
    gone: list[str] = []
    """Sources that the notebook can't do without and that aren't there: then nothing was run."""
    job_id: str | None = None
    state: str = "not run"
    error: str | None = None
    error_cell: int | None = None
    environment: Environment | None = None
    modules: list[Path] = []
    nodes: list[str] = []
    datasets: list[Dataset] = []
    params: dict[str, str] = {}
    metrics: dict[str, float] = {}
    folder: Path | None = None
    """Where the new model's files are."""
    library: str = ""
    predictions: Predictions | None = None
    why_no_predictions: str = ""
