"""The registry on the command line, as its user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Finished
from tests.jobs.notebooks import write_notebook
from tests.models import judged, late_rows, made
from tests.projects import ready_project
from workbench.project import Project
from workbench.registry import get_model

CLI = Callable[..., Finished]
TRAIN = """
import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression

import workbench as wb

rows = wb.data.read("rows")
model = LogisticRegression(C=strength).fit(rows[["signal"]].to_numpy(), rows["late"].to_numpy())
wb.log_model(model, example=rows[["signal"]])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a source, a training notebook and two versions that passed a gate."""
    root, rows = ready_project(tmp_path_factory.mktemp("models") / "project").root, late_rows()
    rows.write_parquet(root / "rows.parquet")
    with (root / "workbench.toml").open("a") as settings:
        settings.write('[sources.rows]\naddress = "rows.parquet"\n')
    strength = "strength: float = 1.0  # inverse of regularisation"
    write_notebook(root / "notebooks" / "train.ipynb", TRAIN.strip(), parameters=strength)
    project = Project.find(root)
    for _ in range(2):
        version = made(project, rows)
        assert judged(project, rows, "late", version, factory="").outcome == "passed"
    return project


def test_promote_roll_back_and_verify(
    project: Project, cli: CLI, cli_json: Callable[..., Any]
) -> None:
    here = {"folder": project.root}
    done = cli("models", "promote", "late", "1", "--reason", "the first", **here)
    assert (done.returncode, done.stdout.strip()) == (0, "late version 1 is champion")
    done = cli("models", "promote", "late", "2", **here)  # judged when there was no champion
    assert done.returncode == 1
    assert "compared with no champion, and version 1 has the alias by now" in done.stderr
    assert "\n" not in done.stderr.strip()
    decision = cli_json(
        "models", "promote", "late", "2", "--override", "--reason", "fire", folder=project.root
    )
    assert decision["override"] is True
    [shown] = cli_json("models", "production", folder=project.root)
    assert (shown["version"], shown["override"], shown["owner"]) == ("2", "fire", "ada")
    assert "gate overridden" in cli("models", "production", **here).stdout
    done = cli("models", "rollback", "late", "--reason", "it is out", **here)
    assert done.stdout.strip() == "late version 1 is champion (before: 2)"
    done = cli("models", "rollback", "late", **here)
    assert done.returncode == 1
    assert "version 1 is the first that has champion" in done.stderr
    outcomes = [d["outcome"] for d in cli_json("models", "history", "late", folder=project.root)]
    assert outcomes == ["promoted", "promoted", "rolled back"]
    assert "the chain of 3 decisions holds" in cli("models", "verify", **here).stdout
    assert json.loads(cli("models", "verify", "--json", **here).stdout)["broken"] == []


def test_people_approve(project: Project, cli: CLI, cli_json: Callable[..., Any]) -> None:
    said = cli_json("models", "approve", "late", "2", "--comment", "fine", folder=project.root)
    assert (said["outcome"], said["comment"], said["role"]) == ("approved", "fine", "admin")
    done = cli("models", "approve", "late", "9", folder=project.root)
    assert done.returncode == 2
    assert "unknown version '9' of model late" in done.stderr


def test_a_notebook_is_run_as_a_job_to_become_a_version(project: Project, cli: CLI) -> None:
    notebook = ("--from-notebook", "notebooks/train.ipynb", "-p", "strength=0.5", "--owner", "eva")
    done = cli("models", "register", "fresh", *notebook, "--yes", folder=project.root)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fresh version 1 is run ")
    [version] = get_model(project, "fresh").versions
    assert version.owner == "eva"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("register", "late"), 2, "give a run, or a notebook"),
        (("register", "late", "nope"), 2, "nope"),
        (("promote", "lat", "1"), 2, "did you mean late"),
        (("promote", "late", "7"), 2, "unknown version '7'"),
        (("promote", "late", "1", "--alias", "champion", "--override"), 2, "needs a reason"),
        (("rollback", "never"), 2, "unknown model 'never'"),
        (("gate", "late", "1"), 2, "unknown model of a factory 'late'"),
        (("evaluate", "late", "1"), 2, "unknown model of a factory 'late'"),
        (("show", "nope"), 2, "unknown model"),
    ],
)
def test_a_mistake_is_named(
    project: Project, cli: CLI, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = cli("models", *arguments, folder=project.root)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_in_production_at_first(tmp_path: Path, cli: CLI) -> None:
    ready_project(tmp_path / "new")
    assert "nothing is in production" in cli("models", "production", folder=tmp_path / "new").stdout
