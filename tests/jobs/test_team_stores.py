"""The same project on a team's stores: a real `mlflow server`, a real PostgreSQL."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from mlflow import MlflowClient

from tests.jobs.notebooks import write_notebook
from tests.jobs.test_notebook_session import kernel
from tests.projects import ready_project
from tests.servers import mlflow_server, postgresql
from workbench.experiments import checkout_run, leaderboard, merge_branch, start_branch
from workbench.factory.scaffold import create_project
from workbench.git import Repository
from workbench.jobs import JobRequest, run_jobs
from workbench.project import Project
from workbench.tracking import (
    client,
    compare_runs,
    delete_run,
    get_run,
    initialise,
    list_runs,
    restore_run,
    run_datasets,
    runs_frame,
    tag_run,
)

TRAIN = """\
import polars as pl
from sklearn.linear_model import LogisticRegression

import workbench as wb

rows = pl.read_csv("rows.csv")
run = wb.tracking.current_run()
run.log_dataset("rows", rows, "validation")
model = LogisticRegression(C=strength).fit(rows.select("a", "b").to_numpy(), rows["y"].to_numpy())
for step in range(50):
    run.log_metric("loss", 1 / (1 + step), step=step)
run.log_metrics({"auc": 0.5 + strength / 10})
wb.log_model(model, "model", example=rows.select("a", "b"))
"""


@pytest.fixture(scope="module", params=["server", "postgresql"])
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A project whose records are elsewhere, with a run on `main` and one on `stronger`."""
    folder = tmp_path_factory.mktemp(request.param)
    made = create_project(folder / "project")
    start = mlflow_server if request.param == "server" else postgresql
    with start(folder / "store" if request.param == "server" else folder) as address:
        settings = made.root / "workbench.toml"
        added = f'tracking_uri = "{address}"\n'
        if request.param == "postgresql":
            added += f'database_url = "{address}"\n'
        settings.write_text(added + settings.read_text())
        project = Project.find(made.root)
        rows = {"a": [0.0, 1, 2, 3] * 9, "b": [1.0, 0, 1, 1] * 9, "y": [0, 0, 1, 1] * 9}
        pl.DataFrame(rows).write_csv(project.root / "rows.csv")
        write_notebook(
            project.root / "notebooks/t.ipynb", TRAIN, parameters="strength: float = 0.5"
        )
        repository = Repository(project.root)
        repository.commit(["rows.csv", "notebooks/t.ipynb", "workbench.toml"], "A notebook")
        train(project, 0.5)
        start_branch("stronger", project=project)
        (project.root / "why.md").write_text("Less regularisation.\n")
        repository.commit(["why.md"], "Say why")
        train(project, 2.0)
        yield project


def train(project: Project, strength: float) -> None:
    [job] = run_jobs(project, [JobRequest("notebooks/t.ipynb", {"strength": strength})])
    assert job.state == "succeeded", job.error


def test_what_jobs_log_is_there(project: Project) -> None:
    stronger, weaker = list_runs(project)
    assert [run.tags["mlflow.source.git.branch"] for run in (weaker, stronger)] == [
        "main",
        "stronger",
    ]
    assert stronger.params["strength"] == "2.0"
    assert stronger.metrics["auc"] == 0.7
    assert stronger.metrics["loss"] == 1 / 50
    assert len(client(project).get_metric_history(stronger.run_id, "loss")) == 50
    assert stronger.status == "FINISHED"


def test_mlflows_own_client_sees_the_same(project: Project) -> None:
    ours = list_runs(project, "metrics.auc > 0.6")
    theirs = client(project).search_runs([initialise(project)], "metrics.auc > 0.6")
    assert [run.info.run_id for run in theirs] == [run.run_id for run in ours]
    assert theirs[0].data.params == ours[0].params


def test_all_runs_make_one_frame(project: Project) -> None:
    frame = runs_frame(project).sort("metrics.auc")
    assert frame["metrics.auc"].to_list() == [0.55, 0.7]


def test_runs_compare(project: Project) -> None:
    stronger, weaker = list_runs(project)
    found = compare_runs(project, [weaker.run_id, stronger.run_id])
    assert {row.name: row.values for row in found.params if row.differs}["strength"] == [
        "0.5",
        "2.0",
    ]
    assert not any(row.differs for row in found.datasets)
    assert {row.name for row in found.packages} > {"polars", "python"}


def test_branches_are_ranked_on_the_same_data(project: Project) -> None:
    board = leaderboard("auc", project=project)
    assert [(entry.branch, entry.value) for entry in board.entries] == [
        ("stronger", 0.7),
        ("main", 0.55),
    ]
    [run_id, *_] = [entry.run_id for entry in board.entries]
    assert board.digest in {data.digest for data in run_datasets(project, [run_id])[run_id]}


def test_a_runs_code_comes_back(project: Project, tmp_path: Path) -> None:
    run = list_runs(project, "metrics.auc > 0.6")[0]
    checkout_run(project, run.run_id, tmp_path / "there")
    assert (tmp_path / "there" / "notebooks" / "t.ipynb").exists()


def test_a_run_is_tagged_deleted_and_restored(project: Project) -> None:
    run_id = list_runs(project)[0].run_id
    tag_run(project, run_id, "note", "good")
    assert get_run(project, run_id).tags["note"] == "good"
    tag_run(project, run_id, "note", None)
    assert "note" not in get_run(project, run_id).tags
    delete_run(project, run_id)
    assert run_id not in {run.run_id for run in list_runs(project)}
    restore_run(project, run_id)
    assert run_id in {run.run_id for run in list_runs(project)}


def test_a_notebook_that_somebody_works_in_logs_there(project: Project) -> None:
    path = write_notebook(project.root / "notebooks" / "loose.ipynb", "%load_ext workbench")
    with kernel(path) as k:
        assert "workbench: run " in k.run("%load_ext workbench")
        k.run("import workbench as wb\nwb.tracking.current_run().log_metric('seen', 1)")
        k.run("%unload_ext workbench")
    [run] = list_runs(project, "metrics.seen = 1")
    assert run.status == "FINISHED"
    assert run.tags["mlflow.source.name"] == "notebooks/loose.ipynb"
    delete_run(project, run.run_id)


def test_a_merged_branch_tags_its_runs(project: Project) -> None:
    from workbench.experiments import switch_branch

    switch_branch("main", project=project)
    merge_branch("stronger", project=project)
    run = list_runs(project, "metrics.auc > 0.6")[0]
    assert run.tags["workbench.branch.state"] == "merged"


def test_mlflows_own_server_and_ui_work_on_a_local_store(tmp_path: Path) -> None:
    local = ready_project(tmp_path / "project")
    log = "wb.tracking.current_run().log_metrics({'auc': 0.75})"
    write_notebook(local.root / "n.ipynb", "import workbench as wb", log)
    [job] = run_jobs(local, [JobRequest("n.ipynb")])
    assert job.state == "succeeded", job.error
    list_runs(local)  # which adds our indexes
    with mlflow_server(tmp_path / "server", store=local.tracking_uri) as address:
        theirs = MlflowClient(address)
        experiment = theirs.get_experiment_by_name(local.name)
        [run] = theirs.search_runs([experiment.experiment_id], order_by=["metrics.auc DESC"])
        theirs.set_tag(run.info.run_id, "seen", "in the UI")
        with urllib.request.urlopen(address, timeout=10) as page:
            assert b"<title>MLflow</title>" in page.read()
    [ours] = list_runs(local)
    assert ours.run_id == run.info.run_id == job.run_id
    assert ours.tags["seen"] == "in the UI"
    assert run.data.metrics["auc"] == ours.metrics["auc"] == 0.75
