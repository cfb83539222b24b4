"""The registry's whole path on a team's PostgreSQL: its tables and MLflow's are in one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import insert, select, text

from tests.conftest import Finished
from tests.models import judged, late_rows, made
from tests.servers import postgresql
from workbench.errors import GateRefusedError
from workbench.evaluation import evaluate
from workbench.factory.scaffold import create_project
from workbench.gates import GateSpec
from workbench.project import Project
from workbench.registry import (
    Scorer,
    aliases_of,
    list_decided,
    list_decisions,
    promote,
    rollback,
    verify_decisions,
)
from workbench.store import ConflictError, DecisionRow, database
from workbench.tracking import client

CLI = Callable[..., Finished]

PROMOTE = """
import sys, time
from pathlib import Path
from workbench.errors import GateRefusedError
from workbench.project import Project
from workbench.registry import aliases_of, promote

root, name, version, ready, go = sys.argv[1:]
project = Project.find(root)
aliases_of(project, name)
Path(ready).touch()
while not Path(go).exists():
    time.sleep(0.001)
try:
    print(promote(project, name, version, "champion", reason="mine").version)
except GateRefusedError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return late_rows()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose records, MLflow's too, are in a PostgreSQL."""
    folder = tmp_path_factory.mktemp("postgresql")
    made = create_project(folder / "project")
    with postgresql(folder) as address:
        settings = made.root / "workbench.toml"
        where = f'tracking_uri = "{address}"\ndatabase_url = "{address}"\n'
        settings.write_text(where + settings.read_text())
        yield Project.find(made.root)


def elsewhere(project: Project, folder: Path, script: str, *args: str) -> subprocess.Popen[str]:
    """Run a program as on another machine: the same stores, other locks."""
    environment = {**os.environ, "WORKBENCH_STATE_DIR": str(folder)}
    command = [sys.executable, "-c", textwrap.dedent(script), str(project.root), *args]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def wait_for(*paths: Path) -> None:
    end = time.monotonic() + 60
    while not all(path.exists() for path in paths):
        assert time.monotonic() < end
        time.sleep(0.01)


def ended(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


def test_from_a_run_to_production_and_back(
    project: Project, rows: pl.DataFrame, cli: CLI, cli_json: Callable[..., Any]
) -> None:
    here = {"folder": project.root}
    policy = GateSpec(approvals={"approver": 1})
    for number in ("1", "2"):
        assert made(project, rows) == number
        report = evaluate(Scorer.load(project, "late", number), rows, "late")
        assert report.metrics
        report = judged(project, rows, "late", number, policy)
        assert report.outcome == "passed"
        assert judged(project, rows, "late", number, policy) == report
        refused = cli("models", "promote", "late", number, **here)
        assert (refused.returncode, "0 of 1 approvals" in refused.stderr) == (1, True)
        assert cli("models", "approve", "late", number, "--comment", "fine", **here).returncode == 0
        done = cli("models", "promote", "late", number, "--reason", "better", **here)
        assert (done.returncode, done.stderr) == (0, "")
    again = cli_json("models", "promote", "late", "2", folder=project.root)
    assert (again["id"], again["reason"]) == (2, "better")
    done = cli("models", "rollback", "late", "--reason", "odd", **here)
    assert done.stdout == "late version 1 is champion (before: 2)\n"
    history = cli_json("models", "history", "late", folder=project.root)
    assert [(d["version"], d["outcome"], d["reason"]) for d in history] == [
        ("1", "promoted", "better"),
        ("2", "promoted", "better"),
        ("1", "rolled back", "odd"),
    ]
    assert "rolled back" in cli("models", "history", "late", **here).stdout
    [shown] = cli_json("models", "production", folder=project.root)
    assert (shown["version"], shown["owner"], shown["reason"]) == ("1", "ada", "odd")
    [model] = cli_json("models", "list", folder=project.root)
    assert (model["aliases"], [v["gate"] for v in model["versions"]]) == (
        {"champion": "1"},
        ["passed", "passed"],
    )
    assert str(client(project).get_model_version_by_alias("late", "champion").version) == "1"
    verified = json.loads(cli("models", "verify", "--json", **here).stdout)
    assert (verified["decisions"], verified["broken"]) == (3, [])


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        ("UPDATE decisions SET reason = 'because' WHERE id = {first}", "isn't as it was written"),
        ("DELETE FROM decisions WHERE id = {first}", "one was taken out, or put in"),
        (
            "UPDATE decisions SET evidence = 'null' WHERE id = {first}",
            "isn't as it was written",
        ),
        ("DELETE FROM decisions WHERE id = {last}", "workbench.decision.champion names"),
    ],
)
def test_a_row_that_was_tampered_with_is_told(
    project: Project, rows: pl.DataFrame, cli: CLI, tamper: str, said: str
) -> None:
    known = [row.id for row in list_decided(project, "late")]
    table = DecisionRow.__table__
    with database(project).session() as session:
        kept = [dict(row) for row in session.execute(select(table)).mappings()]
    try:
        with database(project).session() as session:
            session.execute(text(tamper.format(first=known[0], last=known[-1])))
        done = cli("models", "verify", folder=project.root)
        assert (done.returncode, said in done.stdout) == (1, True), done.stdout
        assert "is broken" in done.stdout
    finally:
        with database(project).session() as session:
            session.execute(text("DELETE FROM decisions"))
            session.execute(insert(table), kept)
    assert cli("models", "verify", folder=project.root).returncode == 0


def test_of_two_machines_at_once_one_wins_and_the_other_is_told(
    project: Project, rows: pl.DataFrame, tmp_path: Path
) -> None:
    for version in ("1", "2"):
        assert made(project, rows, "both") == version
        judged(project, rows, "both", version)
    go = tmp_path / "go"
    ready = [tmp_path / f"ready{version}" for version in (1, 2)]
    there = [
        elsewhere(
            project, tmp_path / f"machine{version}", PROMOTE, "both", version, str(mark), str(go)
        )
        for version, mark in zip(("1", "2"), ready, strict=True)
    ]
    wait_for(*ready)
    go.touch()
    said = [ended(process) for process in there]
    [winner] = [version for version in ("1", "2") if version in said]
    [told] = [text for text in said if text != winner]
    assert f"compared with no champion, and version {winner} has the alias by now" in told
    assert aliases_of(project, "both") == {"champion": winner}
    assert [one.version for one in list_decided(project, "both")] == [winner]
    assert verify_decisions(project).broken == []


SLOW = """
import sys, time
from pathlib import Path
from mlflow import MlflowClient
from workbench.project import Project
from workbench.registry import promote

root, name, version, ready, go = sys.argv[1:]
move = MlflowClient.set_registered_model_alias

def slow(self, *args):
    Path(ready).touch()
    while not Path(go).exists():
        time.sleep(0.001)
    move(self, *args)

MlflowClient.set_registered_model_alias = slow
print(promote(Project.find(root), name, version, "champion", reason="slow").version)
"""


def test_whoever_is_slow_to_move_the_alias_does_not_undo_what_came_after(
    project: Project, rows: pl.DataFrame, tmp_path: Path
) -> None:
    for version in ("1", "2"):
        assert made(project, rows, "slow") == version
        judged(project, rows, "slow", version)
    ready, go = tmp_path / "ready", tmp_path / "go"
    process = elsewhere(project, tmp_path / "machine", SLOW, "slow", "1", str(ready), str(go))
    wait_for(ready)  # decided there, and not moved
    assert [one.version for one in list_decided(project, "slow")] == ["1"]
    assert aliases_of(project, "slow") == {}
    with pytest.raises(GateRefusedError, match="version 1 has the alias by now"):
        promote(project, "slow", "2", "champion", reason="quick")
    assert aliases_of(project, "slow") == {"champion": "1"}  # completed for the other
    judged(project, rows, "slow", "2")
    promote(project, "slow", "2", "champion", reason="quick")
    go.touch()
    assert ended(process) == "1"
    assert aliases_of(project, "slow") == {"champion": "2"}  # which was decided last
    assert verify_decisions(project).broken == []


def test_a_rollback_that_was_cut_short_is_completed_and_goes_no_further(
    project: Project, rows: pl.DataFrame
) -> None:
    for version in ("1", "2", "3"):
        made(project, rows, "cut")
        judged(project, rows, "cut", version)
        promote(project, "cut", version, "champion", reason="r")
    first = rollback(project, "cut", reason="odd")
    mlflow = client(project)  # as a kill would leave it
    mlflow.set_registered_model_alias("cut", "champion", "3")
    mlflow.set_registered_model_tag("cut", "workbench.decision.champion", first.previous_hash)
    assert rollback(project, "cut") == first
    assert aliases_of(project, "cut") == {"champion": "2"}
    assert rollback(project, "cut").version == "1"


def test_a_row_that_is_there_already_is_a_conflict(project: Project) -> None:
    [first, *_] = list_decisions(project)
    with pytest.raises(ConflictError) as raised, database(project).session() as session:
        session.add(DecisionRow(**first.model_dump(exclude={"id"})))
    assert "\n" not in str(raised.value)
