"""Git as people use it: every state of a repository, and nothing of theirs touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from workbench.errors import GitError, UsageError
from workbench.git.command import run_git
from workbench.git.repository import Repository

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without any settings of Git, whatever there is on this machine."""
    for name in list(os.environ):
        if name.startswith("GIT_") or name == "EMAIL":
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "repository é"


@pytest.fixture
def git(root: Path) -> Git:
    """Git itself, in the repository's folder, as somebody with a name."""

    def run(*arguments: str, cwd: Path = root, check: bool = True) -> str:
        command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *arguments]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def repository(root: Path) -> Repository:
    return Repository.init(root)


@pytest.fixture
def begun(repository: Repository) -> Repository:
    """A repository with one commit of three files."""
    for name in ("a.txt", "b.txt", "c.txt"):
        (repository.root / name).write_text(f"{name}\n" * 9)
    repository.commit(["."], "Begin")
    return repository


def states(repository: Repository) -> dict[str, str]:
    return {file.path: file.state for file in repository.status().changed}


# Status


def test_outside_git_there_is_no_branch_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    for folder in (tmp_path, tmp_path / "not there", tmp_path / "a file"):
        repository = Repository(folder)
        assert not repository.exists
        status = repository.status()
        assert (status.branch, status.commit, status.detached) == (None, None, False)
        assert status.changed == []
        for paths in (["."], ["a file"], []):
            with pytest.raises(GitError, match="not a Git repository; `git init` makes it one"):
                repository.commit(paths, "x")


def test_before_the_first_commit_there_is_a_branch(repository: Repository) -> None:
    with pytest.raises(GitError, match=r"nothing to commit: \.: no files there"):
        repository.commit(["."], "x")
    (repository.root / "a.txt").write_text("a")
    status = repository.status()
    assert repository.exists
    assert (status.branch, status.commit, status.detached) == ("main", None, False)
    assert states(repository) == {"a.txt": "untracked"}


def test_a_clean_tree_is_at_its_commit(begun: Repository, git: Git) -> None:
    status = begun.status()
    assert (status.branch, status.detached, status.changed) == ("main", False, [])
    assert status.commit == git("rev-parse", "HEAD").strip()


def test_a_detached_head_has_a_commit_and_no_branch(begun: Repository, git: Git) -> None:
    git("checkout", "--detach")
    status = begun.status()
    assert (status.branch, status.detached) == (None, True)
    assert status.commit == git("rev-parse", "HEAD").strip()


def test_a_file_is_in_the_state_that_it_has_since_the_last_commit(
    begun: Repository, git: Git
) -> None:
    root = begun.root
    (root / "a.txt").write_text("changed")
    (root / "b.txt").unlink()
    git("mv", "c.txt", "moved.txt")
    (root / "staged.txt").write_text("new")
    (root / "staged and changed.txt").write_text("new")
    git("add", "staged.txt", "staged and changed.txt")
    (root / "staged and changed.txt").write_text("newer")
    (root / "with space é\t\n.txt").write_text("x")
    (root / "folder").mkdir()
    (root / "folder" / "x.txt").write_text("x")
    assert states(begun) == {
        "a.txt": "modified",
        "b.txt": "deleted",
        "moved.txt": "renamed",
        "staged.txt": "added",
        "staged and changed.txt": "added",
        "with space é\t\n.txt": "untracked",
        "folder/": "untracked",
    }
    git("add", "--all")
    assert states(begun)["b.txt"] == "deleted"
    assert states(begun)["a.txt"] == "modified"
    assert states(begun)["with space é\t\n.txt"] == "added"


def test_the_old_name_of_a_renamed_file_is_not_taken_for_another_file(
    begun: Repository, git: Git
) -> None:
    (begun.root / "? old.txt").write_text("some text")
    begun.commit(["? old.txt"], "A name like a line of Git's own")
    git("mv", "? old.txt", "new.txt")
    assert states(begun) == {"new.txt": "renamed"}


def test_changed_files_are_listed_by_name(begun: Repository) -> None:
    for name in ("z", "b.txt", "A", "é"):
        (begun.root / name).write_text("x")
    assert [file.path for file in begun.status().changed] == ["A", "b.txt", "z", "é"]


def test_ignored_files_are_no_change(begun: Repository) -> None:
    (begun.root / ".gitignore").write_text("*.tmp\n")
    (begun.root / "x.tmp").write_text("x")
    assert states(begun) == {".gitignore": "untracked"}


def test_a_name_that_is_not_utf8_can_still_be_shown(begun: Repository) -> None:
    (Path(os.fsdecode(os.fsencode(begun.root) + b"/caf\xe9.txt"))).write_text("x")
    assert states(begun) == {"caf\ufffd.txt": "untracked"}
    assert "caf" in begun.status().model_dump_json()


@pytest.fixture
def conflict(begun: Repository, git: Git) -> Repository:
    """A merge that stopped at a conflict in a.txt."""
    git("checkout", "-b", "other")
    (begun.root / "a.txt").write_text("theirs\n")
    git("commit", "-am", "theirs")
    git("checkout", "main")
    (begun.root / "a.txt").write_text("ours\n")
    git("commit", "-am", "ours")
    git("merge", "other", check=False)
    return begun


def test_a_conflict_is_seen(conflict: Repository) -> None:
    assert states(conflict) == {"a.txt": "unmerged"}
    assert conflict.status().branch == "main"


def test_nothing_is_committed_into_a_conflict(conflict: Repository, git: Git) -> None:
    before = git("rev-parse", "HEAD")
    (conflict.root / "b.txt").write_text("changed")
    with pytest.raises(GitError, match=r"a merge is under way .*`git merge --abort`"):
        conflict.commit(["b.txt"], "x")
    assert git("rev-parse", "HEAD") == before
    assert states(conflict)["a.txt"] == "unmerged"


# A project that is a folder of a larger repository


@pytest.fixture
def inner(begun: Repository) -> Repository:
    folder = begun.root / "ml" / "project"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("inner")
    begun.commit(["ml"], "A project in a folder")
    return Repository(folder)


def test_the_paths_of_an_inner_project_are_its_own(
    inner: Repository, begun: Repository, git: Git
) -> None:
    (begun.root / "b.txt").write_text("somebody else's")
    (inner.root / "a.txt").write_text("changed")
    (inner.root / "new.txt").write_text("new")
    git("mv", "a.txt", "moved.txt")
    assert states(inner) == {"a.txt": "modified", "new.txt": "untracked"}
    inner.commit(["a.txt", "new.txt"], "Inside")
    assert git("show", "--name-only", "--format=", "HEAD").split() == [
        "ml/project/a.txt",
        "ml/project/new.txt",
    ]
    assert states(inner) == {}
    assert states(begun) == {"b.txt": "modified", "moved.txt": "renamed"}


def test_an_inner_project_that_was_never_committed_is_one_untracked_thing(
    begun: Repository,
) -> None:
    folder = begun.root / "new project"
    folder.mkdir()
    (folder / "workbench.toml").write_text("")
    assert states(Repository(folder)) == {".": "untracked"}


def test_a_work_tree_of_an_inner_project_is_at_its_folder(
    inner: Repository, tmp_path: Path, git: Git
) -> None:
    with inner.worktree("trial", tmp_path / "tree") as there:
        assert (there.root / "a.txt").read_text() == "inner"
        (there.root / "a.txt").write_text("there")
        there.commit(["a.txt"], "There")
    assert git("show", "trial:ml/project/a.txt") == "there"


# Commit


def test_a_commit_has_the_given_paths_and_nothing_else(begun: Repository, git: Git) -> None:
    (begun.root / "a.txt").write_text("mine")
    (begun.root / "b.txt").write_text("staged by the user")
    (begun.root / "c.txt").write_text("changed by the user")
    (begun.root / "new.txt").write_text("staged by the user")
    git("add", "b.txt", "new.txt")
    commit = begun.commit(["a.txt"], "Only this\n\nAnd why.")
    assert commit == git("rev-parse", "HEAD").strip()
    assert git("show", "--name-only", "--format=", "HEAD").split() == ["a.txt"]
    assert git("show", "--no-patch", "--format=%B", "HEAD").strip() == "Only this\n\nAnd why."
    assert git("status", "--porcelain").splitlines() == ["M  b.txt", " M c.txt", "A  new.txt"]


def test_files_deleted_by_hand_or_by_git_can_be_committed(begun: Repository, git: Git) -> None:
    (begun.root / "a.txt").unlink()
    git("rm", "b.txt")
    begun.commit(["a.txt", "b.txt"], "Gone")
    assert git("ls-files").split() == ["c.txt"]
    assert states(begun) == {}


def test_a_path_is_a_name_not_a_pattern(begun: Repository, git: Git) -> None:
    for name in ("n1.txt", "n[1].txt", "-n.txt", ":top.txt"):
        (begun.root / name).write_text("x")
    begun.commit(["n[1].txt", "-n.txt", ":top.txt"], "x")
    assert states(begun) == {"n1.txt": "untracked"}
    with pytest.raises(GitError, match=r"did not match any file"):
        begun.commit(["*.txt"], "x")


def test_a_commit_without_changes_or_of_a_missing_path_is_refused(
    begun: Repository, git: Git
) -> None:
    before = git("rev-parse", "HEAD")
    with pytest.raises(GitError, match="nothing to commit"):
        begun.commit(["a.txt"], "x")
    with pytest.raises(GitError, match=r"no\.txt.* did not match any file"):
        begun.commit(["no.txt"], "x")
    assert git("rev-parse", "HEAD") == before


def author(git: Git) -> list[str]:
    return git("log", "-1", "--format=%an <%ae>%n%cn <%ce>").splitlines()


def test_somebody_without_an_email_gets_a_commit_that_says_so(begun: Repository, git: Git) -> None:
    assert author(git) == ["Workbench <workbench@localhost>"] * 2


def test_the_users_own_name_is_used_wherever_it_is_set(
    begun: Repository, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def committed() -> list[str]:
        begun.commit([next_file(begun)], "x")
        return author(git)

    # GitPython doesn't know of GIT_CONFIG_GLOBAL, Git does.
    config = tmp_path / "elsewhere.ini"
    config.write_text("[user]\n\tname = Grace\n\temail = grace@example.org\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert committed() == ["Grace <grace@example.org>"] * 2
    git("config", "user.email", "grace@work.example.org")
    assert committed() == ["Grace <grace@work.example.org>"] * 2
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "env@example.org")
    assert committed() == ["Grace <env@example.org>", "Grace <grace@work.example.org>"]


def test_an_author_in_the_environment_alone_is_enough(
    begun: Repository, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Env")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "env@example.org")
    begun.commit([next_file(begun)], "x")
    assert author(git) == ["Env <env@example.org>", "Workbench <workbench@localhost>"]


def next_file(repository: Repository) -> str:
    name = f"new {len(list(repository.root.iterdir()))}.txt"
    (repository.root / name).write_text("x")
    return name


COMMIT = """
import os, sys
from pathlib import Path
from workbench.git import Repository
root = Path(sys.argv[1])
children = []
for name in range(8):  # forked here, for each would take a second to start
    child = os.fork()
    if child == 0:
        for number in range(4):
            (root / f"p{name}-{number}.txt").write_text("x")
            Repository(root).commit([f"p{name}-{number}.txt"], f"p{name} {number}")
        os._exit(0)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


def test_eight_processes_that_commit_at_once_lose_nothing(begun: Repository, git: Git) -> None:
    subprocess.run([sys.executable, "-c", COMMIT, begun.root], check=True)
    assert states(begun) == {}
    messages = git("log", "--format=%s", "--reverse").splitlines()
    assert sorted(messages[1:]) == [f"p{one} {two}" for one in range(8) for two in range(4)]
    changed = git("log", "--format=", "--name-only", "HEAD", "--not", "HEAD~32").split()
    assert len(changed) == len(set(changed)) == 32


# Notebooks


def notebook(source: str, text: str = "") -> str:
    outputs = [{"output_type": "stream", "name": "stdout", "text": [text]}] if text else []
    cell = {
        "cell_type": "code",
        "execution_count": 3 if text else None,
        "id": "a",
        "metadata": {"execution": {"iopub.status.busy": "now"}, "tags": ["parameters"]},
        "outputs": outputs,
        "source": [source],
    }
    made = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1)


def test_a_notebook_is_committed_without_outputs_and_left_with_them(
    begun: Repository, git: Git
) -> None:
    file = begun.root / "with space é.ipynb"
    file.write_text(notebook("x = 1", "out"))
    begun.commit(["."], "Notebook")
    assert file.read_text() == notebook("x = 1", "out")
    stored = json.loads(git("show", "HEAD:with space é.ipynb"))
    assert stored["cells"][0]["outputs"] == []
    assert stored["cells"][0]["metadata"] == {"tags": ["parameters"]}
    assert states(begun) == {}
    assert [one.path for one in begun.status(keep_outputs=True).changed] == [file.name]
    file.write_text(notebook("x = 1", "another time"))
    assert states(begun) == {}
    with pytest.raises(GitError, match="nothing to commit"):
        begun.commit([file.name], "x")
    begun.commit([file.name], "With outputs", keep_outputs=True)
    assert "another time" in git("show", "HEAD:with space é.ipynb")
    assert states(begun) == {}
    file.write_text(notebook("x = 2", "out"))
    assert states(begun) == {file.name: "modified"}


def test_a_staged_notebook_is_a_change_whatever_it_has(begun: Repository, git: Git) -> None:
    file = begun.root / "n.ipynb"
    file.write_text(notebook("x = 1"))
    begun.commit(["."], "Notebook")
    file.write_text(notebook("x = 1", "out"))
    git("add", "n.ipynb")
    assert states(begun) == {"n.ipynb": "modified"}
    with pytest.raises(GitError, match="nothing to commit"):
        begun.commit(["n.ipynb"], "x")
    assert git("diff", "--cached", "--name-only") == "n.ipynb\n"


def test_what_only_looks_like_a_notebook_is_committed_as_it_is(begun: Repository, git: Git) -> None:
    (begun.root / "broken.ipynb").write_text("<<<<<<< not JSON")
    (begun.root / "real.ipynb").write_text(notebook("x", "out"))
    (begun.root / "link.ipynb").symlink_to("real.ipynb")
    (begun.root / "folder.ipynb").mkdir()
    (begun.root / "folder.ipynb" / "x").write_text("x")
    begun.commit(["."], "All")
    assert git("show", "HEAD:broken.ipynb") == "<<<<<<< not JSON"
    assert git("show", "HEAD:link.ipynb") == "real.ipynb"
    assert states(begun) == {}


def test_filters_of_a_path_are_applied_to_the_cleaned_notebook(begun: Repository, git: Git) -> None:
    git("config", "filter.upper.clean", "tr a-z A-Z")
    git("config", "filter.upper.smudge", "cat")
    (begun.root / ".gitattributes").write_text("*.ipynb filter=upper\n*.dat filter=upper\n")
    (begun.root / "n.ipynb").write_text(notebook("x = 1", "out"))
    (begun.root / "x.dat").write_text("large")
    begun.commit(["."], "Filtered")
    assert git("show", "HEAD:x.dat") == "LARGE"
    assert "X = 1" in git("show", "HEAD:n.ipynb")
    assert "STDOUT" not in git("show", "HEAD:n.ipynb")
    assert states(begun) == {}


# What is the user's


def test_executable_files_links_and_files_to_be_added_are_as_git_has_them(
    begun: Repository, git: Git
) -> None:
    (begun.root / "run.sh").write_text("x")
    (begun.root / "run.sh").chmod(0o755)
    (begun.root / "link").symlink_to("nowhere")
    (begun.root / "later.txt").write_text("x")
    git("add", "--intent-to-add", "later.txt")
    begun.commit(["run.sh", "link"], "x")
    modes = [line.split()[0] for line in git("ls-tree", "HEAD", "run.sh", "link").splitlines()]
    assert sorted(modes) == ["100755", "120000"]
    assert git("status", "--porcelain") == " A later.txt\n"
    begun.commit(["later.txt"], "Later")
    assert states(begun) == {}


def test_a_staged_and_then_changed_file_gives_no_way_to_another_ones_commit(
    begun: Repository, git: Git
) -> None:
    (begun.root / "a.txt").write_text("staged")
    git("add", "a.txt")
    (begun.root / "a.txt").write_text("and changed")
    before = git("ls-files", "--stage", "a.txt")
    (begun.root / "b.txt").write_text("mine")
    begun.commit(["b.txt"], "x")
    assert git("ls-files", "--stage", "a.txt") == before
    assert git("status", "--porcelain") == "MM a.txt\n"


def test_a_folder_takes_the_place_of_a_file(begun: Repository, git: Git) -> None:
    (begun.root / "a.txt").unlink()
    (begun.root / "a.txt").mkdir()
    (begun.root / "a.txt" / "b").write_text("x")
    begun.commit(["a.txt"], "x")
    assert git("ls-files") == "a.txt/b\nb.txt\nc.txt\n"
    assert states(begun) == {}


def test_a_submodule_is_committed_as_a_commit(begun: Repository, git: Git, tmp_path: Path) -> None:
    library = Repository.init(tmp_path / "library")
    (library.root / "n.ipynb").write_text(notebook("x", "out"))
    library.commit(["."], "Library")
    git("-c", "protocol.file.allow=always", "submodule", "add", str(library.root), "sub")
    begun.commit([".gitmodules", "sub"], "Submodule")
    assert git("ls-tree", "HEAD", "sub").startswith("160000 commit ")
    (begun.root / "sub" / "n.ipynb").write_text("changed")
    assert states(begun) == {"sub": "modified"}
    with pytest.raises(GitError, match="nothing to commit"):
        begun.commit(["sub"], "x")
    with pytest.raises(GitError, match="in submodule 'sub'"):
        begun.commit(["sub/n.ipynb"], "x")


def test_hooks_run_and_may_refuse(begun: Repository, git: Git) -> None:
    def hook(name: str, script: str) -> None:
        file = begun.root / ".git" / "hooks" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    head = begun.head
    hook("pre-commit", "git diff --cached --name-only; echo not today; exit 1")
    (begun.root / "b.txt").write_text("staged")
    git("add", "b.txt")
    (begun.root / "a.txt").write_text("mine")
    with pytest.raises(GitError, match=r"the pre-commit hook refused: a.txt\nnot today"):
        begun.commit(["a.txt"], "x")
    assert begun.head == head
    assert git("status", "--porcelain") == " M a.txt\nM  b.txt\n"
    hook("pre-commit", "echo formatted > a.txt; git add a.txt")
    hook("commit-msg", 'echo "Signed" >> "$1"')
    hook("post-commit", "touch done; exit 1")
    begun.commit(["a.txt"], "x")
    assert git("show", "HEAD:a.txt") == "formatted\n"
    assert git("log", "-1", "--format=%B").strip() == "x\nSigned"
    assert (begun.root / "done").exists()
    assert git("status", "--porcelain") == "M  b.txt\n?? done\n"


def test_a_commit_needs_a_message_and_paths(begun: Repository) -> None:
    (begun.root / "a.txt").write_text("x")
    with pytest.raises(GitError, match="needs a message"):
        begun.commit(["a.txt"], " \n")
    with pytest.raises(UsageError, match="no paths to commit"):
        begun.commit([], "x")


def test_a_commit_waits_for_somebody_elses_git(begun: Repository, git: Git) -> None:
    lock = begun.root / ".git" / "index.lock"
    lock.touch()
    (begun.root / "a.txt").write_text("x")
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    begun.commit(["a.txt"], "x")
    timer.join()
    assert states(begun) == {}


@pytest.mark.parametrize("what", ["CHERRY_PICK_HEAD", "REVERT_HEAD"])
def test_what_is_under_way_is_named(begun: Repository, git: Git, what: str) -> None:
    assert begun.head
    (begun.git_dir / what).write_text(begun.head + "\n")
    (begun.root / "a.txt").write_text("x")
    with pytest.raises(GitError, match=r"is under way in .*: end it with `git"):
        begun.commit(["a.txt"], "x")


# Other states


def test_a_bare_repository_says_what_it_lacks(begun: Repository, git: Git, tmp_path: Path) -> None:
    git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    bare = Repository(tmp_path / "bare.git")
    assert bare.exists
    for step in (bare.status, lambda: bare.commit(["a"], "x"), lambda: bare.head):
        with pytest.raises(GitError, match="a bare repository has no files to work on"):
            step()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_repository_of_somebody_else_says_what_to_type(begun: Repository, git: Git) -> None:
    for folder in (begun.root, begun.root / ".git"):
        os.chown(folder, 12345, 12345)
    foreign = Repository(begun.root)
    assert foreign.exists
    said = r"belongs to another user; to trust it: git config --global --add safe.directory "
    for step in (foreign.status, foreign.branches, lambda: foreign.commit(["."], "x")):
        with pytest.raises(GitError, match=said) as caught:
            step()
    command = str(caught.value).partition("to trust it: ")[2]
    subprocess.run(command, shell=True, check=True)
    assert Repository(begun.root).status().branch == "main"


def test_variables_of_a_hook_lead_to_no_other_repository(
    begun: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(begun.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(begun.root / ".git" / "index"))
    assert not Repository(tmp_path).exists
    other = Repository.init(tmp_path / "other")
    (other.root / "x").write_text("x")
    other.commit(["x"], "x")
    assert states(begun) == {}


class Locked(BaseHTTPRequestHandler):
    """A server that wants a password."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_server_that_wants_a_password_gets_none_and_no_one_waits(begun: Repository) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Locked)
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(GitError, match=r"git: .*(Authentication|could not read)"):
            run_git(begun.root, "fetch", f"http://127.0.0.1:{server.server_port}/x.git")
        server.shutdown()


# Branches and work trees


@pytest.mark.parametrize(
    "name",
    ["-f", "--force", "-", "", "a..b", "a b", "a~1", "x.lock", "@{-1}", "HEAD", "a\nb", "/a"],
)
def test_a_name_that_is_no_branch_is_refused(begun: Repository, tmp_path: Path, name: str) -> None:
    with pytest.raises(GitError, match="is not a valid branch name"):
        begun.check_name(name)
    with pytest.raises(GitError), begun.worktree(name, tmp_path / "tree"):
        pytest.fail("there is no such branch")
    assert begun.branches() == ["main"]
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize("name", ["trial", "retrain/2013-09-01", "é", "a-b_c.d"])
def test_a_good_name_is_taken(begun: Repository, tmp_path: Path, name: str) -> None:
    begun.check_name(name)
    with begun.worktree(name, tmp_path / "tree") as there:
        assert there.status().branch == name
    assert begun.branches() == sorted(["main", name])


def test_a_work_tree_leaves_the_users_as_it_is(begun: Repository, tmp_path: Path, git: Git) -> None:
    (begun.root / "a.txt").write_text("staged by the user")
    git("add", "a.txt")
    (begun.root / "b.txt").write_text("changed by the user")
    before = begun.status()
    with begun.worktree("trial", tmp_path / "tree") as there:
        assert (there.root / "b.txt").read_text() == "b.txt\n" * 9
        (there.root / "c.txt").write_text("there")
        commit = there.commit(["c.txt"], "There")
        assert begun.status() == before
    assert begun.status() == before
    assert (begun.root / "c.txt").read_text() == "c.txt\n" * 9
    assert not (tmp_path / "tree").exists()
    assert git("worktree", "list").count("\n") == 1
    assert git("rev-parse", "trial").strip() == commit
    with begun.worktree("trial", tmp_path / "tree") as again:  # it goes on where it was
        assert (again.root / "c.txt").read_text() == "there"


def fail_on(repository: Repository, tree: Path, work: Callable[[Repository], object]) -> None:
    with repository.worktree("trial", tree) as there:
        work(there)
        raise ZeroDivisionError


def test_a_work_tree_is_removed_after_an_error_whatever_lies_in_it(
    begun: Repository, tmp_path: Path
) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_on(begun, tmp_path / "tree", next_file)
    assert not (tmp_path / "tree").exists()


def test_a_work_tree_that_was_removed_meanwhile_hides_no_error(
    begun: Repository, tmp_path: Path, git: Git
) -> None:
    tree = tmp_path / "tree"
    with pytest.raises(ZeroDivisionError):
        fail_on(begun, tree, lambda _: git("worktree", "remove", "--force", str(tree)))


HOLD = """
import sys
from pathlib import Path
from workbench.git import Repository
with Repository(Path(sys.argv[1])).worktree("trial", Path(sys.argv[2])) as there:
    (there.root / "a.txt").write_text("committed")
    there.commit(["a.txt"], "There")
    (there.root / "a.txt").write_text("half done")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_the_work_tree_of_a_killed_process_is_taken_over(begun: Repository, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, begun.root, tree],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
    assert tree.exists()
    with begun.worktree("trial", tree) as there:
        assert (there.root / "a.txt").read_text() == "committed"
    assert not tree.exists()


def test_a_folder_that_is_no_work_tree_is_not_removed(begun: Repository, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "important.txt").write_text("mine")
    with pytest.raises(GitError), begun.worktree("trial", tree):
        pytest.fail("the folder is somebody's")
    assert (tree / "important.txt").read_text() == "mine"


def test_the_branch_that_the_user_is_on_is_not_moved_under_their_feet(
    begun: Repository, tmp_path: Path
) -> None:
    with (
        pytest.raises(GitError, match="already checked out"),
        begun.worktree("main", tmp_path / "t"),
    ):
        pytest.fail("a commit there would make the user's own tree look changed")


def test_before_the_first_commit_there_is_nothing_to_branch_from(
    repository: Repository, tmp_path: Path
) -> None:
    with pytest.raises(GitError, match="git: "), repository.worktree("trial", tmp_path / "tree"):
        pytest.fail("there is no commit")


def test_without_git_the_error_says_so(begun: Repository, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from workbench.errors import GitError\n"
        "from workbench.git import Repository\n"
        "for ask in (lambda: Repository(Path(sys.argv[1])).status(),\n"
        "            lambda: Repository.init(Path(sys.argv[2]))):\n"
        "    try: ask()\n"
        "    except GitError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, begun.root, tmp_path / "new"],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "git is not installed or not on the PATH\n" * 2
