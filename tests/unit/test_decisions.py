"""Who moved which alias, by which right, and that nobody can rewrite it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import text

from tests.models import judged, late_rows, made
from tests.projects import copied, ready_project
from workbench.access import acting_as, who
from workbench.errors import ForbiddenError, GateRefusedError, NotFoundError, UsageError
from workbench.gates import GateSpec, Threshold
from workbench.project import Project
from workbench.registry import (
    approve,
    get_model,
    list_decisions,
    promote,
    rollback,
    verify_decisions,
)
from workbench.store import database
from workbench.tracking import client

ROLES = """
[roles]
viewer = ["*"]
developer = ["dev@example.org"]
approver = ["ann@example.org", "bob@example.org"]
admin = ["root@example.org"]
"""


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return late_rows()


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory, rows: pl.DataFrame) -> Project:
    """A project with four versions of a model, which nobody has judged: copy it to change it."""
    project = ready_project(tmp_path_factory.mktemp("four") / "project")
    assert [made(project, rows) for _ in range(4)] == ["1", "2", "3", "4"]
    return project


@pytest.fixture(scope="module")
def three(four: Project, tmp_path_factory: pytest.TempPathFactory, rows: pl.DataFrame) -> Project:
    """The same after three of them were champion, each after it was judged: copy it as well."""
    project = copied(four, tmp_path_factory.mktemp("three") / "project")
    for version in ("1", "2", "3"):
        judged(project, rows, "late", version)
        promote(project, "late", version, "champion", reason="better")
    return project


@pytest.fixture
def project(four: Project, tmp_path: Path) -> Project:
    return copied(four, tmp_path / "project")


@pytest.fixture
def promoted(three: Project, tmp_path: Path) -> Project:
    return copied(three, tmp_path / "project")


@pytest.fixture
def team(project: Project) -> Project:
    """The project with roles."""
    with (project.root / "workbench.toml").open("a") as settings:
        settings.write(ROLES)
    return Project.find(project.root)


def test_rolling_back_goes_back_and_back_again(promoted: Project, rows: pl.DataFrame) -> None:
    project = promoted
    first = rollback(project, "late", reason="it answers nonsense")
    assert (first.version, first.previous, first.outcome) == ("2", "3", "rolled back")
    assert get_model(project, "late").aliases == {"champion": "2"}
    assert rollback(project, "late").version == "1"
    with pytest.raises(GateRefusedError, match="version 1 is the first that has champion"):
        rollback(project, "late")
    assert get_model(project, "late").aliases == {"champion": "1"}
    judged(project, rows, "late", "3")
    promote(project, "late", "3", "champion", reason="mended")
    assert rollback(project, "late").version == "1"  # not 2, which was taken back
    assert verify_decisions(project).broken == []
    with pytest.raises(NotFoundError, match="unknown model"):
        rollback(project, "never")


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        ("UPDATE decisions SET reason = 'because' WHERE id = 2", "decision 2 isn't as it was"),
        ("DELETE FROM decisions WHERE id = 2", "before decision 3 one was taken out"),
        ("UPDATE decisions SET decided_by = 'eve' WHERE id = 3", "decision 3 isn't as it was"),
        ("UPDATE decisions SET hash = 'unchained:2' WHERE id = 2", "without a hash stands among"),
    ],
)
def test_no_decision_can_be_changed_unseen(promoted: Project, tamper: str, said: str) -> None:
    project = promoted
    verified = verify_decisions(project)
    assert (verified.decisions, verified.unchained, verified.broken) == (3, 0, [])
    head = client(project).get_registered_model("late").tags["workbench.decision.champion"]
    assert head == verified.head  # which a chain made anew would not have
    with database(project).session() as session:
        session.execute(text(tamper))
    assert said in "; ".join(verify_decisions(project).broken)


def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(
    project: Project, rows: pl.DataFrame
) -> None:
    versions = ["1", "2", "3", "4"]
    for version in versions:
        judged(project, rows, "late", version)

    def tried(version: str) -> str:
        try:
            return promote(project, "late", version, "champion", reason="mine").version
        except GateRefusedError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(tried, versions))
    [winner] = [version for version in versions if version in said]
    told = [text for text in said if text != winner]
    assert len(told) == 3
    assert all(f"version {winner} has the alias by now" in text for text in told)
    assert get_model(project, "late").aliases == {"champion": winner}
    assert len(list_decisions(project, "late")) == 1


def test_a_promotion_that_is_killed_is_completed_by_the_next_call(
    project: Project, rows: pl.DataFrame
) -> None:
    first, second = "1", "2"
    judged(project, rows, "late", first)
    promote(project, "late", first, "champion", reason="r")
    judged(project, rows, "late", second)
    script = f"""
        import os, signal
        from mlflow import MlflowClient
        MlflowClient.set_registered_model_alias = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        from workbench.project import Project
        from workbench.registry import promote
        project = Project.find({str(project.root)!r})
        promote(project, "late", {second!r}, "champion", reason="killed")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert get_model(project, "late").aliases == {"champion": first}
    decision = promote(project, "late", second, "champion", reason="again")
    assert decision.reason == "killed"
    assert get_model(project, "late").aliases == {"champion": second}
    assert len(list_decisions(project, "late")) == 2


def test_evidence_that_was_changed_is_none(project: Project, rows: pl.DataFrame) -> None:
    version = "1"
    report = judged(project, rows, "late", version)
    run_id = client(project).get_model_version("late", version).run_id
    path = f"gate/{report.digest[:12]}.json"
    client(project).log_dict(run_id, {**report.model_dump(mode="json"), "rows": 10**6}, path)
    with pytest.raises(GateRefusedError, match="document was changed"):
        promote(project, "late", version, "champion", reason="r")
    client(project).log_dict(run_id, report.model_dump(mode="json"), path)
    with database(project).session() as session:
        session.execute(text("""UPDATE gates SET report = replace(report, '200', '2000')"""))
    with pytest.raises(GateRefusedError, match="report was changed"):
        promote(project, "late", version, "champion", reason="r")
    assert list_decisions(project) == []


def test_an_override_takes_an_admin_and_a_reason_and_shows_for_ever(
    team: Project, rows: pl.DataFrame
) -> None:
    with acting_as("dev@example.org"):
        version = "1"
        judged(team, rows, "late", version, GateSpec(thresholds={"roc_auc": Threshold(min=0.999)}))
    for name, said in (
        ("dev@example.org", "is developer here and may not override .* takes the role admin"),
        ("ann@example.org", "is approver here"),
    ):
        with acting_as(name), pytest.raises(ForbiddenError, match=said):
            promote(team, "late", version, "champion", reason="now", override=True)
    with acting_as("root@example.org"):
        with pytest.raises(UsageError, match="an override needs a reason"):
            promote(team, "late", version, "champion", reason=" ", override=True)
        with pytest.raises(GateRefusedError, match="didn't pass the gate"):
            promote(team, "late", version, "champion", reason="please")
        decision = promote(team, "late", version, "champion", reason="fire", override=True)
    assert (decision.override, decision.role, decision.decided_by) == (
        True,
        "admin",
        "root@example.org",
    )
    assert "didn't pass the gate" in decision.evidence["missing"][0]
    [found] = [one for one in get_model(team, "late").versions if one.version == version]
    assert found.override == "fire"
    assert client(team).get_model_version("late", version).tags["workbench.override"] == "fire"


def test_each_role_may_what_it_may(team: Project, rows: pl.DataFrame) -> None:
    with acting_as("somebody"), pytest.raises(ForbiddenError, match="somebody is viewer here"):
        made(team, rows)
    with acting_as("dev@example.org"):
        version = made(team, rows)
        judged(team, rows, "late", version)
        with pytest.raises(ForbiddenError, match="may not move champion of late"):
            promote(team, "late", version, "champion", reason="r")
        promote(team, "late", version, "challenger", reason="r")  # no alias of production
        with pytest.raises(ForbiddenError):
            approve(team, "late", version)
    with acting_as("ann@example.org"):
        promote(team, "late", version, "champion", reason="r")
    with acting_as("dev@example.org"), pytest.raises(ForbiddenError):
        rollback(team, "late")
    assert get_model(team, "late").aliases == {"champion": version, "challenger": version}


def test_people_are_needed_where_the_policy_says_so(team: Project, rows: pl.DataFrame) -> None:
    policy = GateSpec(approvals={"approver": 2})
    with acting_as("dev@example.org"):
        version = "1"
        judged(team, rows, "late", version, policy)

    def tried() -> None:
        with acting_as("ann@example.org"):
            promote(team, "late", version, "champion", reason="r")

    with pytest.raises(GateRefusedError, match="0 of 2 approvals by approvers are there"):
        tried()
    with acting_as("ann@example.org"):
        for _ in range(2):  # one who says it twice is one
            approve(team, "late", version, comment="looked at it")
    with pytest.raises(GateRefusedError, match="1 of 2 approvals"):
        tried()
    with acting_as("bob@example.org"):
        approve(team, "late", version, comment="not on Fridays", refuse=True)
    with pytest.raises(GateRefusedError, match=r"bob@example.org refused it: not on Fridays"):
        tried()
    with acting_as("bob@example.org"):
        approve(team, "late", version)
    tried()
    assert get_model(team, "late").aliases == {"champion": version}


def test_who_asks_is_who_a_server_a_hub_or_git_says(
    team: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in (("user.email", "ann@example.org"), ("user.name", "Ann")):
        subprocess.run(["git", "-C", team.root, "config", key, value], check=True)
    found = who(team)
    assert (found.names, found.role, found.known_by) == (
        ("ann@example.org", "Ann"),
        "approver",
        "git",
    )
    monkeypatch.setenv("JUPYTERHUB_USER", "dev@example.org")
    assert (who(team).role, who(team).known_by) == ("developer", "jupyterhub")
    with acting_as("root@example.org"):
        assert who(team).role == "admin"
    with acting_as("a guest"):
        assert who(team).role == "viewer"


def test_without_roles_everybody_is_admin(project: Project) -> None:
    assert who(project).role == "admin"
    assert os.environ.get("JUPYTERHUB_USER") is None
