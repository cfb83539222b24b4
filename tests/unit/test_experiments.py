"""Where Git and MLflow meet: branches of any name, shared repositories, runs begun offline."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import NotFoundError, UsageError
from workbench.experiments import (
    BRANCH_STATE,
    branch_tag,
    checkout_run,
    collect_garbage,
    compare_branches,
    drop_branch,
    merge_branch,
    start_branch,
    switch_branch,
)
from workbench.experiments.of_branch import runs_of_branch
from workbench.git import Repository
from workbench.git.command import run_git
from workbench.git.snapshots import list_snapshots
from workbench.project import Project
from workbench.tracking import (
    BRANCH,
    Run,
    compare_runs,
    create_run,
    delete_run,
    export_runs,
    finish_run,
    get_run,
    snapshot_tags,
)
from workbench.tracking.entries import check_name
from workbench.tracking.sending import LOCAL_ID

Cli = Callable[..., Any]

QUOTED = ["it's", 'a"b', """it's-"so\"""", "more-trees", "ü/#1"]


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project]:
    """Two projects, each with a store of its own, in one repository."""
    top = tmp_path_factory.mktemp("both") / "repository"
    Repository.init(top)
    for name in ("mine", "other"):
        (top / name).mkdir()
        (top / name / "workbench.toml").write_text(f'name = "{name}"\n')
        (top / name / "code.py").write_text("x = 1\n")
    (top / ".gitignore").write_text(".workbench/\nmlruns/\n")
    Repository(top).commit(["."], "Both")
    return Project.find(top / "mine"), Project.find(top / "other")


@pytest.fixture
def project(projects: tuple[Project, Project]) -> Project:
    return projects[0]


def a_run(project: Project, name: str = "run", *, snapshot: bool = False, **tags: str) -> str:
    run_id = create_run(project, name, tags=tags, params={})
    if snapshot:
        snapshot_tags(project, project.root, run_id)
    finish_run(project, run_id, "FINISHED")
    return run_id


def used(project: Project, run_id: str, *datasets: tuple[str, str]) -> None:
    """Let a run say what data it used, by name and digest."""
    run = Run(project, run_id)
    for name, digest in datasets:
        fields = {"name": name, "digest": digest, "source_type": "local", "source": "{}"}
        run.writer.dataset(fields, "read")
    run.writer.close()


def commit_on(project: Project, branch: str) -> None:
    """Give the current branch a commit with a file of its own."""
    name = re.sub(r"\W", "_", branch)
    (project.root / f"{name}.py").write_text("x = 1\n")
    Repository(project.root).commit(["."], f"On {name}")


def test_garbage_is_what_this_store_knows_as_deleted(projects: tuple[Project, Project]) -> None:
    mine, other = projects
    stays, gone = a_run(mine, snapshot=True), a_run(mine, snapshot=True)
    of_other = a_run(other, snapshot=True)
    away = "local-0123456789abcdef"  # its run isn't in any store yet
    snapshot_tags(mine, mine.root, away)
    delete_run(mine, gone)
    before = set(list_snapshots(mine.root, mine.state))
    planned = collect_garbage(mine, dry_run=True)
    assert set(list_snapshots(mine.root, mine.state)) == before
    assert planned.pruned == [gone]
    assert collect_garbage(mine) == planned
    assert planned.kept == len(before) - 1
    assert {stays, of_other, away} <= set(list_snapshots(mine.root, mine.state))


def test_a_run_begun_away_has_its_code_under_its_local_id(project: Project, tmp_path: Path) -> None:
    local = "local-fedcba9876543210"
    snapshot_tags(project, project.root, local)
    run_id = a_run(project, **{LOCAL_ID: local})
    found = checkout_run(project, run_id, tmp_path / "there")
    assert found.run_id == run_id
    assert list((tmp_path / "there").rglob("code.py"))
    delete_run(project, run_id)
    assert local in collect_garbage(project).pruned
    with pytest.raises(NotFoundError, match=f"run {run_id} has no snapshot: .*`workbench gc`"):
        checkout_run(project, run_id, tmp_path / "again")


def test_restoring_says_whether_the_code_is_still_there(project: Project, cli: Cli) -> None:
    run_id = a_run(project, "whole", snapshot=True)
    delete_run(project, run_id)
    done = cli("-C", project.root, "runs", "restore", run_id)
    assert (done.stdout, done.stderr) == (f"restored whole: run {run_id}\n", "")
    delete_run(project, run_id)
    collect_garbage(project)
    done = cli("-C", project.root, "runs", "restore", run_id)
    assert (done.returncode, done.stdout) == (0, f"restored whole: run {run_id}\n")
    assert "has no snapshot" in done.stderr


def test_only_a_merged_experiment_is_marked_as_merged(project: Project) -> None:
    of_main = a_run(project, **{BRANCH: "main"})
    start_branch("trial", project=project)
    commit_on(project, "trial")
    of_trial = a_run(project, **{BRANCH: "trial"})
    switch_branch("main", project=project)
    commit_on(project, "main")
    switch_branch("trial", project=project)
    merge_branch("main", project=project)  # to be up to date
    assert BRANCH_STATE not in get_run(project, of_main).tags
    switch_branch("main", project=project)
    merge_branch("trial", project=project)
    assert get_run(project, of_trial).tags[BRANCH_STATE] == "merged"
    later = a_run(project, **{BRANCH: "trial"})
    assert merge_branch("trial", project=project).standing == "merged"
    assert BRANCH_STATE not in get_run(project, later).tags


@pytest.mark.parametrize("name", QUOTED)
def test_a_branch_of_any_name_has_its_runs(
    project: Project, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    for alike in {name.replace("'", "-"), name.upper(), f"{name}-"} - {name}:
        a_run(project, **{BRANCH: alike})
    runs = [a_run(project, str(number), **{BRANCH: name}) for number in range(2)]
    assert {run.run_id for run in runs_of_branch(project, name)} == set(runs)
    assert [run.run_id for run in runs_of_branch(project, name, 1)] == runs[1:]
    start_branch(name, project=project)
    switch_branch("main", project=project)
    compared = compare_branches("main", name, project=project)
    assert {run.run_id for run in compared.runs_b} == set(runs)
    drop_branch(name, project=project)
    assert {get_run(project, run).tags[BRANCH_STATE] for run in runs} == {"dropped"}
    assert not caplog.records  # such as: MLflow wasn't told


@given(st.lists(st.text(min_size=1, max_size=300), unique=True, max_size=5))
def test_the_tag_of_a_branch_is_a_name_that_mlflow_takes(names: list[str]) -> None:
    tags = [branch_tag(name) for name in names]
    assert [check_name("tag", tag) for tag in tags] == tags
    assert len(set(tags)) == len(names)


def test_datasets_of_one_name_are_both_compared(project: Project) -> None:
    a, b, c = (a_run(project, **{BRANCH: name}) for name in ("main", "years", "years"))
    used(project, a, ("data", "2023a"), ("data", "2024a"), ("rows", "1"))
    used(project, b, ("data", "2023b"), ("data", "2024a"), ("rows", "1"))
    used(project, c, ("rows", "1"))
    rows = {row.name: row for row in compare_runs(project, [a, b, c]).datasets}
    assert rows["data"].values == ["2023a, 2024a", "2023b, 2024a", None]
    assert not rows["rows"].differs
    run_git(project.root, "branch", "years")
    found = {
        row.name: row.values for row in compare_branches("main", "years", project=project).data
    }
    assert found == {"data": ["2023a, 2024a", "2023b, 2024a"], "rows": ["1", "1"]}


def test_packages_that_nobody_recorded_are_no_difference(project: Project, cli: Cli) -> None:
    with_some, bare = a_run(project, "with"), a_run(project, "bare")
    packages = {f"package{number}": "1.0" for number in range(50)}
    run = Run(project, with_some)
    run.log_json({"python": "3.11.4", "packages": packages}, "environment.json")
    run.writer.close()
    found = compare_runs(project, [with_some, bare])
    assert found.without_packages == [bare]
    done = cli("-C", project.root, "runs", "compare", with_some, bare)
    assert f"packages: {bare[:8]} has none recorded" in done.stdout
    assert "package7" not in done.stdout
    everything = cli("-C", project.root, "runs", "compare", with_some, bare, "--all")
    assert "package7" in everything.stdout


@pytest.mark.parametrize("place", ["a-file/runs", "a-folder"])
@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_a_place_that_takes_no_file_is_named_once(
    project: Project, tmp_path: Path, place: str, ending: str
) -> None:
    a_run(project)
    (tmp_path / "a-file").touch()
    (tmp_path / f"a-folder{ending}").mkdir()
    file = tmp_path / f"{place}{ending}"
    with pytest.raises(UsageError) as raised:
        export_runs(project, file)
    assert re.fullmatch(rf"{re.escape(str(file))}: can't be written: [\w ]+", str(raised.value))


def test_committing_needs_git_and_says_so(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "workbench.toml").write_text('name = "loose"\n')
    done = cli("-C", tmp_path, "commit", "-m", "x")
    assert (done.returncode, "not a Git repository" in done.stderr) == (1, True)
