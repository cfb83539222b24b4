"""The registry and its log of decisions, as other hands leave them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.projects import copy_folder
from workbench.errors import GateRefusedError, NotFoundError, UsageError
from workbench.factory.scaffold import create_project
from workbench.lineage.registry import alias_version
from workbench.project import Project
from workbench.registry import (
    GateReport,
    get_model,
    list_decisions,
    list_models,
    promote,
    record_refusal,
    rollback,
    verify_decisions,
)
from workbench.store import GateRow, database, now
from workbench.tracking import client, create_run, finish_run

TAG = "workbench.decision.champion"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One project for what has models of its own; MLflow's tables are made once."""
    made = create_project(tmp_path_factory.mktemp("registry") / "project")
    client(made)
    return made


@pytest.fixture(scope="module")
def unused(shared: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its files, before anything was done with it."""
    copy = tmp_path_factory.mktemp("unused") / "project"
    return copy_folder(shared.root, copy)


@pytest.fixture
def project(unused: Path, tmp_path: Path) -> Project:
    """A project of the test's own."""
    return Project.find(copy_folder(unused, tmp_path / "project"))


def version_of(project: Project, name: str = "late", run_id: str | None = None) -> str:
    """Make a version as any client of MLflow's may: without a run, a signature, or files."""
    registry = client(project)
    if name not in {model.name for model in registry.search_registered_models()}:
        registry.create_registered_model(name)
    return str(registry.create_model_version(name, "file:///nowhere", run_id=run_id).version)


def promoted(project: Project, times: int = 2) -> list[str]:
    """Give champion to so many versions, one after the other."""
    versions = [version_of(project) for _ in range(times)]
    for version in versions:
        promote(project, "late", version, "champion", reason=f"try {version}", override=True)
    return versions


def refused(project: Project, version: str) -> None:
    """Write down that a version didn't get the alias."""
    report = GateReport(
        factory="f",
        model="late",
        version=version,
        outcome="failed",
        checks=[],
        metrics={},
        baseline={},
        champion=None,
        champion_version=None,
        window="all",
        rows=1,
        dataset="d",
        policy="p",
    )
    record_refusal(project, "late", version, "champion", reason="no", report=report, factory="f")
    with database(project).session() as session:
        session.add(
            GateRow(
                factory="f",
                model="late",
                version=version,
                policy="p",
                outcome="failed",
                report=report.model_dump(mode="json"),
                digest=report.digest,
                evaluated_at=now(),
            )
        )


@pytest.mark.parametrize(
    ("tamper", "tags"),
    [
        ("DELETE FROM decisions WHERE outcome = 'kept'", ["workbench.decision"]),
        ("DELETE FROM decisions WHERE id > 1", ["workbench.decision", TAG]),
        ("DELETE FROM decisions", ["workbench.decision", TAG]),
        ("UPDATE decisions SET hash = 'unchained:' || id", ["workbench.decision", TAG]),
    ],
)
def test_a_log_without_its_end_is_not_whole(project: Project, tamper: str, tags: list[str]) -> None:
    first, second = promoted(project)
    refused(project, first)
    assert verify_decisions(project).broken == []
    with database(project).session() as session:
        session.execute(text(tamper))
    broken = verify_decisions(project).broken
    assert [f"late: a decision is missing that MLflow's tag {tag} names" for tag in tags] == [
        said.partition(" (")[0] for said in broken
    ]
    third = version_of(project)
    if TAG in tags:
        with pytest.raises(GateRefusedError, match="the log lacks the decision by which champion"):
            promote(project, "late", third, "champion", reason="on", override=True)
    assert get_model(project, "late").aliases == {"champion": second}, "nothing went back unasked"


def test_a_log_from_a_backup_can_be_gone_on_with(project: Project) -> None:
    first, _ = promoted(project)
    with database(project).session() as session:
        session.execute(text("DELETE FROM decisions WHERE id = 2"))
    client(project).delete_registered_model_tag("late", TAG)
    third = version_of(project)
    promote(project, "late", third, "champion", reason="on", override=True)
    assert [one.version for one in list_decisions(project)] == [first, third]
    assert verify_decisions(project).broken == []


def test_a_decision_that_waits_for_its_alias_breaks_nothing(project: Project) -> None:
    _, second = promoted(project)
    [before, _] = list_decisions(project)
    client(project).set_registered_model_tag("late", TAG, before.hash)  # killed before the move
    assert verify_decisions(project).broken == []
    assert promote(project, "late", second, "champion", reason="again").reason == "try 2"
    assert len(list_decisions(project)) == 2


def test_what_another_project_decided_on_the_same_server_is_none_of_ours(project: Project) -> None:
    promoted(project)
    version_of(project, "theirs")
    client(project).set_registered_model_tag("theirs", TAG, "f" * 64)
    [said] = verify_decisions(project).broken  # of a store that is this project's alone
    assert said.startswith("theirs: a decision is missing")
    settings = project.settings.model_copy(update={"tracking_uri": project.tracking_uri})
    assert verify_decisions(Project(project.root, settings)).broken == []


def test_an_alias_that_cannot_be_stays_out_of_the_log(shared: Project) -> None:
    version = version_of(shared, "aliased")
    for alias in ("", "latest", "LATEST", "3", "v3", "a b", "a\n", "<b>", "../x", "'", "a" * 201):
        with pytest.raises(UsageError, match="expected letters, digits"):
            promote(shared, "aliased", version, alias, reason="r", override=True)
    assert list_decisions(shared, "aliased") == []
    promote(shared, "aliased", version, "été-2_x", reason="r", override=True)
    assert get_model(shared, "aliased").aliases == {"été-2_x": version}


def test_a_rollback_to_a_version_that_is_gone(project: Project) -> None:
    first, _ = promoted(project)
    client(project).delete_model_version("late", first)
    with pytest.raises(GateRefusedError, match="version 1 had champion before, and models:/late/1"):
        rollback(project, "late")
    assert len(list_decisions(project)) == 2, "it would be in every later call's way"
    third = version_of(project)
    promote(project, "late", third, "champion", reason="on", override=True)
    assert get_model(project, "late").aliases == {"champion": third}


def test_models_of_any_name_that_mlflow_takes(
    project: Project, cli_json: Callable[..., Any]
) -> None:
    names = {"it's", "\"both\" 'of' them", "back\\", "a\nb", "<script>", "é", "plain"}
    for name in names:
        version = version_of(project, name)
        promote(project, name, version, "champion", reason="r", override=True)
        assert [known.version for known in get_model(project, name).versions] == [version]
        assert alias_version(project, name, "champion") == version
        assert cli_json("models", "show", name, folder=project.root)["aliases"]
    assert {model.name for model in list_models(project)} == names
    for command in ("list", "production", "verify"):
        assert cli_json("models", command, folder=project.root)


def test_versions_whose_run_is_not_there(project: Project) -> None:
    run_id = create_run(project, "train", tags={}, params={})
    finish_run(project, run_id, "FINISHED")
    without, gone = version_of(project), version_of(project, run_id=run_id)
    with closing(sqlite3.connect(project.state / "mlflow.db")) as store, store:
        for table in ("metrics", "params", "tags", "latest_metrics"):
            store.execute(f"DELETE FROM {table} WHERE run_uuid = ?", (run_id,))
        store.execute("DELETE FROM runs WHERE run_uuid = ?", (run_id,))
    [newest, oldest] = get_model(project, "late").versions
    assert (newest.version, newest.run_id, newest.metrics) == (gone, run_id, {})
    assert (oldest.version, oldest.run_id, oldest.metrics) == (without, "", {})


def test_more_models_than_one_page_of_mlflows(project: Project) -> None:
    registry = client(project)
    for place in range(105):
        registry.create_registered_model(f"model-{place:03}")
    version = version_of(project, "zebra")
    registry.set_registered_model_alias("zebra", "champion", version)
    assert len(list_models(project)) == 106
    assert get_model(project, "zebra").aliases == {"champion": version}
    assert alias_version(project, "zebra", "champion") == version
    with pytest.raises(NotFoundError, match=r"unknown model 'zebr': did you mean zebra\?"):
        alias_version(project, "zebr", "champion")
    for name in ("", "a/b", "models:/x", "../x"):
        with pytest.raises(NotFoundError, match="unknown model"):
            get_model(project, name)
