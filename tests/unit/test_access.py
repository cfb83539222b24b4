"""Who asks, which role they have, and what they may do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException, RestException
from nbformat.v4 import new_code_cell, new_notebook

from tests.projects import ready_project
from workbench.access import (
    ROLES,
    act_as,
    acting_as,
    at_least,
    refusals,
    require,
    role_of,
    shown_address,
    who,
)
from workbench.errors import ForbiddenError, GateRefusedError
from workbench.git import Repository
from workbench.jobs import JobRequest, list_jobs, resume_jobs, run_jobs
from workbench.project import Project
from workbench.settings import RoleSettings, Settings
from workbench.tracking import current_run, delete_run, list_runs

NAMED = """
[roles]
viewer = ["*"]
developer = ["dev@example.org", "Ada"]
approver = ["ann@example.org"]
admin = ["root@example.org", "Ada"]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    project = ready_project(tmp_path / "project")
    with (project.root / "workbench.toml").open("a") as settings:
        settings.write(NAMED)
    write_notebook(project, "one.ipynb", "1 + 1")
    return Project.find(project.root)


def write_notebook(project: Project, name: str, source: str) -> None:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = new_notebook(cells=[new_code_cell(source)], metadata=kernel)
    nbformat.write(notebook, project.root / name)


def set_user(project: Project, email: str, name: str = "") -> None:
    repository = Repository(project.root)
    repository.git("config", "user.email", email)
    repository.git("config", "user.name", name)


def test_git_says_who_works_at_the_command_line(project: Project) -> None:
    set_user(project, "dev@example.org", "Dev")
    me = who(project)
    assert (me.name, me.names, me.role) == (
        "dev@example.org",
        ("dev@example.org", "Dev"),
        "developer",
    )
    assert me.known_by == "git"


def test_the_highest_role_of_any_name_counts(project: Project) -> None:
    set_user(project, "ada@example.org", "Ada")
    assert who(project).role == "admin"


def test_jupyterhub_comes_before_git_and_a_request_before_both(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_user(project, "root@example.org")
    monkeypatch.setenv("JUPYTERHUB_USER", "ann@example.org")
    assert (who(project).role, who(project).known_by) == ("approver", "jupyterhub")
    with acting_as("vic"):
        assert (who(project).role, who(project).known_by) == ("viewer", "jupyter")
        with acting_as("dev@example.org", "Dev"):
            assert who(project).names == ("dev@example.org", "Dev")
        assert who(project).name == "vic"
    assert who(project).name == "ann@example.org"


def test_a_thread_of_its_own_is_nobodys(project: Project) -> None:
    """Which is why a server takes a request's context along."""
    set_user(project, "dev@example.org")
    found = []
    with acting_as("root@example.org"):
        thread = threading.Thread(target=lambda: found.append(who(project).name))
        thread.start()
        thread.join()
    assert found == ["dev@example.org"]


def test_a_task_acts_as_somebody_to_its_end(project: Project) -> None:
    from contextvars import copy_context

    set_user(project, "dev@example.org")

    def task() -> str:
        act_as("ann@example.org")
        return who(project).role

    assert copy_context().run(task) == "approver"
    assert who(project).role == "developer"


def test_without_roles_everybody_is_an_admin(blank_project: Project) -> None:
    with acting_as("anybody"):
        assert require(blank_project, "admin", "do anything").role == "admin"


@given(
    held=st.dictionaries(st.sampled_from(ROLES), st.lists(st.sampled_from("abc*"), max_size=3)),
    name=st.sampled_from("abcd"),
)
def test_a_role_is_the_highest_that_names_you(held: dict[str, list[str]], name: str) -> None:
    settings = Settings(name="p", roles=RoleSettings(**held))
    found = role_of(Project(Path("/nowhere"), settings), name)
    named = [role for role in ROLES if {name, "*"} & set(held.get(role, []))]
    if not any(held.values()):
        assert found == "admin"
    else:
        assert found == (named[-1] if named else "viewer")


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_those_before_it_may(project: Project, role: str) -> None:
    names = dict(zip(ROLES, ("vic", "dev@example.org", "ann@example.org", "Ada"), strict=True))
    for mine in ROLES:
        with acting_as(names[mine]):
            allowed = at_least(who(project), role)  # type: ignore[arg-type]
            assert allowed == (ROLES.index(mine) >= ROLES.index(role))  # type: ignore[arg-type]


def test_a_refusal_says_who_what_and_which_role(project: Project) -> None:
    with acting_as("vic"), pytest.raises(ForbiddenError) as refused:
        require(project, "approver", "promote late")
    assert str(refused.value) == (
        "vic is viewer here and may not promote late: that takes the role approver, which [roles] "
        "in workbench.toml gives"
    )
    assert isinstance(refused.value, PermissionError)


def test_a_viewer_runs_nothing_and_leaves_nothing(project: Project) -> None:
    with acting_as("vic"):
        with pytest.raises(ForbiddenError, match="may not run jobs: that takes the role developer"):
            run_jobs(project, [JobRequest("one.ipynb")])
        with pytest.raises(ForbiddenError, match="may not run jobs"):
            run_jobs(project, [JobRequest("one.ipynb", track=False)])
        with pytest.raises(ForbiddenError, match="may not log a run"):
            current_run(project)
        assert list_jobs(project) == []
        assert list_runs(project) == []
    assert not (project.state / "jobs").exists()


def test_a_viewer_looks_at_what_others_ran(project: Project) -> None:
    with acting_as("dev@example.org"):
        [job] = run_jobs(project, [JobRequest("one.ipynb")])
    assert job.state == "succeeded", job.error
    with acting_as("vic"):
        assert [one.id for one in list_jobs(project)] == [job.id]
        assert [run.run_id for run in list_runs(project)] == [job.run_id]
        for write in (
            lambda: resume_jobs(project, [job]),
            lambda: delete_run(project, str(job.run_id)),
        ):
            with pytest.raises(ForbiddenError, match="vic is viewer here"):
                write()
    assert [run.run_id for run in list_runs(project)] == [job.run_id]


def test_the_job_of_a_developer_logs_whoever_carries_it_out(project: Project) -> None:
    set_user(project, "vic@example.org")  # of the kernel: a machine that many work for
    logging = "import workbench as wb\nwb.tracking.current_run().log_metric('m', 1.0)"
    write_notebook(project, "logs.ipynb", logging)
    with acting_as("dev@example.org"):
        [job] = run_jobs(project, [JobRequest("logs.ipynb")])
    assert job.state == "succeeded", job.error
    assert list_runs(project)[0].metrics["m"] == 1.0


def answered(status: int) -> requests.HTTPError:
    answer = requests.Response()
    answer.status_code = status
    return requests.HTTPError("told", response=answer)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RestException({"error_code": "PERMISSION_DENIED"}), "vic may not promote late: MLflow's"),
        (MlflowException("no", error_code=None), None),
        (answered(403), "which takes"),
        (answered(401), "can't promote late: MLflow's server doesn't know the login vic"),
        (answered(500), None),
        (RestException({"error_code": "UNAUTHENTICATED"}), "set MLFLOW_TRACKING_USERNAME and"),
        (GateRefusedError("ours"), None),
        (KeyError("another's"), None),
    ],
)
def test_a_servers_refusal_is_one_of_ours(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str | None
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "vic")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hidden")
    with pytest.raises(Exception) as raised, refusals("promote late", "approver"):
        raise error
    if said is None:
        assert raised.value is error
        return
    assert isinstance(raised.value, ForbiddenError)
    assert said.replace("which takes", "that takes the role approver") in str(raised.value)
    assert "hidden" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_who_has_no_login_is_asked_for_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    wanted = pytest.raises(ForbiddenError, match="wants a login: set MLFLOW_TRACKING")
    with wanted, refusals("look"):
        raise answered(401)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://ann:secret@host:5000", "http://host:5000"),
        ("http://host/a@b", "http://host/a@b"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, shown: str) -> None:
    assert shown_address(address) == shown


def test_roles_are_listed(
    project: Project, cli: Callable[..., Any], cli_json: Callable[..., Any]
) -> None:
    set_user(project, "dev@example.org", "Dev")
    said = cli_json("roles", "list", folder=project.root)
    assert said["me"] == {
        "names": ["dev@example.org", "Dev"],
        "role": "developer",
        "known_by": "git",
    }
    assert said["roles"]["approver"] == ["ann@example.org"]
    shown = cli("roles", "list", folder=project.root).stdout
    assert "you are dev@example.org (git): developer" in shown
