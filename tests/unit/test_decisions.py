"""Who moved which alias, by which right, and that nobody can rewrite it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sqlalchemy import text

from workbench.access import acting_as, who
from workbench.errors import ForbiddenError, GateRefusedError, NotFoundError, UsageError
from workbench.factory.scaffold import create_project
from workbench.gates import GateSpec, Question, Threshold, judge
from workbench.project import Project
from workbench.registry import (
    GateReport,
    approve,
    get_model,
    list_decisions,
    promote,
    register,
    rollback,
    verify_decisions,
)
from workbench.store import database
from workbench.tracking import client, create_run, current_run, finish_run

TRACED = {"mlflow.source.git.commit": "a" * 40, "execution.linear": "true"}
ROLES = """
[roles]
viewer = ["*"]
developer = ["dev@example.org"]
approver = ["ann@example.org", "bob@example.org"]
admin = ["root@example.org"]
"""


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """200 rows in which `signal` says much about `late`."""
    random = np.random.default_rng(0)
    signal = random.normal(size=200)
    late = random.random(200) < 1 / (1 + np.exp(-2 * signal))
    return pl.DataFrame({"signal": signal, "late": late})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return create_project(tmp_path / "project")


@pytest.fixture
def team(project: Project) -> Project:
    """The project with roles."""
    with (project.root / "workbench.toml").open("a") as settings:
        settings.write(ROLES)
    return Project.find(project.root)


def made(project: Project, rows: pl.DataFrame, name: str = "late") -> str:
    """Train, log and register a version."""
    import mlflow

    run_id = create_run(project, "train", tags=TRACED, params={})
    mlflow.set_tracking_uri(project.tracking_uri)
    with mlflow.start_run(run_id=run_id):
        run = current_run(project)
        run.log_dataset("rows", rows, "training")
        run.log_model(
            LogisticRegression().fit(rows[["signal"]].to_numpy(), rows["late"]), ["signal"]
        )
    finish_run(project, run_id, "FINISHED")
    return register(project, name, run_id, owner="ada")


def gated(
    project: Project,
    rows: pl.DataFrame,
    version: str,
    spec: GateSpec | None = None,
    name: str = "late",
) -> GateReport:
    return judge(
        Question(
            project=project,
            spec=spec or GateSpec(),
            factory="f",
            model=name,
            version=version,
            rows=rows,
            label="late",
            window="all",
            champion=get_model(project, name).aliases.get("champion"),
        )
    )


def test_rolling_back_goes_back_and_back_again(project: Project, rows: pl.DataFrame) -> None:
    versions = []
    for _ in range(3):
        version = made(project, rows)
        gated(project, rows, version)
        promote(project, "late", version, "champion", reason="better")
        versions.append(version)
    assert versions == ["1", "2", "3"]
    first = rollback(project, "late", reason="it answers nonsense")
    assert (first.version, first.previous, first.outcome) == ("2", "3", "rolled back")
    assert get_model(project, "late").aliases == {"champion": "2"}
    assert rollback(project, "late").version == "1"
    with pytest.raises(GateRefusedError, match="version 1 is the first that has champion"):
        rollback(project, "late")
    assert get_model(project, "late").aliases == {"champion": "1"}
    gated(project, rows, "3")
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
def test_no_decision_can_be_changed_unseen(
    project: Project, rows: pl.DataFrame, tamper: str, said: str
) -> None:
    for _ in range(3):
        version = made(project, rows)
        gated(project, rows, version)
        promote(project, "late", version, "champion", reason="better")
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
    versions = [made(project, rows) for _ in range(4)]
    for version in versions:
        gated(project, rows, version)

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
    first, second = made(project, rows), made(project, rows)
    gated(project, rows, first)
    promote(project, "late", first, "champion", reason="r")
    gated(project, rows, second)
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
    version = made(project, rows)
    report = gated(project, rows, version)
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
        version = made(team, rows)
        gated(team, rows, version, GateSpec(thresholds={"roc_auc": Threshold(min=0.999)}))
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
    [found] = get_model(team, "late").versions
    assert found.override == "fire"
    assert client(team).get_model_version("late", version).tags["workbench.override"] == "fire"


def test_each_role_may_what_it_may(team: Project, rows: pl.DataFrame) -> None:
    with acting_as("somebody"), pytest.raises(ForbiddenError, match="somebody is viewer here"):
        made(team, rows)
    with acting_as("dev@example.org"):
        version = made(team, rows)
        gated(team, rows, version)
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
        version = made(team, rows)
        gated(team, rows, version, policy)

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
