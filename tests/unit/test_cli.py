"""A user's mistake is one clear line on standard error and exit code 2; never a traceback."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run_cli
from tests.jobs.notebooks import write_notebook
from workbench.project import Project

Cli = Callable[..., subprocess.CompletedProcess[str]]
Json = Callable[..., Any]


def _refused(done: subprocess.CompletedProcess[str], *said: str, code: int = 2) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    for words in said:
        assert words in lines[0]


def test_outside_a_project_it_says_how_to_make_one(cli: Cli, tmp_path: Path) -> None:
    _refused(cli("jobs", "list", folder=tmp_path), "workbench.toml", "workbench init")


def test_settings_mistakes_name_file_and_key(cli: Cli, blank_project: Project) -> None:
    settings = blank_project.root / "workbench.toml"
    settings.write_text('name = "x"\nworkes = 3\n')
    _refused(cli("jobs", "list", folder=blank_project.root), "workbench.toml: workes", "workers")
    settings.write_text('name = "x"\nworkers = "many"\n')
    _refused(cli("jobs", "list", folder=blank_project.root), "workers", "'many'")
    settings.write_text("name = \n")
    _refused(cli("jobs", "list", folder=blank_project.root), "workbench.toml", "line 1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["models", "show", "flihgts"], ["unknown model 'flihgts'", "there are none"]),
        (["models", "promote", "none", "1"], ["unknown model 'none'"]),
        (["jobs", "show", "2013"], ["unknown job '2013'"]),
        (["jobs", "list", "--batch", "nope"], ["unknown batch 'nope'", "there are none"]),
        (["runs", "show", "abc"], ["unknown run 'abc'"]),
        (["runs", "list", "--filter", "metrics >"], ["metrics >", "there are"]),
        (["features", "show", "a:b"], ["unknown feature 'a:b'"]),
        (["factory", "run", "none"], ["unknown factory 'none'"]),
        (["run", "missing.ipynb"], ["missing.ipynb", "no such notebook"]),
        (["run", "notebooks/first.ipynb", "-p", "tres=5"], ["unknown parameter", "did you mean"]),
        (["run", "notebooks/first.ipynb", "-p", "trees=many"], ["trees: expected int"]),
        (["run", "notebooks/first.ipynb", "-p", "trees"], ["expected NAME=VALUE"]),
        (["run", "../first.ipynb"], ["outside the project"]),
        (["run", "plain.ipynb", "-p", "x=1"], ["takes no parameters"]),
        (["run", "corrupt.ipynb"], ["not a valid notebook"]),
    ],
)
def test_what_does_not_exist_is_named(
    cli: Cli, blank_project: Project, arguments: list[str], said: list[str]
) -> None:
    write_notebook(blank_project.root / "plain.ipynb", "a = 1")
    (blank_project.root / "corrupt.ipynb").write_text("{")
    _refused(cli(*arguments, folder=blank_project.root), *said)


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = run_cli("--debug", "jobs", "list", folder=tmp_path)
    assert "Traceback" in done.stderr
    assert "NotAProjectError" in done.stderr


def test_an_unknown_option_is_wrong_use(cli: Cli) -> None:
    assert cli("jobs", "list", "--nope").returncode == 2


def test_a_missing_extra_says_the_line_that_installs_it(
    blank_project: Project, tmp_path: Path
) -> None:
    """In a process in which the boosters can't be found."""
    code = (
        "import sys, importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'voila' else find(name, *a)\n"
        "sys.argv = ['workbench', 'dashboard', '--no-browser']\n"
        "from workbench.cli import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=blank_project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    _refused(done, 'pip install "jupyter-workbench[dashboard]"')


def test_locked_records_are_said(
    cli: Cli, blank_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"sqlite:///{blank_project.state / 'workbench.db'}?timeout=1"
    monkeypatch.setenv("WORKBENCH_DATABASE_URL", address)
    assert cli("jobs", "list", folder=blank_project.root).returncode == 0
    holder = sqlite3.connect(blank_project.state / "workbench.db")
    holder.execute("begin exclusive")
    try:
        done = cli("features", "apply", folder=blank_project.root)
    finally:
        holder.close()
    _refused(done, "database is locked", code=1)


def test_a_state_folder_that_cannot_be_is_said(cli: Cli, new_project: Project) -> None:
    (new_project.root / ".workbench").write_text("a file, where a folder has to be")
    _refused(cli("jobs", "list", folder=new_project.root), ".workbench", code=1)


_IN_TURN = """
import json, os, sys
from workbench.cli import main
for number, command in enumerate(json.loads(sys.argv[1])):
    sys.stdout.flush()
    os.dup2(os.open(f"{number}.json", os.O_WRONLY | os.O_CREAT), 1)
    sys.argv[1:] = [*command.split(), "--json"]
    try:
        main()
    except SystemExit as end:
        assert not end.code, command
"""


def test_json_is_one_document_and_nothing_else(new_project: Project) -> None:
    """In a process that has imported nothing, made no tables, and told nobody of it yet."""
    commands = [
        *("jobs list", "runs list", "models list", "features list", "score list"),
        *("monitor list", "monitor alerts", "factory list"),
    ]
    code = [sys.executable, "-c", _IN_TURN, json.dumps(commands)]
    subprocess.run(code, cwd=new_project.root, check=True)
    for number, _ in enumerate(commands):
        assert json.loads((new_project.root / f"{number}.json").read_text()) == []


def test_an_empty_list_says_what_to_do(cli: Cli, blank_project: Project) -> None:
    done = cli("jobs", "list", folder=blank_project.root)
    assert (done.returncode, done.stdout) == (0, "no jobs yet: workbench run NOTEBOOK\n")


def test_a_first_job_from_the_blank_template(
    cli: Cli, cli_json: Json, blank_project: Project
) -> None:
    folder = blank_project.root
    job = cli_json("run", "notebooks/first.ipynb", "-p", "trees=20", folder=folder)
    assert job["state"] == "succeeded"
    assert job["params"] == {"trees": 20}
    assert (folder / job["output"]).is_file()
    [run] = cli_json("runs", "list", folder=folder)
    assert set(run) == {
        "run_id", "name", "experiment", "status", "start_time", "end_time", "params", "metrics",
        "tags", "user", "lifecycle_stage", "artifact_uri",
    }  # fmt: skip
    assert run["run_id"] == job["run_id"]
    assert run["metrics"]["roc_auc"] > 0.9
    shown = cli_json("jobs", "show", job["id"][:-2], folder=folder)
    assert shown.pop("cells") == ["completed"] * 5
    assert shown == job
    [listed] = cli_json("jobs", "list", folder=folder)
    assert {
        "id", "notebook", "state", "params", "run_id", "started_at", "finished_at", "output",
        "error",
    } <= set(listed)  # fmt: skip


def test_a_metric_that_is_no_number_is_still_json(cli_json: Json, blank_project: Project) -> None:
    write_notebook(
        blank_project.root / "nan.ipynb",
        "import workbench as wb",
        "wb.tracking.current_run().log_metrics({'loss': float('nan'), 'gain': float('inf')})",
    )
    cli_json("run", "nan.ipynb", folder=blank_project.root)
    [run] = cli_json("runs", "list", folder=blank_project.root)
    assert run["metrics"]["loss"] == "NaN"


def test_a_failing_notebook_is_exit_code_1(cli: Cli, blank_project: Project) -> None:
    write_notebook(blank_project.root / "bad.ipynb", "1 / 0")
    done = cli("run", "bad.ipynb", "--json", folder=blank_project.root)
    assert done.returncode == 1
    assert json.loads(done.stdout)["state"] == "failed"
    assert "ZeroDivisionError: division by zero in cell 0" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_a_true_record(
    cli_json: Json, blank_project: Project, how: signal.Signals
) -> None:
    write_notebook(blank_project.root / "slow.ipynb", "import time; time.sleep(600)")
    command = subprocess.Popen(
        [sys.executable, "-m", "workbench", "run", "slow.ipynb"],
        cwd=blank_project.root,
        stderr=subprocess.PIPE,
    )
    end = time.monotonic() + 60
    while not list(blank_project.state.glob("jobs/*/journal.jsonl")):
        assert time.monotonic() < end
        time.sleep(0.1)
    command.send_signal(how)
    _, said = command.communicate(timeout=60)
    assert command.returncode == 1
    assert b"Traceback" not in said
    [job] = cli_json("jobs", "list", folder=blank_project.root)
    assert job["state"] == "cancelled"


def test_init_makes_a_project_and_never_overwrites(cli: Cli, tmp_path: Path) -> None:
    assert cli("init", "new", "--template", "flights", folder=tmp_path).returncode == 0
    assert (tmp_path / "new" / "factories" / "flights.toml").is_file()
    _refused(cli("init", "new", folder=tmp_path), "not empty")
    _refused(
        cli("init", "other", "--template", "none", folder=tmp_path), "there are: blank, flights"
    )
    assert not (tmp_path / "other").exists()


def test_demo_never_overwrites_a_folder_that_holds_something_else(
    cli: Cli, tmp_path: Path, blank_project: Project
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    _refused(cli("demo", "mine", folder=tmp_path), "not empty")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    _refused(cli("demo", blank_project.root, folder=tmp_path), "another project")


def test_doctor_says_what_is_well(cli_json: Json, blank_project: Project) -> None:
    findings = {f["what"]: f for f in cli_json("doctor", folder=blank_project.root)}
    for what in ("Python", "Git", "project", "repository", "records", "MLflow"):
        assert findings[what]["status"] == "ok", findings[what]


def test_names_are_never_markup(cli: Cli, blank_project: Project) -> None:
    """A name in square brackets is shown as it is, not taken for a style."""
    write_notebook(blank_project.root / "[red]x.ipynb", "a = 1")
    assert cli("run", "[red]x.ipynb", folder=blank_project.root).returncode == 0
    assert "[red]x.ipynb" in cli("jobs", "list", folder=blank_project.root).stdout
