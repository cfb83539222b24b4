"""Git as people use it: every state of a repository, and nothing of theirs touched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.errors import GitError
from workbench.git import Repository

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
    for folder in (tmp_path, tmp_path / "not there"):
        repository = Repository(folder)
        assert not repository.exists
        status = repository.status()
        assert (status.branch, status.commit, status.detached) == (None, None, False)
        assert status.changed == []
        with pytest.raises(GitError, match="not a Git repository; `git init` makes it one"):
            repository.commit(["."], "x")


def test_before_the_first_commit_there_is_a_branch(repository: Repository) -> None:
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
    with pytest.raises(GitError, match="git: "):
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
