"""A team's store with logins: what each role's may do on a real `mlflow server`, and what not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import func, select

from tests.models import judged, late_rows, made
from tests.servers import mlflow_server
from workbench.access import acting_as
from workbench.access.team import LoginServer, Resources, find_gaps, plan_roles
from workbench.errors import ForbiddenError, NotFoundError, UsageError, WorkbenchError
from workbench.factory.scaffold import create_project
from workbench.jobs import JobRequest, list_jobs, resume_jobs, run_jobs, submit
from workbench.project import Project
from workbench.registry import (
    approve,
    get_model,
    list_decisions,
    promote,
    record_refusal,
    register,
    rollback,
    verify_decisions,
)
from workbench.store import database
from workbench.store.tables import Base
from workbench.tracking import client, create_run, current_run, finish_run, list_runs, tag_run

NAMES = ("vic", "dev", "ann")
ROOT, SECRET = "root", "a long first secret"
WRONG = "not the password of vic"
ROLES = """
[roles]
viewer = ["vic"]
developer = ["dev"]
approver = ["ann"]
admin = ["root"]
"""
CONFIG = """
[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/logins.db
admin_username = root
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
grant_default_workspace_access = true
auth_cache_ttl_seconds = 60
"""


@contextmanager
def server_with_logins(folder: Path, *arguments: str) -> Iterator[str]:
    config = folder / "logins.ini"
    config.write_text(CONFIG.format(folder=folder))
    environment = {
        "MLFLOW_AUTH_CONFIG_PATH": str(config),
        "MLFLOW_AUTH_ADMIN_PASSWORD": SECRET,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "for tests",
    }
    options = ("--app-name", "basic-auth", *arguments)
    with mlflow_server(folder, arguments=options, environment=environment) as address:
        yield address


@contextmanager
def logged_in(name: str, password: str = SECRET) -> Iterator[None]:
    """Come to the server by a login of its own; in the project as somebody whom it trusts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_USERNAME", name)
        patch.setenv("MLFLOW_TRACKING_PASSWORD", password)
        yield


@contextmanager
def at_work(name: str) -> Iterator[None]:
    """Be the same person on the server and in the project."""
    with logged_in(name), acting_as(name):
        yield


def applied(project: Project, cli: Callable[..., Any], *options: str) -> Any:
    with logged_in(ROOT), pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_NEW_PASSWORD", SECRET)
        patch.setenv("JUPYTERHUB_USER", ROOT)
        return cli("roles", "apply", *options, folder=project.root)


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return late_rows()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server_with_logins(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="module")
def team(
    address: str, tmp_path_factory: pytest.TempPathFactory, cli: Callable[..., Any], rows: Any
) -> Project:
    """A team's project with a model of two versions, of which the first is the champion."""
    return made_team(tmp_path_factory.mktemp("team") / "project", address, cli, rows)


def made_team(root: Path, address: str, cli: Callable[..., Any], rows: pl.DataFrame) -> Project:
    create_project(root)
    settings = root / "workbench.toml"
    settings.write_text(f'tracking_uri = "{address}"\n' + settings.read_text() + ROLES)
    project = Project.find(root)
    done = applied(project, cli, "--yes", *(w for name in NAMES for w in ("--create", name)))
    assert done.returncode == 0, done.stdout + done.stderr
    with at_work("dev"):
        versions = [made(project, rows, owner="dev") for _ in range(2)]
    assert versions == ["1", "2"]
    assert applied(project, cli, "--yes").returncode == 0
    with at_work(ROOT):
        promote(project, "late", "1", "champion", reason="the first", override=True)
    return project


def known(project: Project) -> dict[str, Any]:
    """Everything that there is, here and on the server: rows, files that wait, runs, aliases."""
    with database(project).session() as session:
        counts = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in Base.metadata.sorted_tables
        }
    with logged_in(ROOT):
        model = get_model(project, "late")
        tags = client(project).get_registered_model("late").tags
        return {
            "rows": counts,
            "spooled": sorted(path.name for path in (project.state / "spool").rglob("*.jsonl")),
            "runs": sorted((run.run_id, run.status) for run in list_runs(project, limit=500)),
            "model": model.model_dump(mode="json"),
            "models": sorted(m.name for m in client(project).search_registered_models()),
            "tags": tags,
        }


def test_applying_shows_its_plan_and_changes_nothing_twice(
    team: Project, cli: Callable[..., Any], cli_json: Callable[..., Any]
) -> None:
    again = applied(team, cli, "--json")
    assert again.returncode == 0, again.stderr
    said = json.loads(again.stdout)
    assert said["steps"] == []
    assert said["gaps"] == []
    assert said["unknown"] == {}
    assert "models of new names" in said["remarks"][0]
    server = LoginServer.of(team)
    with logged_in(ROOT):
        levels = {
            login.username: server.permission(login.username, ("registered_model", "late"))
            for login in server.logins()
            if not login.is_admin
        }
    assert levels == {"vic": "READ", "dev": "EDIT", "ann": "MANAGE"}


def test_a_new_role_is_planned_and_carried_out(team: Project, cli: Callable[..., Any]) -> None:
    settings = team.root / "workbench.toml"
    before = settings.read_text()
    changed = before.replace('viewer = ["vic"]', 'viewer = ["zoe"]').replace(
        'developer = ["dev"]', 'developer = ["dev", "vic"]'
    )
    settings.write_text(changed)
    try:
        shown = applied(team, cli, "--dry-run")
        assert "zoe (viewer) has no login there: --create 'zoe'" in shown.stdout
        assert "vic becomes" in shown.stdout
        assert "vic is project-viewer no more" in shown.stdout
        assert applied(team, cli, "--yes").returncode == 0
        with at_work("vic"):
            finish_run(team, create_run(team, "by vic", tags={}, params={}), "FINISHED")
        now, there = Project.find(team.root), resources(team)
        with logged_in(ROOT), pytest.raises(NotFoundError, match="did you mean zoe"):
            plan_roles(now, there, LoginServer.of(team), ["zeo"])
    finally:
        settings.write_text(before)
        assert applied(team, cli, "--yes").returncode == 0
    with at_work("vic"), pytest.raises(ForbiddenError):
        create_run(team, "by vic", tags={}, params={})


def resources(project: Project) -> Resources:
    with logged_in(ROOT):
        found = client(project).get_experiment_by_name(project.name)
        return Resources(experiment=found.experiment_id, models=["late"])


def test_who_may_more_than_their_role_is_named(team: Project, cli: Callable[..., Any]) -> None:
    server, there = LoginServer.of(team), resources(team)
    with logged_in(ROOT):
        role = server.create_role("friends of late", "another's")
        server.grant(role.id, ("registered_model", "late"), "EDIT")
        server.assign("vic", role.id)
        [gap] = find_gaps(team, there, server)
        assert gap.startswith("vic is viewer and has EDIT on registered_model late")
        done = applied(team, cli)
        assert done.returncode == 1
        assert "vic is viewer and has EDIT" in done.stdout
        server.unassign("vic", role.id)
        assert find_gaps(team, there, server) == []


def test_only_an_admin_of_the_server_applies(team: Project, cli: Callable[..., Any]) -> None:
    with logged_in("ann"):
        done = cli("roles", "apply", folder=team.root)
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("error: ann is no admin of http://")


def test_a_viewers_login_reads(team: Project, cli_json: Callable[..., Any]) -> None:
    with logged_in("vic"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTERHUB_USER", "vic")
        assert len(cli_json("runs", "list", folder=team.root)) >= 2
        assert cli_json("models", "list", folder=team.root)[0]["name"] == "late"
        assert len(cli_json("models", "show", "late", folder=team.root)["versions"]) == 2
        assert cli_json("models", "history", "late", folder=team.root)[0]["version"] == "1"
        [one] = cli_json("models", "production", folder=team.root)
        assert (one["version"], one["by"]) == ("1", "root")
        said = cli_json("roles", "list", folder=team.root)
    assert said["me"]["role"] == "viewer"
    assert said["login"]["name"] == "vic"
    assert (said["login"]["admin"], said["login"]["permission"]) == (False, "READ")


@pytest.fixture(scope="module")
def notebook(team: Project) -> str:
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    path = team.root / "notebooks" / "one.ipynb"
    path.parent.mkdir(exist_ok=True)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=[new_code_cell("1 + 1")], metadata=kernel), path)
    return "notebooks/one.ipynb"


WRITES: dict[str, Callable[[Project, pl.DataFrame, str, str], object]] = {
    "a run": lambda project, *_: create_run(project, "mine", tags={}, params={"a": 1}),
    "the notebook's run": lambda project, *_: current_run(project),
    "a job": lambda project, _rows, notebook, _run: run_jobs(project, [JobRequest(notebook)]),
    "a submitted job": lambda project, _rows, notebook, _run: submit(notebook, project=project),
    "a tag": lambda project, _rows, _notebook, run: tag_run(project, run, "note", "mine"),
    "a version": lambda project, _rows, _notebook, run: register(project, "late", run),
    "a model": lambda project, _rows, _notebook, run: register(project, "new", run, owner="v"),
    "a gate": lambda project, rows, *_: judged(project, rows, "late", "2", champion="1"),
    "an approval": lambda project, *_: approve(project, "late", "1"),
    "a promotion": lambda project, *_: promote(
        project, "late", "2", "champion", reason="mine", override=True
    ),
    "another alias": lambda project, *_: promote(
        project, "late", "2", "tried", reason="mine", override=True
    ),
    "a rollback": lambda project, *_: rollback(project, "late", reason="mine"),
}


def test_a_viewers_login_writes_nothing(team: Project, rows: pl.DataFrame, notebook: str) -> None:
    run, before = trained_run(team), known(team)
    for write, attempt in WRITES.items():
        somebody = acting_as(ROOT)  # whoever they say they are
        with logged_in("vic"), somebody, pytest.raises(ForbiddenError) as refused:
            attempt(team, rows, notebook, run)
        said = str(refused.value)
        assert said == one_line(said), write
        assert "vic may not " in said, write
        assert "takes the role " in said, write
    assert known(team) == before


def test_a_viewer_here_writes_nothing(team: Project, rows: pl.DataFrame, notebook: str) -> None:
    run, before = trained_run(team), known(team)
    for write, attempt in WRITES.items():
        if write == "a run":
            continue  # a job's, whose asker was asked; the server says no all the same
        wanted = pytest.raises(ForbiddenError, match="vic is viewer here")
        with logged_in(ROOT), acting_as("vic"), wanted:
            attempt(team, rows, notebook, run)
    assert known(team) == before


def trained_run(project: Project) -> str:
    with logged_in(ROOT):
        return next(run.run_id for run in list_runs(project) if run.name == "train")


def test_a_job_that_is_there_is_not_run_again_by_a_viewer(team: Project, notebook: str) -> None:
    with at_work("dev"):
        [job] = run_jobs(team, [JobRequest(notebook)])
    assert job.state == "succeeded", job.error
    with at_work("vic"):
        assert list_jobs(team)[0].id == job.id
        with pytest.raises(ForbiddenError, match="may not run jobs"):
            resume_jobs(team, [job])


@pytest.mark.parametrize(
    "arguments",
    [
        ("models", "promote", "late", "2", "--override", "--reason", "mine"),
        ("models", "rollback", "late"),
        ("models", "approve", "late", "1"),
        ("models", "register", "late", "RUN"),
        ("run", "notebooks/one.ipynb"),
        ("runs", "tag", "RUN", "note=mine"),
    ],
)
def test_the_command_line_says_so_in_a_line(
    team: Project, notebook: str, cli: Callable[..., Any], arguments: tuple[str, ...]
) -> None:
    run = trained_run(team)
    with logged_in("vic"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTERHUB_USER", ROOT)
        done = cli(*(run if word == "RUN" else word for word in arguments), folder=team.root)
    assert done.returncode == 1, done.stdout + done.stderr
    assert one_line(done.stderr).startswith("error: vic may not ")


def test_a_refused_promotion_is_not_completed_by_somebody_else(
    team: Project, rows: pl.DataFrame
) -> None:
    with logged_in("vic"), acting_as(ROOT), pytest.raises(ForbiddenError):
        promote(team, "late", "2", "champion", reason="by a viewer", override=True)
    with at_work("ann"):
        with pytest.raises(WorkbenchError, match="it has been through no gate"):
            promote(team, "late", "2", "champion", reason="by an approver")
        assert get_model(team, "late").aliases == {"champion": "1"}
    assert "by a viewer" not in {decision.reason for decision in list_decisions(team)}
    with at_work("ann"):
        assert verify_decisions(team).broken == []


@pytest.mark.parametrize("password", [WRONG, ""])
def test_a_wrong_password_is_said_in_a_line(
    team: Project, notebook: str, cli: Callable[..., Any], password: str
) -> None:
    for arguments in (("runs", "list"), ("models", "list"), ("run", notebook)):
        with logged_in("vic", password), pytest.MonkeyPatch.context() as patch:
            patch.setenv("JUPYTERHUB_USER", ROOT)
            done = cli(*arguments, folder=team.root)
        assert done.returncode == 1
        assert "MLFLOW_TRACKING_PASSWORD" in one_line(done.stderr)
        assert WRONG not in done.stdout + done.stderr


def test_each_role_does_its_part(team: Project, rows: pl.DataFrame) -> None:
    with at_work("dev"):
        version = made(team, rows, owner="dev")
        report = judged(team, rows, "late", version)
        assert report.outcome == "passed", report.failed
        with pytest.raises(ForbiddenError, match="dev is developer here"):
            promote(team, "late", version, "champion", reason="mine")
        record_refusal(
            team, "late", version, "champion", reason="not now", report=report, factory="f"
        )
    with at_work("ann"):
        approve(team, "late", version)
        promote(team, "late", version, "champion", reason="better")
        assert get_model(team, "late").aliases["champion"] == version
        assert rollback(team, "late", reason="nonsense").version == "1"
    with at_work("ann"):
        assert verify_decisions(team).broken == []


def test_no_secret_is_kept(team: Project, address: str) -> None:
    kept = [path for path in team.root.rglob("*") if path.is_file()]
    assert len(kept) > 10
    for secret in (SECRET, WRONG):
        found = [path for path in kept if secret.encode() in path.read_bytes()]
        assert found == []


def test_a_store_without_logins_says_so(
    blank_project: Project, cli: Callable[..., Any], cli_json: Callable[..., Any]
) -> None:
    done = cli("roles", "apply", folder=blank_project.root)
    assert done.returncode == 2
    assert "no server, so nobody logs in" in one_line(done.stderr)
    said = cli_json("roles", "list", folder=blank_project.root)
    assert (said["me"]["role"], said["login"]) == ("admin", None)
    with pytest.raises(UsageError, match="no server"):
        LoginServer.of(blank_project)


def test_with_workspaces_a_viewer_makes_no_models_of_new_names(
    tmp_path: Path, cli: Callable[..., Any], rows: pl.DataFrame
) -> None:
    from mlflow.exceptions import MlflowException

    with server_with_logins(tmp_path, "--enable-workspaces") as address:
        project = made_team(tmp_path / "project", address, cli, rows)
        again = json.loads(applied(project, cli, "--json").stdout)
        assert (again["steps"], again["remarks"], again["gaps"]) == ([], [], [])
        with at_work("vic"):
            assert get_model(project, "late").aliases == {"champion": "1"}
            for write in ("create_registered_model", "create_experiment"):
                with pytest.raises(MlflowException, match="403"):
                    getattr(client(project), write)("viewers own")


def one_line(text: str) -> str:
    [line] = text.strip().splitlines()
    return line
