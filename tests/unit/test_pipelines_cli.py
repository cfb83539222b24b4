"""`workbench pipeline`: what it says, and with which exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.notebooks import write_notebook
from workbench.jobs.outputs import output
from workbench.jobs.pipelines import plan_pipeline
from workbench.jobs.pipelines.records import StepRecord, begin, change
from workbench.project import Project

STEPS = """
[pipeline]
description = "A test"
[parameters]
month = 6
[steps.prepare]
notebook = "prepare.ipynb"
parameters = {month = "${month}"}
[steps.train]
notebook = "train.ipynb"
inputs = {frame = "prepare.frame"}
"""


@pytest.fixture
def project(blank_project: Project) -> Project:
    root = blank_project.root
    write_notebook(
        root / "prepare.ipynb", "workbench.output('frame', 1)", parameters="month: int = 1"
    )
    write_notebook(root / "train.ipynb", "1", parameters="frame: int")
    (root / "pipelines").mkdir()
    (root / "pipelines" / "p.toml").write_text(STEPS)
    return blank_project


def test_none(blank_project: Project, cli: Callable[..., Any]) -> None:
    done = cli("pipeline", "list", folder=blank_project.root)
    assert (done.returncode, done.stdout) == (0, "no pipelines yet: write pipelines/NAME.toml\n")


def test_the_last_run_is_shown(
    project: Project, cli: Callable[..., Any], cli_json: Callable[..., Any], tmp_path: Path
) -> None:
    assert cli_json("pipeline", "list", folder=project.root) == [{"name": "p", "last_run": None}]
    run = begin(project, plan_pipeline(project, "p"), "the-run", "nobody")
    steps = {
        "prepare": StepRecord(state="failed", error="ValueError: [bold]no[/bold]"),
        "train": StepRecord(state="skipped"),
    }
    change(project, run.id, steps, "failed", "step prepare")
    [listed] = cli_json("pipeline", "list", folder=project.root)
    assert (listed["name"], listed["last_run"]["id"]) == ("p", "the-run")
    table = cli("pipeline", "list", folder=project.root).stdout
    assert "the-run" in table
    picture = tmp_path / "p.svg"
    done = cli("pipeline", "show", "p", "--svg", picture, folder=project.root)
    assert "prepare · failed" in done.stdout
    assert "prepare failed: ValueError: [bold]no[/bold]" in done.stderr
    assert ">skipped<" in picture.read_text()
    shown = cli_json("pipeline", "show", "p", "-p", "month=7", folder=project.root)
    assert shown["plan"]["steps"][0]["parameters"] == {"month": 7}
    assert shown["last_run"]["steps"]["train"]["state"] == "skipped"


def test_a_run_whose_process_is_gone_is_lost(
    project: Project, cli_json: Callable[..., Any]
) -> None:
    begin(project, plan_pipeline(project, "p"), "the-run", "nobody")
    [listed] = cli_json("pipeline", "list", folder=project.root)
    assert listed["last_run"]["state"] == "lost"
    assert listed["last_run"]["steps"]["train"]["state"] == "skipped"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "q"], "unknown pipeline 'q'"),
        (["run", "p", "-p", "mnth=1"], "unknown parameter 'mnth'; did you mean month"),
        (["run", "p", "-p", "month=x"], "month: expected int like 6, found 'x'"),
        (["export", "p", "--to", "airflow", "-p", "x"], "expected NAME=VALUE"),
        (["output", ".", "x"], "unknown output 'x'"),
    ],
)
def test_wrong_use(
    project: Project, cli: Callable[..., Any], arguments: list[str], said: str
) -> None:
    done = cli("pipeline", *arguments, folder=project.root)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("to", ["airflow", "github-actions"])
def test_export(project: Project, cli: Callable[..., Any], tmp_path: Path, to: str) -> None:
    printed = cli("pipeline", "export", "p", "--to", to, folder=project.root)
    file = tmp_path / "written"
    done = cli("pipeline", "export", "p", "--to", to, "-o", file, folder=project.root)
    assert (printed.returncode, done.returncode) == (0, 0)
    assert file.read_text() == printed.stdout
    assert "prepare" in printed.stdout


def test_what_a_shell_hands_on(
    project: Project, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKBENCH_JOB_FOLDER", str(tmp_path))
    output("word", "a 'b' ü")
    output("value", {"a": [1]})
    folder = tmp_path / "outputs"

    def said(*arguments: str) -> str:
        done = cli("pipeline", "output", *arguments, folder=project.root)
        return str(done.stdout).rstrip("\n")

    assert said(str(folder), "word") == "a 'b' ü"
    assert json.loads(said(str(folder), "value")) == {"a": [1]}
    assert said("--path", str(folder), "value") == str(folder / "value.json")
