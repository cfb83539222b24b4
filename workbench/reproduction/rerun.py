"""What is done in the version's own environment: the data checked, the notebook run, models asked.

It works on the code in a folder and with the folder's records, and leaves its answer as a file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.jobs import Job, JobRequest, Progress, Retries, load_notebook, read_parameters
from workbench.jobs import run_jobs as run
from workbench.jobs.parameters import from_json
from workbench.jobs.records import folder as job_folder
from workbench.project import Project
from workbench.reproduction.checking import check_data, missing_sources
from workbench.reproduction.comparing import compare_models, own_library
from workbench.reproduction.original import data_nodes
from workbench.reproduction.records import DataCheck
from workbench.reproduction.wire import REQUEST, RESULT, Answer, Asked
from workbench.store import write_atomic
from workbench.tracking import Captured, client, get_run, initialise, read_notes
from workbench.tracking.stored import same_files
from workbench.usage import COST

__all__ = ["main"]

Say = Callable[[str], None]


def main(folder: Path, say: Say) -> int:
    """Do what the folder's request asks for."""
    asked = Asked.model_validate_json((folder / REQUEST).read_bytes())
    project = Project.find(asked.root)
    checks = check_data(project, asked.datasets, say)
    answer = Answer(checks=checks, gone=missing_sources(asked.datasets, checks))
    if not answer.gone:
        answer = _made_again(project, asked, checks, say)
    with write_atomic(folder / RESULT) as beside:
        beside.write_text(answer.model_dump_json(), encoding="utf-8")
    return 0


def _made_again(project: Project, asked: Asked, checks: list[DataCheck], say: Say) -> Answer:
    initialise(project)  # else a process of its own would, and import MLflow as this one has to
    job = _run_notebook(project, asked, say)
    answer = Answer(
        job_id=job.id,
        state=job.state,
        error=job.error,
        error_cell=job.error_cell,
        checks=checks,
        **_noticed(project, job),
    )
    return _compared(project, asked, answer, job, say) if job.state == "succeeded" else answer


def _run_notebook(project: Project, asked: Asked, say: Say) -> Job:
    contract = read_parameters(load_notebook(asked.root / asked.notebook), asked.notebook)
    request = JobRequest(
        asked.notebook,
        from_json(contract, asked.parameters, asked.notebook),
        label=asked.label,
        limits=asked.limits,
        retries=Retries(attempts=1),
        environment=asked.environment,
    )
    said: list[tuple[int, int]] = []

    def tell(progress: Progress) -> None:
        now = progress.cell, progress.cells
        if now[1] and now not in said:
            said.append(now)
            say(f"{asked.notebook}: cell {now[0]} of {now[1]}")

    [job] = run(project, [request], workers=1, on_progress=tell)
    return job


def _noticed(project: Project, job: Job) -> dict[str, Any]:
    """Gather what the new run recorded of itself."""
    captured = Captured.of(read_notes(job_folder(project, job.id)))
    found: dict[str, Any] = {
        "environment": captured.environment,
        "modules": captured.modules,
        "datasets": captured.datasets,
    }
    if job.run_id is None:
        return found
    record = get_run(project, job.run_id)
    metrics = {name: v for name, v in record.metrics.items() if not name.startswith(COST)}
    nodes = data_nodes(project, f"run:{record.run_id}")
    return {**found, "nodes": nodes, "params": record.params, "metrics": metrics}


def _compared(project: Project, asked: Asked, answer: Answer, job: Job, say: Say) -> Answer:
    folder = _new_model(project, str(job.run_id), asked.logged_as)
    if folder is None:
        return answer.model_copy(update={"why_no_predictions": "the notebook logged no model"})
    update: dict[str, Any] = {"folder": folder, "library": own_library(folder)}
    if not same_files(asked.folder, folder):
        say("predictions of both models")
        update |= compare_models(project, asked, folder)
    return answer.model_copy(update=update)


def _new_model(project: Project, run_id: str, name: str) -> Path | None:
    """Find the files of the model that the new run logged under the name, else of its last one."""
    import mlflow

    store = client(project)
    made = store.get_run(run_id).outputs.model_outputs
    if not made:
        return None
    mlflow.set_tracking_uri(project.tracking_uri)
    models = [store.get_logged_model(output.model_id) for output in made]
    chosen = [model for model in models if model.name == name] or models
    return Path(mlflow.artifacts.download_artifacts(chosen[-1].model_uri))
