"""A job's notebook records itself: no line of it says `workbench` or `mlflow`."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import polars as pl
import pytest

from tests.jobs.notebooks import write_notebook
from tests.projects import ready_project
from workbench.experiments import checkout_run
from workbench.git import Repository
from workbench.jobs import Job, JobRequest, run_jobs
from workbench.project import Project
from workbench.tracking import (
    RunRecord,
    client,
    get_run,
    initialise,
    list_runs,
    read_json,
    run_datasets,
)

TRAIN = """\
import polars as pl
from xgboost import XGBClassifier

from local_code import columns

rows = pl.read_csv("rows.csv")
model = XGBClassifier(n_estimators=trees, max_depth=2)
model.fit(rows.select(columns()).to_numpy(), rows["y"].to_numpy())
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Job]:
    """A job that trained; the module it imported is ignored by Git, the data aren't committed."""
    project = ready_project(tmp_path_factory.mktemp("capture") / "project")
    rows = {"a": [0.0, 1, 2, 3] * 9, "b": [1.0, 0, 1, 1] * 9, "y": [0, 0, 1, 1] * 9}
    pl.DataFrame(rows).write_csv(project.root / "rows.csv")
    (project.root / "local_code.py").write_text("def columns():\n    return ['a', 'b']\n")
    with (project.root / ".gitignore").open("a") as ignored:
        ignored.write("local_code.py\n")
    write_notebook(project.root / "notebooks" / "t.ipynb", TRAIN, parameters="trees: int = 5")
    Repository(project.root).commit([".gitignore"], "Ignore a module")
    [job] = run_jobs(project, [JobRequest("notebooks/t.ipynb", {"trees": 7})])
    assert job.state == "succeeded", job.error
    return project, job


@pytest.fixture
def run(trained: tuple[Project, Job]) -> RunRecord:
    project, job = trained
    assert job.run_id is not None
    return get_run(project, job.run_id)


def test_parameters_of_the_cell_and_of_the_library(run: RunRecord) -> None:
    assert run.params["trees"] == "7"
    assert run.params["max_depth"] == "2"


def test_the_model_is_logged(trained: tuple[Project, Job], run: RunRecord) -> None:
    import mlflow

    project, _ = trained
    mlflow.set_tracking_uri(project.tracking_uri)
    models = mlflow.search_logged_models([initialise(project)], output_format="list")
    assert [model.source_run_id for model in models] == [run.run_id]


def test_what_it_read(trained: tuple[Project, Job], run: RunRecord) -> None:
    project, _ = trained
    [data] = run_datasets(project, [run.run_id])[run.run_id]
    assert (data.name, data.context) == ("rows", "read")


def test_where_it_ran_and_what_it_cost(trained: tuple[Project, Job], run: RunRecord) -> None:
    project, _ = trained
    environment = read_json(project, run.run_id, "environment.json")
    assert {"xgboost", "polars"} < set(environment["packages"])
    assert run.metrics["cost_cpu_seconds"] > 0.1
    assert run.metrics["cost_peak_memory_bytes"] > 50e6
    assert "cost_money" not in run.metrics


def test_where_its_code_is_from(run: RunRecord) -> None:
    assert run.tags["mlflow.source.git.branch"] == "main"
    assert run.tags["workbench.dirty"] == "true"
    assert run.tags["execution.linear"] == "true"


def test_the_code_comes_back_as_it_was_executed(
    trained: tuple[Project, Job], run: RunRecord, tmp_path: Path
) -> None:
    project, _ = trained
    checkout_run(project, run.run_id, tmp_path / "there")
    [module] = (tmp_path / "there").rglob("local_code.py")
    assert module.read_text() == "def columns():\n    return ['a', 'b']\n"
    executed, written = sorted((tmp_path / "there").rglob("t.ipynb"))
    sources = [cell.source for cell in nbformat.read(executed, as_version=4).cells]
    assert "trees = 7" in "\n".join(sources)
    assert "trees = 7" not in written.read_text()
    assert (tmp_path / "there" / "rows.csv").exists()


def test_the_notebook_has_no_trace_of_it(trained: tuple[Project, Job]) -> None:
    project, job = trained
    assert job.output is not None
    content = json.loads((project.root / job.output).read_text())
    assert "load_ext" not in json.dumps(content)
    assert [cell["execution_count"] for cell in content["cells"]] == [1, 2, 3]


def test_the_run_has_the_executed_notebook(trained: tuple[Project, Job], run: RunRecord) -> None:
    project, _ = trained
    stored = client(project).list_artifacts(run.run_id, "notebook")
    assert [file.path for file in stored] == ["notebook/executed.ipynb"]


def test_plain_mlflow_code_reaches_the_jobs_run(tmp_path: Path) -> None:
    project = ready_project(tmp_path / "project")
    block = "with mlflow.start_run(run_name='{0}'):\n    mlflow.log_metric('m', {0})"
    cells = ("import mlflow", block.format(1), block.format(2), "mlflow.log_metric('last', 3)")
    write_notebook(project.root / "n.ipynb", *cells)
    [job] = run_jobs(project, [JobRequest("n.ipynb")])
    assert job.state == "succeeded", job.error
    assert job.run_id is not None
    outer = get_run(project, job.run_id)
    assert (outer.metrics["m"], outer.metrics["last"], outer.name) == (1, 3, "1")
    [inner] = [run for run in list_runs(project) if run.run_id != job.run_id]
    assert (inner.metrics["m"], inner.name, inner.status) == (2, "2", "FINISHED")
    assert inner.tags["mlflow.parentRunId"] == job.run_id
    assert inner.tags["workbench.job"] == job.id


def test_a_rate_makes_it_money(tmp_path: Path) -> None:
    project = ready_project(tmp_path / "project")
    settings = project.root / "workbench.toml"
    settings.write_text(settings.read_text() + "\n[cost]\nper_hour = 3600\n")
    write_notebook(project.root / "n.ipynb", "1 + 1")
    [job] = run_jobs(Project.find(project.root), [JobRequest("n.ipynb")])
    assert job.run_id is not None
    metrics = get_run(project, job.run_id).metrics
    assert metrics["cost_money"] == pytest.approx(metrics["cost_wall_seconds"])
