"""A small project that has something of every kind, half of it named as an attacker would."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from tests.projects import ready_project
from workbench.features import apply
from workbench.git import Repository
from workbench.project import Project
from workbench.store import AlertRow, JobRow, database, now
from workbench.tracking import client, create_run, finish_run

__all__ = ["HTML", "SCRIPT", "Full", "full_project"]

SCRIPT = "<script>alert(1)</script>"
HTML = "<img src=x onerror=alert(1)>"
"""Where a name may have no slash."""

BRANCH = "<script>alert(1)<script>"
"""A name that Git takes."""

_VIEWS = f'''
import polars as pl

import workbench as wb


@wb.features.request_view(owner="{HTML}", tags=["{HTML}"], features={{"hour": "{SCRIPT}"}})
def schedule():
    """{SCRIPT}"""
    return {{"hour": pl.col("scheduled").dt.hour()}}
'''

_SETTINGS = f"""
[sources.skies]
address = "skies.csv"

[sources."{HTML}"]
address = "skies.csv"
description = "{SCRIPT}"
owner = "{SCRIPT}"
tags = ["{SCRIPT}"]
"""


class Full(NamedTuple):
    """The project, and what is in it by the names of parameters, as `asking.well_formed` wants."""

    project: Project
    existing: dict[str, Any]


def full_project(root: Path) -> Full:
    """Make it in a new folder."""
    project = ready_project(root)
    with (root / "workbench.toml").open("a") as settings:
        settings.write(_SETTINGS)
    (root / "skies.csv").write_text(f'origin,"{HTML}"\nEWR,39.0\nJFK,41.5\n')
    (root / "features").mkdir(exist_ok=True)
    (root / "features" / "views.py").write_text(_VIEWS)
    notebook = _write_notebook(root / "notebooks" / "train.ipynb")
    (root / "schedules").mkdir(exist_ok=True)
    (root / "schedules" / "nightly.toml").write_text(
        f'cron = "0 6 * * *"\nzone = "UTC"\nnotebook = "{notebook}"\n'
    )
    _commit(root)
    project = Project.find(root)
    apply(project)
    other_id, run_id = _runs(project)
    _models(project, run_id)
    job_id, alert_id = _rows(project, notebook)
    existing = {
        "alerts": [alert_id],
        "batch": None,
        "branches.name": "other",
        "cron": "0 6 * * *",
        "file": "notes.md",
        "folder": "checked-out",
        "ids": [job_id],
        "job": job_id,
        "jobs.id": job_id,
        "message": "Change",
        "models.name": "late",
        "name": "skies",
        "notebook": notebook,
        "paths": ["notes.md"],
        "run_id": run_id,
        "runs": f"{run_id},{other_id}",
        "runs.note": "a note",
        "schedules.name": "nightly",
        "source": "skies",
        "version": "1",
        "view": "schedule",
        "zone": "UTC",
    }
    return Full(project, {key: value for key, value in existing.items() if value is not None})


def _write_notebook(path: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    cells = [
        nbformat.v4.new_code_cell(
            "depth: int = 6  # how deep", metadata={"tags": ["parameters"]}, id="one"
        ),
        nbformat.v4.new_code_cell("print(depth)", id="two"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return f"notebooks/{path.name}"


def _commit(root: Path) -> None:
    repository = Repository(root) if (root / ".git").exists() else Repository.init(root)
    files = ["workbench.toml", "skies.csv", "features", "notebooks", "schedules"]
    repository.commit(files, SCRIPT)
    for branch in ("other", BRANCH):
        subprocess.run(["git", "branch", branch], cwd=root, check=True)
    (root / "notes.md").write_text("new\n")
    (root / f"{HTML}.md").write_text("new\n")


def _runs(project: Project) -> list[str]:
    store = client(project)
    made = []
    for name in (SCRIPT, "train"):
        run_id = create_run(project, name, tags={"markup": SCRIPT}, params={"markup": SCRIPT})
        store.log_metric(run_id, "roc_auc", 0.77)
        finish_run(project, run_id, "FINISHED")
        made.append(run_id)
    return made


def _models(project: Project, run_id: str) -> None:
    store = client(project)
    for name in ("late", HTML):
        store.create_registered_model(name, description=SCRIPT, tags={"workbench.owner": SCRIPT})
        store.create_model_version(name, f"runs:/{run_id}/model", run_id=run_id)


def _rows(project: Project, notebook: str) -> tuple[str, int]:
    with database(project).session() as session:
        job = JobRow(
            id="00000000000a",
            notebook=notebook,
            parameters={HTML: SCRIPT},
            state="failed",
            label=SCRIPT,
            failure="cell",
            error=SCRIPT,
            created_at=now(),
        )
        alert = AlertRow(
            monitor=HTML,
            model="late",
            version="1",
            window_start=now(),
            state="open",
            cause=SCRIPT,
            message=SCRIPT,
            owner=SCRIPT,
            opened_at=now(),
        )
        session.add_all([job, alert])
        session.flush()
        return job.id, alert.id
