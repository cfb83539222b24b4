"""Merging: what goes together goes together, the rest is chosen, and nothing changes before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.work_trees import WorkTree, forget_settings
from workbench.errors import GitError, NotFoundError, UsageError
from workbench.git import branches
from workbench.git.merging import MergeConflictError, Own, merge, plan_merge
from workbench.git.notebooks import parse, to_bytes
from workbench.git.repository import Repository


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_settings(tmp_path / "home", monkeypatch)


@pytest.fixture
def begun(tmp_path: Path) -> WorkTree:
    """A repository with one commit of some files and a notebook, and a second branch at it."""
    tree = WorkTree(tmp_path / "project é", tmp_path / "state")
    Repository.init(tree.root)
    tree.write("a.txt", "1\n2\n3\n4\n5\n")
    tree.write("b.txt", "b\n")
    tree.write("data.bin", b"\0base")
    write_notebook(tree, a="x = 1", b="y = 1", c="z = 1")
    of(tree).commit(["."], "Begin")
    tree.git("branch", "other")
    return tree


def of(tree: WorkTree) -> Repository:
    return Repository(tree.root)


def write_notebook(tree: WorkTree, name: str = "n.ipynb", ran: str = "", **sources: str) -> Path:
    cells = [
        {
            "cell_type": "code",
            "id": cell_id,
            "metadata": {},
            "source": source.splitlines(keepends=True),
            "outputs": [{"output_type": "stream", "name": "stdout", "text": [ran]}] if ran else [],
            "execution_count": 1 if ran else None,
        }
        for cell_id, source in sources.items()
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return tree.write(name, to_bytes(parse(json.dumps(notebook).encode())))


def read_notebook(tree: WorkTree, name: str = "n.ipynb") -> dict[str, tuple[str, list[Any]]]:
    cells = json.loads((tree.root / name).read_text())["cells"]
    return {
        cell["id"]: ("".join(cell["source"]), [out["text"][0] for out in cell["outputs"]])
        for cell in cells
    }


def on_other(tree: WorkTree, **files: str | bytes | None) -> None:
    """Commit files on the other branch, and come back."""
    branches.switch(of(tree), "other")
    for name, content in files.items():
        path = name.replace("_", ".")
        if content is None:
            (tree.root / path).unlink()
        else:
            tree.write(path, content)
    tree.commit("Other")
    branches.switch(of(tree), "main")


def looks(tree: WorkTree) -> tuple[object, ...]:
    files = {
        path: path.read_bytes()
        for path in tree.root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(tree.root).parts
    }
    return files, tree.git("ls-files", "--stage"), tree.git("for-each-ref"), tree.git("status")


def ids(tree: WorkTree) -> list[str]:
    return [conflict.id for conflict in plan_merge(of(tree), "other").conflicts]


# What goes together


def test_a_merge_is_a_commit_with_both_parents_and_leaves_other_work_alone(begun: WorkTree) -> None:
    on_other(begun, a_txt="1\n2\n3\n4\nfive\n", new_txt="new\n", b_txt=None)
    begun.write("a.txt", "one\n2\n3\n4\n5\n")
    begun.commit("Main")
    begun.write("staged.txt", "staged\n")
    begun.git("add", "staged.txt")
    begun.write("data.bin", b"\0work")
    before = looks(begun)
    plan = plan_merge(of(begun), "other")
    assert (plan.standing, plan.files, plan.conflicts) == (
        "diverged",
        ("a.txt", "b.txt", "new.txt"),
        (),
    )
    assert looks(begun) == before
    done = merge(of(begun), "other")
    assert done.files == plan.files
    parents = begun.git("show", "--no-patch", "--format=%P", "HEAD").split()
    assert parents == [plan.ours, plan.theirs]
    assert begun.git("log", "-1", "--format=%s") == "Merge branch 'other'\n"
    assert begun.git("rev-parse", "main").strip() == done.commit
    assert (begun.root / "a.txt").read_text() == "one\n2\n3\n4\nfive\n"
    assert not (begun.root / "b.txt").exists()
    assert begun.git("status", "--porcelain") == " M data.bin\nA  staged.txt\n"


def test_a_branch_ahead_is_merged_by_a_commit_too(begun: WorkTree) -> None:
    on_other(begun, a_txt="new\n")
    assert plan_merge(of(begun), "other").standing == "fast-forward"
    done = merge(of(begun), "other", message="The winner\n\nBecause.")
    assert done.standing == "fast-forward"
    assert (
        begun.git("show", "--no-patch", "--format=%B", "HEAD").strip() == "The winner\n\nBecause."
    )
    assert len(begun.git("show", "--no-patch", "--format=%P", "HEAD").split()) == 2
    again = merge(of(begun), "other")
    assert (again.standing, again.commit, again.files) == ("merged", done.commit, ())


def test_a_notebook_is_merged_by_cells_where_its_lines_would_clash(begun: WorkTree) -> None:
    branches.switch(of(begun), "other")
    write_notebook(begun, a="x = 1", b="y = 1", c="z = 2", d="theirs")
    begun.commit("Other")
    branches.switch(of(begun), "main")
    write_notebook(begun, a="x = 2", b="y = 1", new="ours", c="z = 1")
    begun.commit("Main")
    assert ids(begun) == []
    merge(of(begun), "other")
    sources = {name: source for name, (source, _) in read_notebook(begun).items()}
    assert sources == {"a": "x = 2", "b": "y = 1", "new": "ours", "c": "z = 2", "d": "theirs"}


def test_a_notebook_that_one_side_renamed_is_still_merged_by_cells(begun: WorkTree) -> None:
    branches.switch(of(begun), "other")
    write_notebook(begun, a="x = 1", b="y = 1", c="z = 2")
    begun.commit("Other")
    branches.switch(of(begun), "main")
    begun.git("mv", "n.ipynb", "renamed é.ipynb")
    write_notebook(begun, "renamed é.ipynb", a="x = 1", b="y = 2", c="z = 1")
    begun.commit("Main")
    merge(of(begun), "other")
    sources = [source for source, _ in read_notebook(begun, "renamed é.ipynb").values()]
    assert sources == ["x = 1", "y = 2", "z = 2"]
    assert not (begun.root / "n.ipynb").exists()


def test_a_notebook_that_ran_keeps_the_outputs_of_what_stays(begun: WorkTree) -> None:
    branches.switch(of(begun), "other")
    write_notebook(begun, a="x = 1", b="y = 1", c="z = 2")
    begun.commit("Other")
    branches.switch(of(begun), "main")
    write_notebook(begun, ran="ran", a="x = 1", b="y = 1", c="z = 1")
    assert of(begun).status().changed == []
    merge(of(begun), "other")
    assert read_notebook(begun) == {
        "a": ("x = 1", ["ran"]),
        "b": ("y = 1", ["ran"]),
        "c": ("z = 2", []),
    }
    assert of(begun).status().changed == []
    assert "ran" not in begun.git("show", "HEAD:n.ipynb")


def test_outputs_that_both_committed_are_no_conflict(begun: WorkTree) -> None:
    for branch, text in (("other", "theirs"), ("main", "ours")):
        branches.switch(of(begun), branch)
        write_notebook(begun, ran=text, a="x = 1", b="y = 1", c="z = 1")
        of(begun).commit(["n.ipynb"], "With outputs", keep_outputs=True)
    assert ids(begun) == []
    merge(of(begun), "other")
    assert read_notebook(begun)["a"] == ("x = 1", ["ours"])


# What is to be chosen


@pytest.fixture
def clashing(begun: WorkTree) -> WorkTree:
    """Two branches in conflict over a file, a binary one, a deleted one, a new one, two cells."""
    branches.switch(of(begun), "other")
    begun.write("a.txt", "1\n2\ntheirs\n4\n5\n")
    begun.write("data.bin", b"\0theirs")
    begun.write("b.txt", "changed\n")
    begun.write("new.txt", "theirs\n")
    write_notebook(begun, a="x = 3", b="y = 1", c="z = 3")
    begun.commit("Other")
    branches.switch(of(begun), "main")
    begun.write("a.txt", "1\n2\nours\n4\n5\n")
    begun.write("data.bin", b"\0ours")
    (begun.root / "b.txt").unlink()
    begun.write("new.txt", "ours\n")
    write_notebook(begun, a="x = 2", b="y = 1", c="z = 2")
    begun.commit("Main")
    return begun


ALL = ["n.ipynb#a", "n.ipynb#c", "a.txt", "b.txt", "data.bin", "new.txt"]


def test_conflicts_are_told_with_both_sides(clashing: WorkTree) -> None:
    plan = plan_merge(of(clashing), "other")
    found = {conflict.id: conflict for conflict in plan.conflicts}
    assert list(found) == ALL
    told = {name: (c.kind, c.base, c.ours, c.theirs) for name, c in found.items()}
    assert told == {
        "n.ipynb#a": ("source", "x = 1", "x = 2", "x = 3"),
        "n.ipynb#c": ("source", "z = 1", "z = 2", "z = 3"),
        "a.txt": ("text", "1\n2\n3\n4\n5\n", "1\n2\nours\n4\n5\n", "1\n2\ntheirs\n4\n5\n"),
        "b.txt": ("deleted", "b\n", None, "changed\n"),
        "data.bin": ("binary", None, None, None),
        "new.txt": ("added", None, "ours\n", "theirs\n"),
    }
    assert (found["n.ipynb#a"].path, found["n.ipynb#a"].cell_id) == ("n.ipynb", "a")


def test_nothing_changes_until_all_is_chosen(clashing: WorkTree) -> None:
    before = looks(clashing)
    choices = dict.fromkeys(ALL[:-1], "ours")
    for some in ({}, choices):
        with pytest.raises(MergeConflictError, match=r"new\.txt; nothing has changed") as caught:
            merge(of(clashing), "other", choices=some)  # type: ignore[arg-type]
        assert [c.id for c in caught.value.conflicts] == [i for i in ALL if i not in some]
        assert looks(clashing) == before
    for wrong in ("n.ipynb#b", "n.ipynb", "c.txt"):
        with pytest.raises(NotFoundError, match=f"unknown conflict '{wrong}': .*here are: a"):
            merge(of(clashing), "other", choices={**choices, wrong: "ours"})  # type: ignore[arg-type,dict-item]
    with pytest.raises(UsageError, match=r"data\.bin: not text, so 'both' can't be chosen"):
        merge(of(clashing), "other", choices={**choices, "data.bin": "both"})  # type: ignore[arg-type,dict-item]
    assert looks(clashing) == before


def contents(tree: WorkTree) -> list[bytes | None]:
    names = ("a.txt", "b.txt", "data.bin", "new.txt")
    files = [tree.root / name for name in names]
    return [file.read_bytes() if file.exists() else None for file in files]


@pytest.mark.parametrize(
    ("choice", "expected", "cells"),
    [
        (
            "ours",
            [b"1\n2\nours\n4\n5\n", None, b"\0ours", b"ours\n"],
            ["x = 2", "z = 2"],
        ),
        (
            "theirs",
            [b"1\n2\ntheirs\n4\n5\n", b"changed\n", b"\0theirs", b"theirs\n"],
            ["x = 3", "z = 3"],
        ),
        (
            "base",
            [b"1\n2\n3\n4\n5\n", b"b\n", b"\0base", None],
            ["x = 1", "z = 1"],
        ),
    ],
)
def test_a_choice_is_what_is_merged(
    clashing: WorkTree, choice: Any, expected: list[bytes | None], cells: list[str]
) -> None:
    merge(of(clashing), "other", choices=dict.fromkeys(ALL, choice))
    assert contents(clashing) == expected
    assert [read_notebook(clashing)[name][0] for name in "ac"] == cells
    assert clashing.git("status", "--porcelain") == ""
    assert plan_merge(of(clashing), "other").standing == "merged"


def test_both_sides_or_ones_own_text_can_be_chosen(clashing: WorkTree) -> None:
    choices = {
        "n.ipynb#a": "both",
        "n.ipynb#c": Own(text="z = 9"),
        "a.txt": "both",
        "b.txt": "both",
        "data.bin": "ours",
        "new.txt": Own(text="mine\n"),
    }
    merge(of(clashing), "other", choices=choices)  # type: ignore[arg-type]
    assert contents(clashing) == [
        b"1\n2\nours\ntheirs\n4\n5\n",
        b"changed\n",
        b"\0ours",
        b"mine\n",
    ]
    assert read_notebook(clashing)["a"][0] == "x = 2\nx = 3"
    assert read_notebook(clashing)["c"][0] == "z = 9"


def test_a_notebook_that_isnt_one_is_a_file(begun: WorkTree) -> None:
    on_other(begun, n_ipynb="broken by theirs")
    write_notebook(begun, a="x = 2")
    begun.commit("Main")
    assert ids(begun) == ["n.ipynb"]
    merge(of(begun), "other", choices={"n.ipynb": "theirs"})
    assert (begun.root / "n.ipynb").read_text() == "broken by theirs"


def test_a_file_in_the_way_of_a_folder_is_to_be_chosen(begun: WorkTree) -> None:
    branches.switch(of(begun), "other")
    begun.write("place/inside.txt", "theirs\n")
    begun.commit("Other")
    branches.switch(of(begun), "main")
    begun.write("place", "ours\n")
    begun.commit("Main")
    (conflict,) = plan_merge(of(begun), "other").conflicts
    merge(of(begun), "other", choices={conflict.id: "theirs"})
    assert (begun.root / "place" / "inside.txt").read_text() == "theirs\n"
    assert begun.git("status", "--porcelain") == ""


def test_names_that_are_no_utf8_and_executable_files_are_merged(begun: WorkTree) -> None:
    branches.switch(of(begun), "other")
    (begun.root / "run.sh").write_text("#!/bin/sh\n")
    (begun.root / "run.sh").chmod(0o755)
    (begun.root / "link").symlink_to("run.sh")
    name = begun.root / b"caf\xe9 \n.txt".decode("utf-8", "surrogateescape")
    name.write_text("x")
    begun.commit("Other")
    branches.switch(of(begun), "main")
    begun.write("b.txt", "main\n")
    begun.commit("Main")
    merge(of(begun), "other")
    assert (begun.root / "run.sh").stat().st_mode & 0o111
    assert (begun.root / "link").is_symlink()
    assert name.read_text() == "x"
    assert begun.git("status", "--porcelain") == ""


# What is refused, before anything changes


def test_work_that_would_be_overwritten_is_named(begun: WorkTree) -> None:
    on_other(begun, a_txt="theirs\n", b_txt="theirs\n", new_txt="theirs\n", n_ipynb="{}")
    begun.write("a.txt", "mine\n")
    begun.write("b.txt", "staged\n")
    begun.git("add", "b.txt")
    begun.write("b.txt", "b\n")
    begun.write("new.txt", "mine\n")
    write_notebook(begun, a="x = 7")
    before = looks(begun)
    with pytest.raises(GitError, match=r"committed: a\.txt, b\.txt, n\.ipynb, new\.txt; commit"):
        merge(of(begun), "other")
    assert looks(begun) == before
    with pytest.raises(MergeConflictError if ids(begun) else GitError):
        merge(of(begun), "other", message="")


def test_unrelated_and_unborn_and_own_branches_are_refused(begun: WorkTree) -> None:
    with pytest.raises(UsageError, match="'main' is the current branch"):
        merge(of(begun), "main")
    with pytest.raises(NotFoundError, match="unknown branch 'othre': did you mean other"):
        merge(of(begun), "othre")
    with pytest.raises(GitError, match="not a valid branch name"):
        merge(of(begun), "--abort")
    begun.git("checkout", "--quiet", "--orphan", "new")
    with pytest.raises(GitError, match="no commit to merge 'main' into yet"):
        merge(of(begun), "main")
    begun.commit("Another beginning")
    with pytest.raises(GitError, match="no commit in common"):
        merge(of(begun), "main")


def test_nothing_is_merged_into_a_merge_under_way(clashing: WorkTree) -> None:
    clashing.git("merge", "other", check=False)
    before = looks(clashing)
    for step in (merge, plan_merge):
        with pytest.raises(GitError, match="a merge is under way"):
            step(of(clashing), "other")
    assert looks(clashing) == before


def test_a_detached_head_can_be_merged_into(begun: WorkTree) -> None:
    on_other(begun, a_txt="theirs\n")
    begun.git("checkout", "--quiet", "--detach", "main")
    done = merge(of(begun), "other")
    assert begun.git("rev-parse", "HEAD").strip() == done.commit
    assert begun.git("rev-parse", "main").strip() == plan_merge(of(begun), "other").ours[:0] + (
        begun.git("rev-parse", "HEAD^1").strip()
    )


def test_hooks_see_a_merge_and_can_refuse_it(begun: WorkTree) -> None:
    on_other(begun, a_txt="theirs\n")
    hook = begun.write(".git/hooks/commit-msg", "#!/bin/sh\necho no such message >&2\nexit 1\n")
    hook.chmod(0o755)
    before = looks(begun)
    with pytest.raises(GitError, match="the commit-msg hook refused: no such message"):
        merge(of(begun), "other")
    assert looks(begun) == before


OVERTAKEN = """
import subprocess, sys
from pathlib import Path
from workbench.errors import GitError
from workbench.git import merging
from workbench.git.notebooks import parse, to_bytes
from workbench.git.repository import Repository
root = Path(sys.argv[1])
write = merging.write_files
def overtaken(*arguments):
    merging.write_files = write
    write(*arguments)
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    tree = subprocess.check_output(["git", "rev-parse", "HEAD^{tree}"], cwd=root, text=True).strip()
    made = subprocess.check_output(
        ["git", *identity, "commit-tree", tree, "-p", "HEAD", "-m", "Quicker"], cwd=root, text=True
    ).strip()
    subprocess.run(["git", "update-ref", "HEAD", made], cwd=root, check=True)
merging.write_files = overtaken
try:
    merging.merge(Repository(root), "other")
except GitError as error:
    print(error)
"""


def test_a_commit_that_was_quicker_is_not_lost(begun: WorkTree) -> None:
    on_other(begun, a_txt="theirs\n", new_txt="theirs\n")
    done = subprocess.run(
        [sys.executable, "-c", OVERTAKEN, begun.root], capture_output=True, text=True, check=True
    )
    assert "cannot lock ref 'HEAD'" in done.stdout
    assert begun.git("log", "-1", "--format=%s") == "Quicker\n"
    assert begun.git("status", "--porcelain") == ""
