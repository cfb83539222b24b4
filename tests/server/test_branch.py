"""The branches of a project, asked and changed over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workbench.git import Repository
from workbench.project import Project
from workbench.tracking import BRANCH, client, create_run, finish_run

Ask = Callable[..., Awaitable[Any]]

PROBLEM = "application/problem+json"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def project(served: Path, request: pytest.FixtureRequest) -> Project:
    """A project of one notebook and one text, for one test."""
    root = served / f"b-{abs(hash(request.node.name))}"
    root.mkdir()
    (root / "workbench.toml").write_text('name = "branches"\n')
    (root / ".gitignore").write_text(".workbench/\n")
    (root / "notes.md").write_text("one\ntwo\n")
    write(root / "train.ipynb", "x = 1", "y = 2")
    Repository.init(root).commit(["."], "Start")
    return Project.find(root)


def write(path: Path, *sources: str) -> None:
    cells = [nbformat.v4.new_code_cell(text, id=f"cell-{n}") for n, text in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def log(project: Project, branch: str, name: str, roc_auc: float) -> None:
    run_id = create_run(project, name, tags={BRANCH: branch}, params={"depth": 6})
    client(project).log_metric(run_id, "roc_auc", roc_auc)
    finish_run(project, run_id, "FINISHED")


async def test_work_is_kept_and_brought_back(project: Project, ask: Ask, send: Ask) -> None:
    path = project.root.name
    (project.root / "notes.md").write_text("one\nthree\n")
    answer = await send("POST", "branches", {"name": "exp/a"}, path=path)
    assert (answer.status, answer.body["branch"]) == (201, "exp/a")
    answer = await send("POST", "branches/switch", {"name": "main", "work": "keep"}, path=path)
    assert (answer.status, answer.body["kept"]) == (200, ["notes.md"])
    listed = (await ask("branches", path=path)).body
    by_name = {branch["name"]: branch for branch in listed["branches"]}
    assert (listed["experiment"], listed["protected"]) == ("branches", "main")
    assert by_name["exp/a"]["has_kept_work"]
    assert by_name["main"]["current"]
    assert by_name["main"]["subject"] == "Start"
    answer = await send("POST", "branches/switch", {"name": "exp/a"}, path=path)
    assert answer.body["brought_back"] == ["notes.md"]
    assert (project.root / "notes.md").read_text() == "one\nthree\n"


async def test_commits_just_the_files_that_were_chosen(
    project: Project, ask: Ask, send: Ask
) -> None:
    path = project.root.name
    (project.root / "notes.md").write_text("new\n")
    (project.root / f"{SCRIPT.replace('/', '')}.md").write_text("new\n")
    answer = await send(
        "POST", "branch/commit", {"message": "Note", "paths": ["notes.md"]}, path=path
    )
    assert answer.status == 201
    status = (await ask("branch", path=path)).body
    assert status["commit"] == answer.body["commit"]
    assert [file["path"] for file in status["changed"]] == ["<script>alert(1)<script>.md"]


async def test_discards_and_undoes_it(project: Project, ask: Ask, send: Ask) -> None:
    path = project.root.name
    (project.root / "notes.md").write_text("new\n")
    (project.root / "more.md").write_text("more\n")
    answer = await send("POST", "branch/discard", {"paths": ["notes.md", "more.md"]}, path=path)
    assert (answer.status, answer.body["paths"]) == (200, ["more.md", "notes.md"])
    assert (project.root / "notes.md").read_text() == "one\ntwo\n"
    assert not (project.root / "more.md").exists()
    undone = await send("POST", "branch/undo-discard", {"id": answer.body["id"]}, path=path)
    assert undone.body["paths"] == ["more.md", "notes.md"]
    assert (project.root / "notes.md").read_text() == "new\n"
    again = await send("POST", "branch/undo-discard", {"id": answer.body["id"]}, path=path)
    assert again.status == 404


async def test_a_notebook_differs_by_its_cells(project: Project, ask: Ask) -> None:
    path = project.root.name
    write(project.root / "train.ipynb", "x = 1", "y = 3", "z = 4")
    told = (await ask("branch/diff", path=path, file="train.ipynb")).body
    assert (told["kind"], told["state"]) == ("notebook", "modified")
    assert [cell["kind"] for cell in told["cells"]["cells"]] == ["changed", "added"]
    assert told["cells"]["cells"][0]["diff"].splitlines()[-2:] == ["-y = 2", "+y = 3"]
    assert told["steps"][0]["key"] == "cells"
    assert len(told["base"]["cells"]) == 2


async def test_a_text_differs_by_its_lines(project: Project, ask: Ask) -> None:
    path = project.root.name
    (project.root / "notes.md").write_text(f"one\n{SCRIPT}\n")
    (project.root / "picture.bin").write_bytes(b"\0\1")
    told = (await ask("branch/diff", path=path, file="notes.md")).body
    assert (told["kind"], told["lines"].splitlines()[-1]) == ("text", f"+{SCRIPT}")
    told = (await ask("branch/diff", path=path, file="picture.bin")).body
    assert (told["kind"], told["state"]) == ("binary", "added")


@pytest.mark.parametrize(
    ("file", "status"),
    [("../flights/skies.csv", 400), ("/etc/passwd", 400), ("way/passwd", 400), ("none", 404)],
)
async def test_reads_nothing_outside(project: Project, ask: Ask, file: str, status: int) -> None:
    (project.root / "way").symlink_to("/etc", target_is_directory=True)
    answer = await ask("branch/diff", path=project.root.name, file=file)
    assert (answer.status, answer.content_type) == (status, PROBLEM)


async def test_scores_compares_and_ranks(project: Project, ask: Ask, send: Ask) -> None:
    path = project.root.name
    await send("POST", "branches", {"name": "exp/b"}, path=path)
    write(project.root / "train.ipynb", "x = 5", "y = 2")
    Repository(project.root).commit(["."], "Five")
    log(project, "main", SCRIPT, 0.6)
    log(project, "exp/b", "worse", 0.5)
    log(project, "exp/b", "better", 0.7)
    scores = (await ask("branches/scores", path=path)).body
    assert scores["metric"] == "roc_auc"
    found = {one["branch"]: (one["runs"], one["best"]) for one in scores["branches"]}
    assert found == {"main": (1, 0.6), "exp/b": (2, 0.7)}
    compared = (await ask("branches/compare", path=path, a="main", b="exp/b")).body
    assert compared["runs_a"][0]["name"] == SCRIPT
    assert [one["path"] for one in compared["notebooks"]] == ["train.ipynb"]
    told = await ask("branches/leaderboard", path=path, metric="none")
    assert (told.status, "roc_auc" in told.body["detail"]) == (404, True)
    told = await ask("branch/diff", path=path, file="train.ipynb", base="main", other="exp/b")
    assert told.body["cells"]["cells"][0]["diff"].endswith("+x = 5")


async def test_merges_with_the_choices_and_not_without(
    project: Project, ask: Ask, send: Ask
) -> None:
    path = project.root.name
    repository = Repository(project.root)
    await send("POST", "branches", {"name": "exp/c"}, path=path)
    write(project.root / "train.ipynb", "x = 10", "y = 2")
    repository.commit(["."], "Ten")
    await send("POST", "branches/switch", {"name": "main"}, path=path)
    write(project.root / "train.ipynb", "x = 20", "y = 2")
    repository.commit(["."], "Twenty")
    plan = (await ask("branches/merge", path=path, name="exp/c")).body
    (conflict,) = plan["conflicts"]
    assert (conflict["ours"], conflict["theirs"], conflict["base"]) == ("x = 20", "x = 10", "x = 1")
    refused = await send("POST", "branches/merge", {"name": "exp/c"}, path=path)
    assert (refused.status, refused.body["type"]) == (409, "urn:workbench:merge-conflict")
    body = {"name": "exp/c", "choices": {conflict["id"]: {"text": "x = 15"}}}
    merged = await send("POST", "branches/merge", body, path=path)
    assert (merged.status, merged.body["standing"]) == (200, "diverged")
    assert nbformat.read(project.root / "train.ipynb", 4).cells[0].source == "x = 15"


async def test_drops_and_restores(project: Project, ask: Ask, send: Ask) -> None:
    path = project.root.name
    await send("POST", "branches", {"name": "exp/d"}, path=path)
    refused = await send("DELETE", "branches", path=path, name="exp/d")
    assert (refused.status, "current branch" in refused.body["detail"]) == (409, True)
    await send("POST", "branches/switch", {"name": "main"}, path=path)
    assert (await send("DELETE", "branches", path=path, name="exp/d")).status == 200
    listed = (await ask("branches", path=path)).body
    assert [one["name"] for one in listed["dropped"]] == ["exp/d"]
    restored = await send("POST", "branches/restore", {"name": "exp/d"}, path=path)
    assert restored.body["name"] == "exp/d"


@pytest.mark.parametrize(
    ("method", "route", "body", "status"),
    [
        ("POST", "branches", {"name": ""}, 400),
        ("POST", "branches", {"name": "a", "more": 1}, 400),
        ("POST", "branches", {"name": "-a"}, 409),
        ("POST", "branches", {"name": "a", "base": "nowhere"}, 404),
        ("POST", "branches/switch", {"name": "nowhere"}, 404),
        ("POST", "branches/switch", {"name": "main", "work": "lose"}, 400),
        ("POST", "branch/commit", {"message": "m", "paths": []}, 400),
        ("POST", "branch/discard", {"paths": ["notes.md"]}, 409),
        ("POST", "branches/merge", {"name": "nowhere"}, 404),
        ("POST", "branches/restore", {"name": "nowhere"}, 404),
    ],
)
async def test_refuses_what_it_cannot_do(
    project: Project, send: Ask, method: str, route: str, body: Any, status: int
) -> None:
    answer = await send(method, route, body, path=project.root.name)
    assert (answer.status, answer.content_type) == (status, PROBLEM)


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("POST", "branches", {"name": "a"}),
        ("POST", "branches/switch", {"name": "main"}),
        ("POST", "branches/bring-back", None),
        ("POST", "branches/put-aside", {"name": "main"}),
        ("POST", "branches/restore", {"name": "main"}),
        ("POST", "branches/merge", {"name": "main"}),
        ("POST", "branch/commit", {"message": "m", "paths": ["notes.md"]}),
        ("POST", "branch/discard", {"paths": ["notes.md"]}),
        ("POST", "branch/undo-discard", {"id": "x"}),
        ("DELETE", "branches?name=main", None),
    ],
)
async def test_a_viewer_changes_nothing(
    project: Project, send: Ask, method: str, route: str, body: Any
) -> None:
    settings = project.root / "workbench.toml"
    settings.write_text(settings.read_text() + '\n[roles]\nviewer = ["*"]\nadmin = ["ann"]\n')
    route, _, name = route.partition("?name=")
    answer = await send(
        method, route, body, path=project.root.name, **({"name": name} if name else {})
    )
    assert (answer.status, answer.content_type) == (403, PROBLEM)
    assert answer.body["type"] == "urn:workbench:forbidden"


async def test_says_that_there_is_no_git(served: Path, ask: Ask) -> None:
    root = served / "no-git"
    root.mkdir()
    (root / "workbench.toml").write_text('name = "none"\n')
    assert (await ask("branches", path="no-git")).body["branches"] == []
    assert (await ask("branch/diff", path="no-git", file="workbench.toml")).status == 409
