"""Thousands of versions, hundreds of models: all are found, and nothing is asked one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.conftest import Finished
from tests.many_versions import seed_decisions, seed_models, seed_versions
from tests.servers import mlflow_server
from workbench.errors import GateRefusedError, NotFoundError
from workbench.explanation.naming import find_version
from workbench.factory.scaffold import create_project
from workbench.lineage.registry import alias_version
from workbench.monitoring import production
from workbench.panels.view import load_models
from workbench.project import Project
from workbench.registry import (
    get_model,
    list_decided,
    list_decisions,
    list_models,
    rollback,
    verify_decisions,
)
from workbench.tracking import client, list_runs, run_metrics

CLI = Callable[..., Finished]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """120 models, which MLflow shows on two pages, one with 300 versions and 60 decisions."""
    project = create_project(tmp_path_factory.mktemp("many") / "project")
    seed_models(project, 120)
    seed_versions(project, "zz", 300)
    seed_decisions(project, "zz", 60, {"model": "zz"})
    return project


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same with two of everything."""
    project = create_project(tmp_path_factory.mktemp("few") / "project")
    seed_models(project, 2)
    seed_versions(project, "zz", 2)
    seed_decisions(project, "zz", 2, {"model": "zz"})
    return project


@contextmanager
def asked() -> Iterator[list[str]]:
    """Collect the statements that any database is asked."""
    said: list[str] = []

    def hear(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def test_the_hundred_and_first_model_exists_too(project: Project) -> None:
    assert len(list_models(project)) == 121
    model = get_model(project, "zz")
    assert (len(model.versions), model.aliases) == (300, {"champion": "60"})
    assert [v.version for v in model.versions[:2]] == ["300", "299"]
    assert model.versions[0].metrics["roc_auc"] == 0.5
    assert model.versions[-1].gate == "passed"
    assert alias_version(project, "zz", "champion") == "60"
    assert find_version(project, "zz").version == "60"
    said = find_version(project, "zz@champion", exact=True)  # as SQL asks
    assert (said.name, said.version) == ("zz", "60")
    assert len(production(project)) == 121
    with pytest.raises(NotFoundError, match=r"unknown model 'zy'.*and 109 more"):
        get_model(project, "zy")


@pytest.mark.parametrize(
    "ask",
    [
        list_models,
        production,
        load_models,
        list_decided,
        verify_decisions,
        lambda project: get_model(project, "zz"),
    ],
)
def test_the_number_of_questions_does_not_grow(
    project: Project, small: Project, ask: Callable[[Project], Any]
) -> None:
    ask(small), ask(project)  # what is opened first asks more
    with asked() as of_few:
        ask(small)
    with asked() as of_many:
        ask(project)
    assert len(of_many) <= len(of_few) + 2, of_many


def test_decisions_are_the_same_without_their_evidence(project: Project) -> None:
    whole = list_decisions(project, "zz")
    assert [one.model_dump(exclude={"evidence"}) for one in whole] == [
        one.model_dump() for one in list_decided(project, "zz")
    ]
    assert [one.version for one in list_decisions(project, "zz", "7")] == ["7"]
    with asked() as said:
        list_decided(project, "zz")
    assert not any("evidence" in statement for statement in said)


def test_a_version_that_plain_mlflow_made_has_no_run(project: Project) -> None:
    mlflow = client(project)
    mlflow.create_registered_model('it\'s "theirs"')
    mlflow.create_model_version('it\'s "theirs"', source="/nowhere")
    [version] = get_model(project, 'it\'s "theirs"').versions
    assert (version.version, version.run_id, version.metrics) == ("1", "", {})
    mlflow.delete_registered_model('it\'s "theirs"')


def test_metrics_of_many_runs_are_those_of_each(project: Project) -> None:
    runs = list_runs(project, limit=30)
    found = run_metrics(project, [run.run_id for run in runs] + ["0" * 32])
    assert found == {run.run_id: run.metrics for run in runs}
    assert run_metrics(project, []) == {}


def test_a_server_says_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("server")
    made = create_project(folder / "project")
    with mlflow_server(folder / "store") as address:
        settings = made.root / "workbench.toml"
        settings.write_text(f'tracking_uri = "{address}"\n' + settings.read_text())
        project = Project.find(made.root)
        mlflow = client(project)
        experiment = mlflow.get_experiment_by_name(project.name).experiment_id
        elsewhere = mlflow.create_experiment("elsewhere")
        mlflow.create_registered_model("late")
        for place in (experiment, elsewhere):
            run = mlflow.create_run(place).info.run_id
            mlflow.log_metric(run, "roc_auc", 0.75)
            where = mlflow.get_run(run).info.artifact_uri
            mlflow.create_model_version("late", source=f"{where}/model", run_id=run)
        mlflow.set_registered_model_alias("late", "champion", "2")
        model = get_model(project, "late")
        assert [v.metrics for v in model.versions] == [{"roc_auc": 0.75}] * 2
        assert model.aliases == {"champion": "2"}
        assert [one.version for one in production(project)] == ["2"]
        with pytest.raises(NotFoundError, match="unknown model 'lat': did you mean late"):
            get_model(project, "lat")


def test_rolling_back_reads_no_more_than_it_needs(project: Project) -> None:
    with pytest.raises(GateRefusedError, match=r"version 59 had champion before, and .*can't be"):
        rollback(project, "zz")  # there are no files behind these rows
    assert get_model(project, "zz").aliases == {"champion": "60"}
