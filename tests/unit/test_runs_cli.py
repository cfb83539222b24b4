"""`workbench runs` and `workbench branch`, as somebody types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.jobs.notebooks import write_notebook
from tests.projects import ready_project
from workbench.git import Repository
from workbench.git.command import run_git
from workbench.project import Project
from workbench.tracking import Run, create_run, finish_run, get_run, snapshot_tags

Cli = Callable[..., Any]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with two finished runs: `few` with 5 trees, `many` with 9."""
    project = ready_project(tmp_path_factory.mktemp("runs") / "project")
    for name, trees in (("few", 5), ("many", 9)):
        (project.root / "code.py").write_text(f"trees = {trees}\n")
        run_id = create_run(
            project,
            name,
            tags={"mlflow.source.git.branch": "main"},
            params={"trees": trees, "seed": 0},
        )
        run = Run(project, run_id)
        run.set_tags(snapshot_tags(project, project.root, run_id))
        run.log_metrics({"auc": trees / 10})
        finish_run(project, run_id, "FINISHED")
    return project


@pytest.fixture(scope="module")
def ids(project: Project) -> dict[str, str]:
    from workbench.tracking import list_runs

    return {run.name: run.run_id for run in list_runs(project)}


@pytest.fixture(scope="module")
def narrow_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose run has so many metrics and such a name that its row is wide."""
    from workbench.experiments import start_branch, switch_branch

    project = ready_project(tmp_path_factory.mktemp("narrow") / "project")
    start_branch("a-branch-of-a-rather-long-name", project=project)
    switch_branch("main", project=project)
    run_id = create_run(
        project,
        "a run with a rather long name, as jobs have",
        tags={"mlflow.source.git.branch": "main"},
        params={},
    )
    run = Run(project, run_id)
    run.log_metrics(dict.fromkeys(("auc", "valid_log_loss", "valid_f1", "recall", "lift"), 0.5))
    fields = {"name": "rows-of-a-long-name", "digest": "0" * 32, "source_type": "x", "source": "{}"}
    run.writer.dataset(fields, "test")
    finish_run(project, run_id, "FINISHED")
    return project


def test_runs_are_listed_filtered_and_sorted(project: Project, cli_json: Cli) -> None:
    found = cli_json("-C", project.root, "runs", "list", "--order-by", "metrics.auc desc")
    assert [run["name"] for run in found] == ["many", "few"]
    found = cli_json("-C", project.root, "runs", "list", "--filter", "params.trees = '5'")
    assert [run["name"] for run in found] == ["few"]


def test_a_run_is_known_by_its_beginning(project: Project, ids: dict[str, str], cli: Cli) -> None:
    done = cli("-C", project.root, "runs", "show", ids["few"][:8])
    assert done.returncode == 0
    assert ids["few"] in done.stdout


def test_comparing_shows_what_differs(project: Project, ids: dict[str, str], cli: Cli) -> None:
    done = cli("-C", project.root, "runs", "compare", ids["few"], ids["many"])
    assert done.returncode == 0
    assert "trees" in done.stdout
    assert "seed" not in done.stdout
    everything = cli("-C", project.root, "runs", "compare", ids["few"], ids["many"], "--all")
    assert "seed" in everything.stdout


def test_comparing_as_json(project: Project, ids: dict[str, str], cli_json: Cli) -> None:
    found = cli_json("-C", project.root, "runs", "compare", ids["few"], ids["many"])
    assert {row["name"]: row["values"] for row in found["params"]}["trees"] == ["5", "9"]
    assert {row["name"]: row["values"] for row in found["metrics"]} == {"auc": [0.5, 0.9]}


def test_checking_out_brings_the_code_back(
    project: Project, ids: dict[str, str], cli: Cli, tmp_path: Path
) -> None:
    done = cli("-C", project.root, "runs", "checkout", ids["few"], tmp_path / "there")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "there" / "code.py").read_text() == "trees = 5\n"
    again = cli("-C", project.root, "runs", "checkout", ids["many"], tmp_path / "there")
    assert again.returncode == 2
    assert (tmp_path / "there" / "code.py").read_text() == "trees = 5\n"


def test_tags_are_set_and_removed(project: Project, ids: dict[str, str], cli: Cli) -> None:
    run = ids["few"]
    assert cli("-C", project.root, "runs", "tag", run, "note=a = b", "x=1").returncode == 0
    assert get_run(project, run).tags["note"] == "a = b"
    assert cli("-C", project.root, "runs", "tag", run, "note=").returncode == 0
    assert "note" not in get_run(project, run).tags
    done = cli("-C", project.root, "runs", "tag", run, "nothing")
    assert (done.returncode, "KEY=VALUE" in done.stderr) == (2, True)


def test_deleting_can_be_undone_until_gc(project: Project, cli: Cli, cli_json: Cli) -> None:
    run_id = create_run(project, "gone", tags={}, params={})
    snapshot_tags(project, project.root, run_id)
    finish_run(project, run_id, "FINISHED")
    assert "restore" in cli("-C", project.root, "runs", "delete", run_id).stdout
    [deleted] = cli_json("-C", project.root, "runs", "list", "--deleted")
    assert deleted["run_id"] == run_id
    assert cli("-C", project.root, "runs", "restore", run_id).returncode == 0
    assert cli_json("-C", project.root, "gc", "--dry-run")["pruned"] == []
    cli("-C", project.root, "runs", "delete", run_id)
    assert cli_json("-C", project.root, "gc", "--dry-run")["pruned"] == [run_id]
    assert cli_json("-C", project.root, "gc") == {"pruned": [run_id], "kept": 2}


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_runs_are_exported(project: Project, cli: Cli, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"runs{ending}"
    done = cli("-C", project.root, "runs", "export", file, "--order-by", "metrics.auc")
    assert done.returncode == 0, done.stderr
    read = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".jsonl": pl.read_ndjson}[ending]
    assert read(file)["metrics.auc"].to_list() == [0.5, 0.9]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["runs", "show", "ffff0000"], "unknown run"),
        (["runs", "compare", "ffff0000"], "two different runs"),
        (["runs", "list", "--filter", "metrics.auc >"], "runs:"),
        (["runs", "export", "runs.xlsx"], ".parquet, .csv, .jsonl"),
        (["branch", "switch", "nowhere"], "unknown branch 'nowhere'"),
        (["branch", "merge", "nowhere"], "unknown branch 'nowhere'"),
        (["branch", "merge", "main", "--choose", "x"], "expected CONFLICT="),
        (["branch", "compare", "main", "nowhere"], "unknown branch 'nowhere'"),
        (["branch", "leaderboard", "acu"], "did you mean auc?"),
        (["commit", "-m", "x", "nothing.py"], "nothing.py"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    project: Project, cli: Cli, arguments: list[str], says: str
) -> None:
    done = cli("-C", project.root, *arguments)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_real_conflict_is_cells_to_choose_from(
    blank_project: Project, cli: Cli, cli_json: Cli
) -> None:
    root = blank_project.root
    note = root / "notebooks" / "n.ipynb"
    write_notebook(note, "a = 1", "print(a)")
    at = ("-C", root)
    assert cli(*at, "commit", "-m", "A notebook").returncode == 0
    for branch, value in (("left", 2), ("right", 3)):
        assert cli(*at, "branch", "switch", "main").returncode == 0
        assert cli(*at, "branch", "start", branch).returncode == 0
        note.write_text(note.read_text().replace("a = 1", f"a = {value}"))
        assert cli(*at, "commit", "-m", f"a is {value}").returncode == 0
    before = note.read_bytes(), run_git(root, "rev-parse", "HEAD").stdout
    done = cli(*at, "branch", "merge", "left")
    assert done.returncode == 1
    assert "a = 2" in done.stdout
    assert "nothing was changed" in done.stderr
    assert (note.read_bytes(), run_git(root, "rev-parse", "HEAD").stdout) == before
    plan = json.loads(cli(*at, "branch", "merge", "left", "--json").stdout)
    [conflict] = plan["conflicts"]
    merged = cli_json(*at, "branch", "merge", "left", "--choose", f"{conflict['id']}=theirs")
    assert "a = 2" in note.read_text()
    assert merged["commit"] == Repository(root).status().commit
    [compared] = cli_json(*at, "branch", "compare", "main", "right")["notebooks"]
    assert compared["path"] == "notebooks/n.ipynb"


def test_a_dropped_branch_comes_back(blank_project: Project, cli: Cli, cli_json: Cli) -> None:
    at = ("-C", blank_project.root)
    cli(*at, "branch", "start", "try")
    (blank_project.root / "x.py").write_text("x = 1\n")
    cli(*at, "commit", "-m", "x")
    assert cli(*at, "branch", "drop", "try").returncode == 1
    cli(*at, "branch", "switch", "main")
    assert "restore" in cli(*at, "branch", "drop", "try").stdout
    assert [branch["name"] for branch in cli_json(*at, "branch", "list")] == ["main"]
    cli(*at, "branch", "restore", "try")
    assert [branch["name"] for branch in cli_json(*at, "branch", "list")] == ["main", "try"]


@pytest.mark.parametrize("step", [("switch", "main"), ("start", "next", "--base", "main")])
def test_commits_of_no_branch_are_set_aside_and_come_back(
    blank_project: Project, cli: Cli, step: tuple[str, ...]
) -> None:
    at = ("-C", blank_project.root, "branch")
    run_git(blank_project.root, "switch", "--quiet", "--detach")
    (blank_project.root / "x.py").write_text("x = 1\n")
    Repository(blank_project.root).commit(["x.py"], "On no branch")
    said = cli(*at, *step).stdout.splitlines()
    command = said[-1].partition("workbench branch ")[2].split()
    assert command[0] == "restore"
    assert cli(*at, *command).returncode == 0
    assert cli(*at, "switch", command[1]).returncode == 0
    assert (blank_project.root / "x.py").exists()


def test_branches_need_git_and_say_so(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "workbench.toml").write_text('name = "loose"\n')
    done = cli("-C", tmp_path, "branch", "list")
    assert done.returncode == 1
    assert "not a Git repository" in done.stderr


@pytest.mark.parametrize(
    ("width", "command"),
    [
        (80, ("runs", "list")),
        (45, ("branch", "leaderboard", "valid_log_loss")),
        (80, ("branch", "compare", "main", "a-branch-of-a-rather-long-name")),
    ],
)
def test_ids_stay_whole_in_a_narrow_window(
    narrow_project: Project,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    command: tuple[str, ...],
) -> None:
    from workbench.cli.context import out
    from workbench.tracking import list_runs

    [run] = list_runs(narrow_project)
    monkeypatch.setattr(out, "width", width)
    done = cli("-C", narrow_project.root, *command)
    assert run.run_id[:8] in done.stdout, done.stdout + done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith(("│", "┃"))]
    assert max(map(len, table)) <= width


def test_commits_stay_whole_in_a_narrow_window(
    narrow_project: Project, cli: Cli, cli_json: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.cli.context import out

    at = ("-C", narrow_project.root, "branch", "list")
    commits = [branch["commit"][:8] for branch in cli_json(*at)]
    monkeypatch.setattr(out, "width", 50)
    shown = cli(*at).stdout
    assert all(commit in shown for commit in commits)
