"""Branches: started, left, come back to, dropped and restored, with all work where it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.work_trees import WorkTree, forget_settings
from workbench.errors import GitError, NotFoundError
from workbench.git import branches
from workbench.git.repository import Repository


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_settings(tmp_path / "home", monkeypatch)


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    """A repository without a commit."""
    root = tmp_path / "project é"
    Repository.init(root)
    return WorkTree(root, tmp_path / "state")


@pytest.fixture
def begun(tree: WorkTree) -> WorkTree:
    """A repository with one commit of three files, and a second branch at it."""
    for name in ("a.txt", "b.txt", "folder/c.txt"):
        tree.write(name, f"{name}\n")
    tree.write(".gitignore", "*.tmp\n")
    tree.commit("Begin")
    tree.git("branch", "other")
    return tree


def of(tree: WorkTree) -> Repository:
    return Repository(tree.root)


def untidy(tree: WorkTree) -> dict[str, object]:
    """Leave work of every kind, and say how it looks."""
    tree.write("a.txt", "staged\n")
    tree.git("add", "a.txt")
    tree.write("a.txt", "and changed again\n")
    tree.git("rm", "--quiet", "b.txt")
    (tree.root / "folder" / "c.txt").unlink()
    tree.write("staged new.txt", "staged\n")
    tree.git("add", "staged new.txt")
    tree.write("new folder/new\n é.txt", "new\n")
    tree.write("script.sh", "#!/bin/sh\n").chmod(0o755)
    (tree.root / "link").symlink_to("a.txt")
    Path(os.fsdecode(os.fsencode(tree.root) + b"/caf\xe9.txt")).write_text("x")
    tree.write("left.tmp", "ignored\n")
    return looks(tree)


def looks(tree: WorkTree) -> dict[str, object]:
    files = {
        os.fsencode(path): path.readlink()
        if path.is_symlink()
        else (path.read_bytes(), path.stat().st_mode & 0o111)
        for path in tree.root.rglob("*")
        if not path.is_dir() and ".git" not in path.relative_to(tree.root).parts
    }
    status = subprocess.run(
        ["git", "status", "--porcelain", "-z", "-uall"],
        cwd=tree.root,
        capture_output=True,
        check=True,
    ).stdout
    return {"files": files, "status": status, "index": tree.git("ls-files", "--stage")}


def refs(tree: WorkTree, below: str = "refs/workbench") -> list[str]:
    return tree.git("for-each-ref", "--format=%(refname)", below).splitlines()


# Start


def test_a_new_branch_takes_the_work_along(begun: WorkTree) -> None:
    before = untidy(begun)
    branches.start(of(begun), "trial/é")
    assert of(begun).status().branch == "trial/é"
    assert looks(begun) == before
    there = "'trial/é' exists already: `workbench branch switch trial/é` goes there"
    with pytest.raises(GitError, match=there):
        branches.start(of(begun), "trial/é")
    with pytest.raises(GitError, match="git: "):
        branches.start(of(begun), "trial")  # which can't be a branch and a folder of branches


def test_a_branch_can_start_before_the_first_commit(tree: WorkTree) -> None:
    tree.write("a.txt")
    tree.git("add", "a.txt")
    branches.start(of(tree), "trial")
    assert of(tree).status().branch == "trial"
    assert tree.git("status", "--porcelain") == "A  a.txt\n"
    of(tree).commit(["a.txt"], "Begin")
    assert of(tree).branches() == ["trial"]


def test_a_branch_can_start_elsewhere(begun: WorkTree) -> None:
    first = begun.git("rev-parse", "HEAD").strip()
    begun.write("a.txt", "second\n")
    begun.commit("Second")
    begun.write("b.txt", "work\n")
    branches.start(of(begun), "trial", base=first)
    assert of(begun).head == first
    assert (begun.root / "b.txt").read_text() == "work\n"
    with pytest.raises(NotFoundError, match="unknown branch or commit 'mian': did you mean main"):
        branches.start(of(begun), "x", base="mian")
    with pytest.raises(NotFoundError):
        branches.start(of(begun), "x", base="--force")
    begun.write("a.txt", "in the way\n")
    with pytest.raises(GitError, match=r"would overwrite a.txt: commit first$"):
        branches.start(of(begun), "x", base="main")
    assert "x" not in of(begun).branches()


@pytest.mark.parametrize("name", ["-f", "", "a b", "HEAD", "@{-1}", "a..b"])
def test_no_step_takes_a_name_that_is_no_branch(begun: WorkTree, name: str) -> None:
    for step in (branches.start, branches.switch, branches.drop, branches.restore):
        with pytest.raises(GitError, match="is not a valid branch name"):
            step(of(begun), name)


# Switch


def test_work_is_carried_along_where_nothing_is_in_the_way(begun: WorkTree) -> None:
    before = untidy(begun)
    branches.switch(of(begun), "other")
    assert of(begun).status().branch == "other"
    assert looks(begun) == before


def test_what_would_be_overwritten_is_named_and_nothing_changes(begun: WorkTree) -> None:
    branches.switch(of(begun), "other")
    for name in ("a.txt", "b.txt", "new.txt", "x.tmp"):
        begun.write(name, "theirs\n")
    begun.git("add", "--force", ".")
    begun.commit("Other")
    branches.switch(of(begun), "main")
    begun.write("a.txt", "mine\n")
    begun.write("b.txt", "mine\n")
    begun.git("add", "b.txt")
    begun.write("new.txt", "mine\n")
    begun.write("x.tmp", "mine, though ignored\n")
    before = looks(begun)
    with pytest.raises(
        GitError, match=r"overwrite a.txt, b.txt, new.txt, x.tmp: .*`keep` .*`--keep`"
    ):
        branches.switch(of(begun), "other")
    assert looks(begun) == before
    with pytest.raises(GitError, match="git: "):  # ignored files aren't work that is kept
        branches.switch(of(begun), "other", work="keep")
    assert looks(begun) == before
    assert refs(begun) == []


def test_kept_work_comes_back_as_it_was(begun: WorkTree) -> None:
    before = untidy(begun)
    left = branches.switch(of(begun), "other", work="keep")
    assert "a.txt" in left.kept
    assert begun.git("status", "--porcelain") == ""
    assert (begun.root / "a.txt").read_text() == "a.txt\n"
    assert (begun.root / "left.tmp").exists()
    assert not (begun.root / "new folder").exists()
    assert refs(begun) == ["refs/workbench/work/main"]
    assert begun.git("stash", "list") == ""
    assert [b.name for b in branches.list_branches(of(begun)) if b.has_kept_work] == ["main"]
    back = branches.switch(of(begun), "main")
    assert back.brought_back == left.kept
    assert looks(begun) == before
    assert refs(begun) == []


def test_each_branch_has_work_of_its_own(begun: WorkTree) -> None:
    begun.write("a.txt", "of main\n")
    branches.switch(of(begun), "other", work="keep")
    begun.write("a.txt", "of other\n")
    for name in ("main", "other", "main"):
        branches.switch(of(begun), name, work="keep")
        assert (begun.root / "a.txt").read_text() == f"of {name}\n"


def test_an_executed_notebook_is_kept_with_its_outputs(begun: WorkTree) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["1"]}
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": [], "outputs": [output]}
    notebook = {"cells": [{**cell, "execution_count": 1}], "metadata": {}, "nbformat": 4}
    file = begun.write("n.ipynb", json.dumps({**notebook, "nbformat_minor": 5}))
    content = file.read_bytes()
    of(begun).commit(["n.ipynb"], "Notebook")
    assert of(begun).status().changed == []
    for work in ("keep", "carry"):  # outputs are of the branch that they were made on
        assert branches.switch(of(begun), "other", work=work).kept == ("n.ipynb",)  # type: ignore[arg-type]
        assert not file.exists()
        assert branches.switch(of(begun), "main").brought_back == ("n.ipynb",)
        assert file.read_bytes() == content
    assert branches.start(of(begun), "trial", base="other").kept == ("n.ipynb",)
    file.write_text("in the way")
    with pytest.raises(GitError, match=r"'main' has other work kept on n.ipynb"):
        branches.switch(of(begun), "main")


def test_kept_work_comes_back_onto_a_branch_that_has_gone_on(
    begun: WorkTree, tmp_path: Path
) -> None:
    begun.write("a.txt", "work\n")
    begun.git("add", "a.txt")
    branches.switch(of(begun), "other", work="keep")
    with of(begun).worktree("main", tmp_path / "elsewhere") as there:
        (there.root / "b.txt").write_text("meanwhile\n")
        there.commit(["b.txt"], "Meanwhile")
    branches.switch(of(begun), "main")
    assert begun.git("status", "--porcelain") == "M  a.txt\n"
    assert (begun.root / "b.txt").read_text() == "meanwhile\n"


def test_kept_work_that_no_longer_fits_stays_kept(begun: WorkTree, tmp_path: Path) -> None:
    begun.write("a.txt", "work\n")
    branches.switch(of(begun), "other", work="keep")
    with of(begun).worktree("main", tmp_path / "elsewhere") as there:
        (there.root / "a.txt").write_text("meanwhile\n")
        there.commit(["a.txt"], "Meanwhile")
    with pytest.raises(
        GitError, match=r"both change a.txt; it stays in refs/workbench/work/main"
    ) as caught:
        branches.switch(of(begun), "main")
    for command in ("bring-back", "put-aside main"):
        assert f"`workbench branch {command}`" in str(caught.value)
    assert of(begun).status().branch == "main"
    assert (begun.root / "a.txt").read_text() == "meanwhile\n"
    ref = branches.put_aside(of(begun), "main")
    assert refs(begun) == [ref]
    assert begun.git("show", f"{ref}:a.txt") == "work\n"
    assert branches.switch(of(begun), "main").brought_back == ()


def test_kept_work_overwrites_no_file_that_came_meanwhile(begun: WorkTree) -> None:
    begun.write("new.tmp.txt", "kept\n")
    branches.switch(of(begun), "other", work="keep")
    begun.git("switch", "--quiet", "main")  # without us
    begun.write("new.tmp.txt", "mine\n")
    with pytest.raises(GitError, match=r"would overwrite new.tmp.txt"):
        branches.bring_back(of(begun))
    assert (begun.root / "new.tmp.txt").read_text() == "mine\n"
    assert refs(begun) == ["refs/workbench/work/main"]
    (begun.root / "new.tmp.txt").rename(begun.root / "mine.txt")
    assert branches.bring_back(of(begun)) == ["new.tmp.txt"]
    assert (begun.root / "new.tmp.txt").read_text() == "kept\n"


def test_work_isnt_carried_into_other_work_on_the_same_file(begun: WorkTree) -> None:
    begun.write("a.txt", "of main\n")
    branches.switch(of(begun), "other", work="keep")
    begun.write("a.txt", "of other\n")
    with pytest.raises(GitError, match=r"'main' has other work kept on a.txt"):
        branches.switch(of(begun), "main")
    assert of(begun).status().branch == "other"
    begun.write("a.txt", "a.txt\n")
    begun.write("b.txt", "carried\n")
    branches.switch(of(begun), "main")
    assert begun.git("status", "--porcelain") == " M a.txt\n M b.txt\n"


def test_a_step_killed_after_the_work_was_kept_is_taken_again(begun: WorkTree) -> None:
    before = untidy(begun)
    branches.switch(of(begun), "other", work="keep")
    begun.git("switch", "--quiet", "main")  # as if it had been killed before it left
    (begun.root / "a.txt").write_text("and changed again\n")  # or while bringing back
    assert branches.switch(of(begun), "other", work="keep").kept != ()
    branches.switch(of(begun), "main")
    assert looks(begun) == before


KILLED = """
import os, sys
from pathlib import Path
from workbench.git import branches, kept
from workbench.git.repository import Repository
step, root, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
def die(*_):
    os.kill(os.getpid(), 9)
setattr(kept, step, die)
branches.switch(Repository(root), name, work="keep")
"""


@pytest.mark.parametrize("step", ["write_files", "set_entries"])
def test_a_switch_killed_at_any_step_loses_nothing(begun: WorkTree, step: str) -> None:
    before = untidy(begun)
    subprocess.run([sys.executable, "-c", KILLED, step, begun.root, "other"], check=False)
    assert refs(begun) == ["refs/workbench/work/main"]
    branches.bring_back(of(begun))
    assert looks(begun) == before
    branches.switch(of(begun), "other", work="keep")
    subprocess.run([sys.executable, "-c", KILLED, step, begun.root, "main"], check=False)
    assert refs(begun) == ["refs/workbench/work/main"]
    assert branches.switch(of(begun), "main").brought_back != ()
    assert looks(begun) == before


def test_records_that_nothing_ignores_stay_where_they_are(begun: WorkTree) -> None:
    begun.write(".workbench/mlflow.db", "in use\n")
    begun.write("new.txt")
    assert branches.switch(of(begun), "other", work="keep").kept == ("new.txt",)
    assert (begun.root / ".workbench" / "mlflow.db").exists()


def test_a_repository_inside_and_a_submodule_stay_where_they_are(
    begun: WorkTree, tmp_path: Path
) -> None:
    library = WorkTree(tmp_path / "library", tmp_path)
    Repository.init(library.root)
    library.write("x.py")
    library.commit()
    begun.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.root), "sub"
    )
    begun.commit("Submodule")
    begun.git("branch", "--force", "other")
    begun.write("sub/x.py", "changed\n")
    Repository.init(begun.root / "inner")
    begun.write("inner/y.txt", "not committed\n")
    begun.write("new.txt")
    branches.switch(of(begun), "other", work="keep")
    assert (begun.root / "inner" / "y.txt").exists()
    assert (begun.root / "sub" / "x.py").read_text() == "changed\n"
    branches.switch(of(begun), "main", work="keep")
    assert (begun.root / "new.txt").exists()


def test_a_detached_head_and_an_unborn_branch_have_no_branch_to_keep_work_with(
    begun: WorkTree, tmp_path: Path
) -> None:
    begun.git("checkout", "--quiet", "--detach")
    branches.switch(of(begun), "other", work="keep")  # there was nothing to keep
    begun.git("checkout", "--quiet", "--detach")
    begun.write("a.txt", "work\n")
    with pytest.raises(GitError, match="HEAD is detached: start a branch"):
        branches.switch(of(begun), "main", work="keep")
    branches.switch(of(begun), "main")
    assert (begun.root / "a.txt").read_text() == "work\n"
    begun.git("checkout", "--quiet", "--orphan", "unborn")
    with pytest.raises(GitError, match="commit first"):
        branches.switch(of(begun), "main", work="keep")


def commit_detached(tree: WorkTree, name: str = "new.txt") -> tuple[str, str]:
    """Commit on a detached HEAD; give the commit, and the name that it is set aside under."""
    tree.git("checkout", "--quiet", "--detach")
    tree.write(name)
    commit = of(tree).commit([name], "Detached")
    return commit, f"detached-{commit[:12]}"


@pytest.mark.parametrize("work", ["carry", "keep"])
def test_what_was_committed_on_a_detached_head_is_set_aside(begun: WorkTree, work: str) -> None:
    first = commit_detached(begun, "first.txt")[0]
    commit, name = commit_detached(begun)
    begun.git("tag", "of-a-file", f"{commit}:a.txt")  # which no commit is in
    assert branches.switch(of(begun), "other", work=work).set_aside == name  # type: ignore[arg-type]
    begun.git("reflog", "expire", "--expire=now", "--all")
    begun.git("gc", "--quiet", "--prune=now")
    assert branches.restore(of(begun), name).commit == commit
    assert refs(begun) == []
    assert first in begun.git("rev-list", name)
    assert branches.switch(of(begun), name).set_aside is None
    assert (begun.root / "new.txt").exists()


def test_a_branch_that_starts_elsewhere_leaves_no_commit_behind(begun: WorkTree) -> None:
    commit, name = commit_detached(begun)
    with pytest.raises(GitError):
        branches.start(of(begun), "main/x", base="main")
    assert branches.start(of(begun), "trial", base="main").set_aside == name
    begun.git("checkout", "--quiet", commit)  # and there again it is told again
    assert branches.start(of(begun), "again", base="main").set_aside == name
    assert refs(begun) == [f"refs/workbench/dropped/{name}/{commit[:12]}"]


@pytest.mark.parametrize("holder", ["branch", "tag", "remote", "dropped", "itself", "base"])
def test_what_something_lasting_has_is_not_set_aside(begun: WorkTree, holder: str) -> None:
    commit, _ = commit_detached(begun)
    if holder in ("branch", "dropped"):
        begun.git("branch", "holder")
    if holder == "tag":
        begun.git("tag", "--annotate", "--message", "x", "v1")
    if holder == "remote":
        begun.git("update-ref", "refs/remotes/origin/x", commit)
    if holder == "dropped":
        branches.drop(of(begun), "holder")
    if holder == "itself":
        left = branches.start(of(begun), "trial")
    elif holder == "base":
        later = begun.git("commit-tree", "-p", commit, "-m", "Later", f"{commit}^{{tree}}").strip()
        left = branches.start(of(begun), "trial", base=later)
    else:
        left = branches.switch(of(begun), "other")
    assert left.set_aside is None
    assert not [ref for ref in refs(begun) if "detached" in ref]


def test_a_snapshot_alone_saves_no_commit_as_it_goes_with_its_run(begun: WorkTree) -> None:
    commit, name = commit_detached(begun)
    begun.git("update-ref", "refs/workbench/snapshots/run", commit)
    assert branches.switch(of(begun), "main").set_aside == name


def test_a_linked_work_tree_has_branches_and_a_head_of_its_own(
    begun: WorkTree, tmp_path: Path
) -> None:
    begun.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
    linked = WorkTree(tmp_path / "linked", tmp_path)
    users = untidy(begun)
    branches.start(of(linked), "trial")
    before = untidy(linked)
    assert branches.switch(of(linked), "other", work="keep").kept != ()
    assert linked.git("status", "--porcelain") == ""
    branches.switch(of(linked), "trial")
    assert looks(linked) == before
    made = of(linked).commit(["."], "There")
    assert begun.git("rev-parse", "trial").strip() == made
    with pytest.raises(GitError, match="checked out"):
        branches.switch(of(linked), "main")
    with pytest.raises(GitError, match=r"'trial' is checked out in .*linked"):
        branches.drop(of(begun), "trial")
    commit, name = commit_detached(linked)
    assert branches.switch(of(linked), "side").set_aside == name
    assert branches.restore(of(begun), name).commit == commit
    branches.drop(of(linked), "trial")
    assert (of(begun).branch, looks(begun)) == ("main", users)


def test_a_project_within_a_repository_takes_all_of_it_along(begun: WorkTree) -> None:
    inner = Repository(begun.root / "folder")
    begun.write("a.txt", "outside\n")
    begun.write("folder/c.txt", "inside\n")
    begun.write("folder/.workbench/mlflow.db", "in use\n")
    before = looks(begun)
    branches.start(inner, "trial")
    assert looks(begun) == before
    assert branches.switch(inner, "other", work="keep").kept == ("a.txt", "folder/c.txt")
    assert (inner.root / ".workbench" / "mlflow.db").exists()
    branches.switch(inner, "trial")
    assert looks(begun) == before
    inner.commit(["c.txt"], "Inside")
    assert begun.git("status", "--porcelain") == " M a.txt\n?? folder/.workbench/\n"
    branches.switch(inner, "main")
    dropped = branches.drop(inner, "trial")
    assert branches.restore(inner, "trial") == dropped
    begun.git("checkout", "--quiet", "--detach")
    commit = inner.commit([".workbench"], "Detached")
    assert branches.start(inner, "next", base="main").set_aside == f"detached-{commit[:12]}"


def test_a_branch_that_is_unknown_or_elsewhere_is_refused(begun: WorkTree, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="unknown branch 'mian': did you mean main"):
        branches.switch(of(begun), "mian")
    before = untidy(begun)
    begun.git("worktree", "add", "--quiet", str(tmp_path / "elsewhere"), "other")
    for work in ("carry", "keep"):
        with pytest.raises(GitError, match="checked out"):
            branches.switch(of(begun), "other", work=work)  # type: ignore[arg-type]
    with pytest.raises(GitError, match=r"'other' is checked out in .*elsewhere"):
        branches.drop(of(begun), "other")
    assert looks(begun) == before


def test_nothing_is_switched_while_a_merge_is_under_way(begun: WorkTree) -> None:
    begun.write("a.txt", "main\n")
    begun.commit("Main")
    begun.git("switch", "--quiet", "other")
    begun.write("a.txt", "other\n")
    begun.commit("Other")
    begun.git("merge", "main", check=False)
    before = looks(begun)
    for step in (branches.switch, branches.start):
        with pytest.raises(GitError, match=r"a merge is under way .*`git merge --abort`"):
            step(of(begun), "main")
    assert looks(begun) == before
    begun.git("merge", "--abort")
    assert branches.switch(of(begun), "main").branch == "main"


# Drop and restore


def test_a_dropped_branch_can_be_had_back(begun: WorkTree) -> None:
    branches.switch(of(begun), "other")
    begun.write("a.txt", "tried\n")
    begun.commit("Tried")
    begun.write("b.txt", "half done\n")
    branches.switch(of(begun), "main", work="keep")
    with pytest.raises(GitError, match=r"'other' has uncommitted work .*`--force`"):
        branches.drop(of(begun), "other")
    dropped = branches.drop(of(begun), "other", force=True)
    assert of(begun).branches() == ["main"]
    begun.git("reflog", "expire", "--expire=now", "--all")
    begun.git("gc", "--quiet", "--prune=now")
    with pytest.raises(NotFoundError, match="unknown dropped branch 'othre': did you mean other"):
        branches.restore(of(begun), "othre")
    assert branches.restore(of(begun), "other") == dropped
    assert refs(begun) == ["refs/workbench/work/other"]
    branches.switch(of(begun), "other")
    assert (begun.root / "a.txt").read_text() == "tried\n"
    assert (begun.root / "b.txt").read_text() == "half done\n"


def test_of_branches_dropped_under_one_name_each_can_be_had_back(begun: WorkTree) -> None:
    commits = []
    for number in range(2):
        branches.start(of(begun), "trial")
        begun.write("a.txt", f"{number}\n")
        begun.commit(f"Trial {number}")
        branches.switch(of(begun), "main")
        commits.append(branches.drop(of(begun), "trial").commit)
    assert branches.restore(of(begun), "trial", commit=commits[0][:8]).commit == commits[0]
    with pytest.raises(GitError, match="already exists"):
        branches.restore(of(begun), "trial")
    branches.drop(of(begun), "trial")
    with pytest.raises(NotFoundError, match="unknown dropped branch 'abc'"):
        branches.restore(of(begun), "trial", commit="abc")
    assert sorted(refs(begun)) == sorted(
        f"refs/workbench/dropped/trial/{commit[:12]}" for commit in commits
    )


def test_the_current_and_the_protected_branch_are_not_dropped(begun: WorkTree) -> None:
    with pytest.raises(GitError, match="'main' is the protected branch"):
        branches.drop(of(begun), "main", force=True)
    with pytest.raises(GitError, match="'main' is the current branch"):
        branches.drop(of(begun), "main", protected="production", force=True)
    with pytest.raises(GitError, match="'other' is the protected branch"):
        branches.drop(of(begun), "other", protected="other")
    with pytest.raises(NotFoundError):
        branches.drop(of(begun), "unknown")


# List


def test_branches_are_listed_with_how_far_they_are(begun: WorkTree) -> None:
    begun.write("a.txt", "more\n")
    begun.commit("More")
    begun.git("tag", "other")  # of the same name
    begun.git("branch", "--track", "with/upstream", "main")
    found = {branch.name: branch for branch in branches.list_branches(of(begun), base="main")}
    assert sorted(found) == ["main", "other", "with/upstream"]
    assert (found["other"].ahead, found["other"].behind) == (0, 1)
    assert (found["main"].ahead, found["main"].behind) == (0, 0)
    assert found["main"].current
    assert found["main"].checked_out is not None
    assert found["with/upstream"].upstream == "main"
    assert found["main"].committed_at.tzinfo is not None
    assert branches.list_branches(of(begun))[0].ahead is None


def test_before_the_first_commit_there_are_no_branches(tree: WorkTree) -> None:
    assert branches.list_branches(of(tree)) == []


def test_a_branch_that_only_a_remote_has_becomes_ours(begun: WorkTree, tmp_path: Path) -> None:
    begun.git("clone", "--quiet", str(begun.root), str(tmp_path / "clone"))
    clone = Repository(tmp_path / "clone")
    branches.switch(clone, "other")
    assert clone.branches() == ["main", "other"]
    listed = {branch.name: branch.upstream for branch in branches.list_branches(clone)}
    assert listed["other"] == "origin/other"
