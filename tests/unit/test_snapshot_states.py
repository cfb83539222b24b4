"""A snapshot in every state that a repository, a work tree or a file can be in."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.work_trees import WorkTree, contents, forget_settings, untouched
from workbench.errors import GitError
from workbench.git.snapshots import (
    checkout_snapshot,
    executed_path,
    extend_snapshot,
    list_snapshots,
    read_file,
    snapshot_diff,
    take_snapshot,
)


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_settings(tmp_path / "home", monkeypatch)


@pytest.fixture
def tree(tmp_path: Path) -> WorkTree:
    """A repository without a commit."""
    tree = WorkTree(tmp_path / "project é", tmp_path / "state")
    tree.root.mkdir()
    tree.git("init", "--quiet", "--initial-branch=main")
    return tree


@pytest.fixture
def begun(tree: WorkTree) -> WorkTree:
    """A repository with one commit of two files."""
    tree.write("train.py", "train()\n")
    tree.write("library/helpers.py", "helpers = 1\n")
    tree.commit("Begin")
    return tree


def left_out(tree: WorkTree, **options: object) -> dict[str, str]:
    return {file.path: file.reason for file in tree.take(**options).left_out}


def same(tree: WorkTree) -> None:
    """Check that the snapshot brings back what is in the work tree."""
    assert contents(tree.bring_back()) == contents(tree.root)


# The branch


def test_before_the_first_commit(tree: WorkTree) -> None:
    tree.write("staged.py")
    tree.git("add", "staged.py")
    tree.write("new.py")
    snapshot = tree.take()
    assert (snapshot.base, snapshot.dirty) == (None, True)
    assert snapshot.changed == ["new.py", "staged.py"]
    same(tree)


def test_nothing_at_all(tree: WorkTree) -> None:
    snapshot = tree.take()
    assert (snapshot.base, snapshot.dirty, snapshot.changed) == (None, False, [])
    assert contents(tree.bring_back()) == {}


def test_a_detached_head(begun: WorkTree) -> None:
    begun.git("checkout", "--quiet", "--detach")
    begun.write("train.py", "train(2)\n")
    assert begun.take().changed == ["train.py"]
    same(begun)


def make_conflict(tree: WorkTree) -> None:
    tree.git("checkout", "--quiet", "-b", "other")
    tree.write("train.py", "theirs()\n")
    tree.git("rm", "--quiet", "library/helpers.py")
    tree.commit()
    tree.git("checkout", "--quiet", "main")
    tree.write("train.py", "ours()\n")
    tree.write("library/helpers.py", "helpers = 2\n")
    tree.commit()


@pytest.mark.parametrize("step", ["merge", "rebase", "cherry-pick"])
def test_a_conflict_that_is_not_resolved(begun: WorkTree, step: str) -> None:
    make_conflict(begun)
    begun.git(step, "other", check=False)
    assert begun.git("ls-files", "--unmerged")
    snapshot = begun.take()
    assert "train.py" in snapshot.changed
    assert begun.git("ls-files", "--unmerged")
    same(begun)


def test_a_conflict_in_a_file_that_is_too_large_stays_as_the_commit_has_it(
    begun: WorkTree,
) -> None:
    make_conflict(begun)
    begun.git("merge", "other", check=False)
    assert left_out(begun, limit_file=12)["train.py"].startswith("larger than")
    assert (begun.bring_back() / "train.py").read_text() == "ours()\n"


def test_a_shallow_clone(begun: WorkTree, tmp_path: Path) -> None:
    begun.write("train.py", "more()\n")
    begun.commit()
    begun.git("clone", "--quiet", "--depth=1", f"file://{begun.root}", str(tmp_path / "clone"))
    clone = WorkTree(tmp_path / "clone", begun.state)
    clone.write("new.py")
    assert clone.take().changed == ["new.py"]
    same(clone)


# The repository


def test_a_linked_work_tree_shares_its_snapshots(begun: WorkTree, tmp_path: Path) -> None:
    begun.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    linked = WorkTree(tmp_path / "linked", begun.state)
    linked.write("train.py", "linked()\n")
    assert linked.take().changed == ["train.py"]
    assert (begun.bring_back() / "train.py").read_text() == "linked()\n"


def test_a_linked_work_tree_among_the_records_is_not_taken_for_them(tmp_path: Path) -> None:
    tree = WorkTree(tmp_path / "p", tmp_path / "p" / ".workbench")
    tree.root.mkdir()
    tree.git("init", "--quiet")
    tree.commit()
    tree.git("worktree", "add", "--quiet", str(tree.state / "tree"))
    linked = WorkTree(tree.state / "tree", tree.state)
    linked.write("new.py")
    assert linked.take().changed == ["new.py"]
    assert tree.take("other").changed == []  # while the project's doesn't hold its records


def test_a_work_tree_apart_from_its_repository(begun: WorkTree) -> None:
    apart = begun.root.parent / "apart.git"
    begun.git("init", "--quiet", f"--separate-git-dir={apart}")
    begun.write("new.py")
    assert begun.take().changed == ["new.py"]
    same(begun)


def test_a_project_in_a_folder_of_a_larger_repository(begun: WorkTree) -> None:
    project = WorkTree(begun.root / "projects" / "one", begun.state)
    project.write("run.py")
    begun.write("library/helpers.py", "helpers = 2\n")
    begun.write("library/new.py")
    snapshot = project.take()
    assert snapshot.folder == "projects/one"
    assert snapshot.changed == ["../../library/helpers.py", "../../library/new.py", "run.py"]
    assert contents(project.bring_back(name="../../back")) == contents(begun.root)


def test_a_repository_around_that_ignores_the_project_is_not_its_own(begun: WorkTree) -> None:
    begun.write(".gitignore", "*\n!.gitignore\n")
    begun.commit()
    project = WorkTree(begun.root / "projects" / "one", begun.state)
    project.write("run.py")
    snapshot = project.take()
    assert (snapshot.base, snapshot.folder, snapshot.changed) == (None, "", ["run.py"])


def test_a_bare_repository_has_no_work_tree(begun: WorkTree, tmp_path: Path) -> None:
    begun.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    bare = WorkTree(tmp_path / "bare.git" / "project", begun.state)
    bare.write("run.py")
    snapshot = bare.take()
    assert (snapshot.base, snapshot.changed) == (None, ["run.py"])
    assert "work tree" in snapshot.notes[0]


def test_somebody_elses_repository(begun: WorkTree, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git refuses it, for its settings could run anything; the code is kept all the same."""
    before = list_snapshots(begun.root, begun.state)
    with monkeypatch.context() as patch:
        patch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
        snapshot = begun.take()
        assert "dubious ownership" in snapshot.notes[0]
        assert "safe.directory" in snapshot.notes[0]
        assert snapshot.changed == ["library/helpers.py", "train.py"]
        same(begun)
    assert (before, list_snapshots(begun.root, begun.state)) == ([], ["run"])


def test_a_repository_whose_settings_are_broken(begun: WorkTree) -> None:
    begun.write(".git/config", "[core\n")
    snapshot = begun.take()
    assert "bad config" in snapshot.notes[0]
    same(begun)


@contextmanager
def bound_by_permissions(folder: Path) -> Iterator[None]:
    """Be somebody whom permission bits bind, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkTree]:
    """A repository in a folder that everybody can reach, with one commit of one file."""
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setenv("HOME", name)
        monkeypatch.setenv("XDG_CONFIG_HOME", name)
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", f"{name}/.gitconfig")
        tree = WorkTree(Path(name) / "project", Path(name) / "state")
        tree.root.mkdir()
        tree.state.mkdir()
        tree.git("init", "--quiet")
        tree.write("train.py")
        tree.commit()
        yield tree


def test_a_repository_that_cannot_be_written_to(elsewhere: WorkTree) -> None:
    repository = elsewhere.root / ".git"
    with bound_by_permissions(elsewhere.root.parent):
        for folder, bits in ((repository, 0o555), (repository / "objects", 0o555)):
            for mode, step in ((bits, "close"), (0o755, "open")):
                folder.chmod(mode)
                if step == "close":
                    elsewhere.write("new.py", f"in {folder}")
                    with pytest.raises(GitError, match=r"can't be written|permission"):
                        take_snapshot(elsewhere.root, elsewhere.state, "run")
        assert elsewhere.take().changed == ["new.py"]


def test_records_that_cannot_be_written_to(elsewhere: WorkTree) -> None:
    shutil.rmtree(elsewhere.root / ".git")
    with bound_by_permissions(elsewhere.root.parent):
        elsewhere.state.chmod(0o555)
        with pytest.raises(GitError, match="snapshots have no place"):
            take_snapshot(elsewhere.root, elsewhere.state, "run")
        elsewhere.state.chmod(0o755)


def test_an_index_that_somebody_holds(begun: WorkTree) -> None:
    (begun.root / ".git" / "index.lock").touch()
    begun.write("train.py", "train(2)\n")
    assert begun.take().changed == ["train.py"]


def test_settings_that_would_get_in_the_way(begun: WorkTree) -> None:
    hook = begun.write(".git/hooks/reference-transaction", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    settings = {
        "commit.gpgSign": "true",
        "user.signingKey": "nobody",
        "core.splitIndex": "true",
        "core.fsmonitor": "false-program",
        "core.safecrlf": "true",
        "core.autocrlf": "input",
        "status.showUntrackedFiles": "no",
        "status.relativePaths": "true",
        "color.ui": "always",
        "diff.noprefix": "true",
        "log.showSignature": "true",
        "core.quotePath": "true",
    }
    for key, value in settings.items():
        begun.git("config", key, value)
    begun.write("new.py", "a\r\nb\n")
    assert begun.take().changed == ["new.py"]
    assert (begun.bring_back() / "new.py").read_bytes() == b"a\nb\n"  # as a commit would have it


def test_a_sparse_checkout_keeps_what_is_not_in_the_work_tree(begun: WorkTree) -> None:
    whole = contents(begun.root)
    begun.git("sparse-checkout", "set", "--cone", "--sparse-index", "other")
    assert not (begun.root / "library").exists()
    assert begun.take().changed == []
    assert contents(begun.bring_back()) == whole
    begun.write("library/helpers.py", "back here\n")
    assert begun.take("later").changed == ["library/helpers.py"]


@pytest.mark.parametrize("option", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_was_told_not_to_look_at(begun: WorkTree, option: str) -> None:
    begun.git("update-index", option, "train.py")
    begun.write("train.py", "train(mine=True)\n")
    assert begun.take().changed == ["train.py"]
    same(begun)


# The index


def test_what_is_staged_counts_as_it_is_in_the_work_tree(begun: WorkTree) -> None:
    begun.write("both.py", "staged\n")
    begun.git("add", "both.py")
    begun.write("both.py", "and changed since\n")
    begun.write("gone.py")
    begun.git("add", "gone.py")
    (begun.root / "gone.py").unlink()
    begun.git("rm", "--quiet", "--cached", "train.py")  # and it is still there
    begun.git("add", "--intent-to-add", begun.write("meant.py").name)
    begun.git("mv", "library/helpers.py", "moved.py")
    tree = begun.take()
    assert "train.py" in tree.changed
    same(begun)


def test_a_change_right_after_the_index_was_written_is_seen(begun: WorkTree) -> None:
    for number in range(20):
        begun.write("train.py", f"train({number:02})\n")
        begun.git("add", "train.py")
        begun.write("train.py", f"train({number + 50:02})\n")
        begun.take(f"run{number}")
        back = begun.bring_back(f"run{number}", f"back{number}")
        assert (back / "train.py").read_text() == f"train({number + 50:02})\n"


def test_an_index_that_is_broken_is_done_without(begun: WorkTree) -> None:
    begun.write(".git/index", b"DIRC broken")
    begun.write("train.py", "train(2)\n")
    begun.write("new.py")
    assert begun.take().changed == ["new.py", "train.py"]
    same(begun)


def test_a_file_becomes_a_folder_and_a_folder_a_file(begun: WorkTree) -> None:
    (begun.root / "train.py").unlink()
    begun.write("train.py/step.py")
    shutil.rmtree(begun.root / "library")
    begun.write("library", "a file now\n")
    begun.take()
    same(begun)


def test_a_folder_becomes_a_link_to_one(begun: WorkTree) -> None:
    (begun.root / "library").rename(begun.root.parent / "library")
    (begun.root / "library").symlink_to("../library")
    begun.take()
    same(begun)


# Files


def test_names_of_all_sorts(begun: WorkTree) -> None:
    for name in (
        "-dash",
        "with space",
        "line\nbreak",
        'quo"te',
        "back\\slash",
        "*",
        ":(top)x",
        "é",
    ):
        begun.write(name, name)
        begun.write(f"library/{name}/{name}", name)
    Path(os.fsdecode(os.fsencode(begun.root) + b"/not \xff utf-8")).write_text("x")
    snapshot = begun.take()
    assert "not � utf-8" in snapshot.changed
    assert "line\nbreak" in snapshot.changed
    same(begun)


def test_names_that_git_does_not_take(begun: WorkTree) -> None:
    begun.write("git~1")  # on some systems another name of .git
    begun.write("new.py")
    (begun.root / "folder").mkdir()
    (begun.root / "folder" / ".gitmodules").symlink_to("x")
    snapshot = begun.take()
    assert snapshot.changed == ["new.py"]
    assert {file.path: file.reason for file in snapshot.left_out} == {
        "git~1": "Git doesn't take a file of this name",
        "folder/.gitmodules": "Git doesn't take a file of this name",
    }
    assert (begun.bring_back() / "new.py").exists()


@pytest.mark.parametrize("under_git", [True, False])
def test_a_folder_whose_name_is_odd(tmp_path: Path, *, under_git: bool) -> None:
    top = tmp_path / 'a "line"\nbreak: \\ \udcff'
    tree = WorkTree(top / "project", top / "state\n")
    tree.write("train.py")
    tree.take("before", notebook=("x\n.ipynb", b"x"))
    if under_git:
        tree.git("init", "--quiet")
        tree.commit()
        tree.write("train.py", "newer\n")
    tree.take("after")
    extend_snapshot(tree.root, tree.state, "after", {"a\nb": b"added"})
    path = executed_path("a\nb")
    assert read_file(tree.root, tree.state, "after", path) == b"added"
    diff = snapshot_diff(tree.root, tree.state, "before", "after")
    assert ("+newer" in diff.splitlines()) == under_git


def test_a_hook_that_starts_a_run_does_not_lead_it_astray(
    begun: WorkTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = WorkTree(tmp_path / "other", begun.state)
    other.write("other.py")
    other.git("init", "--quiet")
    begun.write("new.py")
    with monkeypatch.context() as patch:
        patch.setenv("GIT_DIR", str(other.root / ".git"))
        patch.setenv("GIT_INDEX_FILE", "index of a commit")
        patch.setenv("GIT_WORK_TREE", str(other.root))
        snapshot = take_snapshot(begun.root, begun.state, "run")
    assert snapshot.changed == ["new.py"]


def test_links_and_programs(begun: WorkTree) -> None:
    (begun.root / "to a file").symlink_to("train.py")
    (begun.root / "to a folder").symlink_to("library")
    (begun.root / "to nowhere").symlink_to("/nowhere at all")
    (begun.root / "train.py").chmod(0o755)
    begun.write("script.sh").chmod(0o755)
    begun.take()
    same(begun)


def test_what_is_no_file_is_left_out(begun: WorkTree) -> None:
    os.mkfifo(begun.root / "pipe")
    (begun.root / "train.py").unlink()
    os.mkfifo(begun.root / "train.py")
    with socket.socket(socket.AF_UNIX) as listener, pytest.MonkeyPatch.context() as patch:
        patch.chdir(begun.root)
        listener.bind("socket")
        snapshot = begun.take()
    assert {file.path for file in snapshot.left_out} <= {"train.py", "pipe", "socket"}
    assert "library/helpers.py" in [path.decode() for path in contents(begun.bring_back())]


def test_a_file_that_cannot_be_read_is_left_out(elsewhere: WorkTree) -> None:
    elsewhere.write("secret.key")
    elsewhere.write("new.py")
    with bound_by_permissions(elsewhere.root.parent):
        (elsewhere.root / "secret.key").chmod(0)
        (elsewhere.root / "train.py").write_text("changed")
        (elsewhere.root / "train.py").chmod(0)
        snapshot = take_snapshot(elsewhere.root, elsewhere.state, "run")
        assert {file.path for file in snapshot.left_out} == {"secret.key", "train.py"}
        assert all("read" in file.reason for file in snapshot.left_out)
        assert snapshot.changed == ["new.py"]


def test_files_that_change_while_they_are_read(begun: WorkTree) -> None:
    done = threading.Event()
    churned = [begun.root / f"churned-{number}.txt" for number in range(4)]

    def churn() -> None:
        number = 0
        while not done.is_set():
            number += 1
            churned[0].write_bytes(os.urandom(200_000))
            churned[1].write_bytes(b"x" * (number % 7) * 50_000)
            churned[2].write_text("here and gone")
            churned[2].unlink()
            with churned[3].open("a") as log:
                log.write("a line\n")

    begun.write("churned-1.txt", "tracked")
    begun.commit()
    begun.write("steady.py")
    writer = threading.Thread(target=churn)
    writer.start()
    try:
        for number in range(8):
            take_snapshot(begun.root, begun.state, f"run{number}")
    finally:
        done.set()
        writer.join()
    for number in range(8):
        back = begun.bring_back(f"run{number}", f"back{number}")
        assert (back / "steady.py").exists()
    begun.git("fsck", "--strict")


def test_a_file_whose_encoding_is_declared_wrongly_is_kept_as_it_is(begun: WorkTree) -> None:
    begun.write(".gitattributes", "*.u16 working-tree-encoding=UTF-16\n")
    begun.write("wrong.u16", "not UTF-16 at all")
    for number in range(9):
        begun.write(f"new{number}.py")
    snapshot = begun.take()
    assert len(snapshot.changed) == 11
    assert begun.git("show", f"{snapshot.commit}:wrong.u16") == "not UTF-16 at all"


# Other repositories in it


def test_a_submodule_is_its_commit(begun: WorkTree, tmp_path: Path) -> None:
    other = WorkTree(tmp_path / "other", begun.state)
    other.root.mkdir()
    other.git("init", "--quiet")
    other.write("module.py")
    other.commit()
    allowed = ("-c", "protocol.file.allow=always")
    begun.git(*allowed, "submodule", "add", "--quiet", str(other.root), "sub module")
    begun.commit()
    assert begun.take("clean").dirty is False

    inner = WorkTree(begun.root / "sub module", begun.state)
    inner.write("module.py", "newer\n")
    assert left_out(begun, run_id="dirty") == {
        "sub module": "a submodule with changes of its own: only its commit is recorded"
    }
    inner.commit()
    snapshot = begun.take("moved")
    assert (snapshot.changed, snapshot.left_out) == (["sub module"], [])
    recorded = begun.git("rev-parse", f"{snapshot.commit}:sub module")
    assert recorded == inner.git("rev-parse", "HEAD")
    assert (begun.bring_back("moved") / "sub module").is_dir()
    assert inner.take("inside").changed == []  # a submodule can be the project too


def test_a_repository_inside_is_left_out(begun: WorkTree) -> None:
    for name in ("with a commit", "without one"):
        inner = WorkTree(begun.root / name, begun.state)
        inner.write("x.py")
        inner.git("init", "--quiet")
        if name == "with a commit":
            inner.commit()
    begun.write("new.py")
    assert left_out(begun) == {
        "with a commit/": "a repository of its own",
        "without one/": "a repository of its own",
    }


def test_a_virtual_environment_that_nobody_ignores_is_left_out(begun: WorkTree) -> None:
    begun.write("my env/pyvenv.cfg")
    begun.write("my env/lib/python3/site-packages/package.py")
    begun.write("new.py")
    snapshot = begun.take()
    assert snapshot.changed == ["new.py"]
    assert [(file.path, file.reason) for file in snapshot.left_out] == [
        ("my env/", "a virtual environment")
    ]


# Content filters, Git LFS among them


@pytest.fixture
def filtered(begun: WorkTree) -> WorkTree:
    """A repository with a filter that stores a pointer in place of the content."""
    begun.git("config", "filter.lfs.clean", "sed 's/^/pointer to /'")
    begun.git("config", "filter.lfs.smudge", "sed 's/^pointer to //'")
    begun.git("config", "filter.lfs.required", "true")
    begun.write(".gitattributes", "*.bin filter=lfs\n")
    begun.write("model.bin", "weights\n")
    begun.commit()
    return begun


def test_a_filter_runs_as_for_a_commit(filtered: WorkTree) -> None:
    filtered.write("model.bin", "new weights\n")
    snapshot = filtered.take()
    assert snapshot.changed == ["model.bin"]
    assert filtered.git("show", f"{snapshot.commit}:model.bin") == "pointer to new weights\n"
    same(filtered)


@pytest.mark.parametrize("required", ["true", "false"])
@pytest.mark.parametrize("command", ["no-such-program", "false"])
def test_a_filter_that_fails_is_done_without(
    filtered: WorkTree, command: str, required: str
) -> None:
    for step in ("clean", "smudge"):
        filtered.git("config", f"filter.lfs.{step}", command)
    filtered.git("config", "filter.lfs.required", required)
    filtered.write("model.bin", "new weights\n")
    filtered.write("other.bin", "others\n")
    snapshot = filtered.take()
    assert snapshot.changed == ["model.bin", "other.bin"]
    assert "filter" in snapshot.notes[0]
    assert filtered.git("show", f"{snapshot.commit}:model.bin") == "new weights\n"


def test_without_the_program_pointers_come_back(filtered: WorkTree) -> None:
    filtered.take()
    filtered.git("config", "filter.lfs.process", "no-such-program")
    back = filtered.root.parent / "pointers"
    checked_out = checkout_snapshot(filtered.root, filtered.state, "run", back)
    assert (back / "model.bin").read_text() == "pointer to weights\n"
    assert (back / "train.py").read_text() == "train()\n"
    assert "filter" in checked_out.notes[0]


# Git isn't there, or has been


def test_no_repository(tmp_path: Path) -> None:
    tree = WorkTree(tmp_path / "project", tmp_path / "project" / ".work bench")
    junk = (".venv/x.py", "__pycache__/x.pyc", "a/node_modules/x.js", ".work bench/mlflow.db")
    for path in ("train.py", "data/small.csv", "notes.txt", *junk):
        tree.write(path)
    tree.write(".gitignore", "*.csv\n")
    snapshot = take_snapshot(tree.root, tree.state, "run")
    assert (snapshot.base, snapshot.notes) == (None, [])
    assert snapshot.changed == [".gitignore", "notes.txt", "train.py"]

    tree.write("train.py", "newer\n")
    tree.write(".gitignore", "notes.txt\n")  # which an earlier snapshot had
    (tree.root / "a").rename(tree.root / "b")
    later = take_snapshot(tree.root, tree.state, "later")
    assert later.changed == [".gitignore", "data/small.csv", "train.py"]
    assert (tree.bring_back("later") / "train.py").read_text() == "newer\n"
    assert (tree.bring_back("run", "first") / "train.py").read_text() == "text\n"
    assert not (tree.root / ".git").exists()


def test_no_repository_and_limits(tmp_path: Path) -> None:
    tree = WorkTree(tmp_path / "project", tmp_path / "state")
    for number in range(9):
        tree.write(f"data{number}.csv", str(number) * 1000)
    tree.write("train.py")
    for number in range(4):  # what one has left out doesn't come in by and by
        snapshot = tree.take(f"run{number}", limit_total=4100)
        assert len(snapshot.changed) == 5
        assert len(snapshot.left_out) == 5


def test_a_project_comes_under_git_after_its_first_run(tmp_path: Path) -> None:
    tree = WorkTree(tmp_path / "project", tmp_path / "state")
    tree.write("train.py", "first\n")
    tree.take("before")
    tree.git("init", "--quiet")
    tree.write("train.py", "second\n")
    tree.commit()
    tree.take("after")
    assert list_snapshots(tree.root, tree.state) == ["after", "before"]
    assert (tree.bring_back("before") / "train.py").read_text() == "first\n"


def test_no_git_at_all(begun: WorkTree, monkeypatch: pytest.MonkeyPatch) -> None:
    before = untouched(begun.root)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "")
        with pytest.raises(GitError, match="not installed"):
            take_snapshot(begun.root, begun.state, "run")
    assert untouched(begun.root) == before


def test_garbage_collection_leaves_snapshots_alone(begun: WorkTree) -> None:
    begun.write("new.py", "precious\n")
    begun.take()
    (begun.root / "new.py").unlink()
    begun.git("gc", "--quiet", "--prune=now")
    assert (begun.bring_back() / "new.py").read_text() == "precious\n"


def test_the_modes_of_what_comes_back_are_a_users_own(begun: WorkTree) -> None:
    begun.take()
    back = begun.bring_back()
    made = begun.root.parent / "made"
    made.mkdir()
    assert stat.S_IMODE(back.stat().st_mode) == stat.S_IMODE(made.stat().st_mode)
    with suppress(subprocess.SubprocessError):
        made.rmdir()
