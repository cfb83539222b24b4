"""What can be done with a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from workbench.errors import NotFoundError, UsageError
from workbench.experiments import checkout_run
from workbench.jobs import get_job
from workbench.project import Project
from workbench.tracking import JOB_TAG, RunRecord, executed_cells, get_run
from workbench.tracking import mark_run as change_run

__all__ = [
    "CheckedOutRun",
    "CheckoutPlace",
    "RunMarks",
    "RunNotebook",
    "RunOrigin",
    "check_out_run",
    "get_run_notebook",
    "get_run_origin",
    "mark_run",
]

_NOTEBOOK = "mlflow.source.name"


class RunMarks(BaseModel):
    """What is to be said of a run; what is left out stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pinned: bool | None = None
    note: str | None = Field(default=None, max_length=5000, description="empty takes it away")
    tags: dict[str, str | None] | None = Field(
        default=None, description="by key; null takes a tag away"
    )


class RunNotebook(BaseModel):
    """A notebook as a run executed it."""

    model_config = ConfigDict(frozen=True)

    name: str
    content: dict[str, Any]


class RunOrigin(BaseModel):
    """What to run to run it again."""

    model_config = ConfigDict(frozen=True)

    notebook: str | None = Field(description="from the project's root; null if it isn't there")
    parameters: dict[str, Any] = Field(description="those that its job was given")


class CheckoutPlace(BaseModel):
    """Where a run's code is to be put."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str = Field(min_length=1, description="new or empty; from the server's root")


class CheckedOutRun(BaseModel):
    """Where a run's code was put."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    folder: str = Field(description="from the server's root")
    commit: str | None
    left_out: list[str] = Field(description="files that its snapshot doesn't have: too large")


def mark_run(project: Project, run_id: str, body: RunMarks) -> RunRecord:
    """Pin a run, note something about it, tag it."""
    return change_run(project, run_id, pinned=body.pinned, note=body.note, tags=body.tags)


def get_run_notebook(project: Project, run_id: str) -> RunNotebook:
    """Return the notebook as the run executed it."""
    run = get_run(project, run_id)
    text = executed_cells(project, run.run_id)
    if text is None:
        raise NotFoundError(f"run {run.run_id[:8]} left no notebook: it has no executed cells")
    content = json.loads(text)
    for cell in content.get("cells", []):
        # Whoever logged the run may have written it: JupyterLab runs the scripts of what it trusts.
        cell.get("metadata", {}).pop("trusted", None)
    stem = Path(run.tags.get(_NOTEBOOK, "executed")).stem
    return RunNotebook(name=f"{stem}-{run.run_id[:8]}.ipynb", content=content)


def get_run_origin(project: Project, run_id: str) -> RunOrigin:
    """Say which notebook a run is of, and with which parameters it ran as a job."""
    run = get_run(project, run_id)
    try:
        parameters = get_job(project, run.tags[JOB_TAG]).params if JOB_TAG in run.tags else {}
    except NotFoundError:
        parameters = {}  # the job was on another machine
    return RunOrigin(notebook=_notebook(project, run), parameters=parameters)


def check_out_run(
    project: Project, served: Path, run_id: str, body: CheckoutPlace
) -> CheckedOutRun:
    """Bring the code of a run, as it was when the run began, into a new or an empty folder."""
    root = served.resolve()
    try:
        folder = (root / body.folder).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"{body.folder!r}: can't be followed") from error
    if folder == root or not folder.is_relative_to(root):
        raise UsageError(f"{body.folder}: expected a folder in the one that Jupyter serves")
    found = checkout_run(project, run_id, folder)
    return CheckedOutRun(
        run_id=found.run_id,
        folder=folder.relative_to(root).as_posix(),
        commit=found.commit,
        left_out=found.left_out,
    )


def _notebook(project: Project, run: RunRecord) -> str | None:
    """Find the run's notebook, if it is still in the project."""
    name = run.tags.get(_NOTEBOOK, "")
    path = (project.root / name).resolve() if name.endswith(".ipynb") else None
    if path is None or not path.is_relative_to(project.root.resolve()) or not path.is_file():
        return None
    return path.relative_to(project.root.resolve()).as_posix()
