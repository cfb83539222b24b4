"""What people say of runs, and how metrics went: by SQL and through MLflow's own API alike."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from workbench.errors import UsageError
from workbench.project import Project
from workbench.settings import Settings
from workbench.tracking import list_pinned_first, list_runs, mark_run, marks, narrowed
from workbench.tracking.reader import schema
from workbench.tracking.reader.sparklines import POINTS, read_sparklines


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "workbench.toml").write_text('name = "marks"\n')
    return Project(tmp_path, Settings(name="marks", tracking_uri=f"sqlite:///{tmp_path / 'm.db'}"))


def log(project: Project, name: str, *histories: list[Metric]) -> str:
    mlflow = MlflowClient(tracking_uri=project.tracking_uri)
    found = mlflow.get_experiment_by_name(project.name)
    experiment = found.experiment_id if found else mlflow.create_experiment(project.name)
    run_id = str(mlflow.create_run(experiment, run_name=name).info.run_id)
    for history in histories:
        mlflow.log_batch(run_id, metrics=history)
    return run_id


def test_lines_are_the_same_by_sql_and_by_the_api(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    nan = math.nan
    one = log(
        project,
        "one",
        [Metric("loss", 1 / (step + 1), 5, step) for step in range(333)],
        [Metric("by time", float(n), 1000 * n, 0) for n in range(5)],
        [Metric("gap", nan if 20 <= n < 40 else n, n, 3 * n) for n in range(80)],
        [Metric("once", 1.0, 0, 0)],
        [Metric("same", 1.0, 7, 0), Metric("same", 2.0, 7, 0)],
    )
    two = log(project, "two", [Metric("once", 1.0, 0, 0)])
    by_sql = read_sparklines(project, [one, two, "gone"])
    assert set(by_sql) == {one}
    assert set(by_sql[one]) == {"loss", "by time", "gap"}
    assert len(by_sql[one]["loss"]) == POINTS
    assert by_sql[one]["by time"] == [0, 1, 2, 3, 4]
    assert None in by_sql[one]["gap"]
    assert list(read_sparklines(project, [one], ["loss"], most=1)[one]) == ["loss"]
    assert set(read_sparklines(project, [one], most=5)[one]) == {"loss", "gap"}  # those with steps

    def refuse(uri: str) -> None:
        raise schema.SchemaError(uri)

    monkeypatch.setattr("workbench.tracking.reader.sparklines.connected", refuse)
    by_api = read_sparklines(project, [one, two, "0" * 32])
    assert set(by_api) == {one}
    for key, points in by_sql[one].items():
        assert by_api[one][key] == pytest.approx(points)


def test_an_empty_store_has_no_lines(project: Project) -> None:
    assert read_sparklines(project, ["x"]) == {}


def test_pinned_first(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [log(project, f"run {n}") for n in range(5)]
    newest_first = [run.run_id for run in list_runs(project)]
    for run_id in (ids[0], ids[2]):
        mark_run(project, run_id[:8], pinned=True)
    pinned = [run_id for run_id in newest_first if run_id in (ids[0], ids[2])]
    expected = pinned + [run_id for run_id in newest_first if run_id not in pinned]
    for limit in (1, 2, 3, 10):
        found: list[str] = []
        while page := list_pinned_first(project, "", "start_time DESC", limit, len(found)):
            found += [run.run_id for run in page]
        assert found == expected
    named = list_pinned_first(project, "run_name = 'run 2'", "start_time", 10)
    assert [run.run_id for run in named] == [ids[2]]
    monkeypatch.setattr(marks, "MOST_PINNED", 1)  # more than that say nothing
    found = [run.run_id for run in list_pinned_first(project, "", "start_time DESC", 10)]
    assert found == newest_first


def test_what_is_wrong_is_said_of_the_users_own_words() -> None:
    with pytest.raises(UsageError, match="expected a number") as refused:
        narrowed("metrics.x > 'a'", "status = 'FINISHED'")
    assert "FINISHED" not in str(refused.value)
    assert narrowed("  ", "status = 'FINISHED'") == "status = 'FINISHED'"
