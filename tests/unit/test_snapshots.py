"""Snapshots: what goes in comes back, nothing of the user's changes, and nobody waits or loses."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.work_trees import WorkTree, contents, forget_settings, take_many, untouched
from workbench.errors import GitError, NotFoundError, UsageError
from workbench.git import snapshots
from workbench.git.snapshots import (
    RUN_FOLDER,
    add_modules,
    checkout_snapshot,
    executed_path,
    extend_snapshot,
    get_snapshot,
    list_snapshots,
    prune_snapshots,
    read_file,
    snapshot_diff,
)


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_settings(tmp_path / "home", monkeypatch)


@pytest.fixture(params=["git", "no git"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> WorkTree:
    """A project of two files; under Git they are committed."""
    tree = WorkTree(tmp_path / "project", tmp_path / "state")
    tree.write("train.py", "train()\n")
    tree.write("library/helpers.py", "helpers = 1\n")
    if request.param == "git":
        tree.git("init", "--quiet", "--initial-branch=main")
        tree.commit("Begin")
    return tree


@pytest.fixture
def begun(tmp_path: Path) -> WorkTree:
    """A repository with one commit of one file."""
    tree = WorkTree(tmp_path / "project", tmp_path / "state")
    tree.write("train.py", "train()\n")
    tree.git("init", "--quiet", "--initial-branch=main")
    tree.commit("Begin")
    return tree


# Taking


def test_a_clean_tree_has_a_snapshot_too(begun: WorkTree) -> None:
    snapshot = begun.take("0f3a")
    head = begun.git("rev-parse", "HEAD", "HEAD^{tree}").split()
    assert [snapshot.base, snapshot.tree] == head
    assert (snapshot.dirty, snapshot.changed, snapshot.left_out) == (False, [], [])
    assert snapshot.ref == "refs/workbench/snapshots/0f3a"
    assert begun.git("rev-parse", snapshot.ref).strip() == snapshot.commit
    assert begun.git("rev-parse", f"{snapshot.commit}^").strip() == snapshot.base
    assert begun.git("branch", "--all", "--contains", snapshot.commit) == ""


def test_modified_deleted_and_new_files(begun: WorkTree) -> None:
    begun.write("gone.py")
    begun.write(".gitignore", "*.log\n")
    begun.commit()
    begun.write("train.py", "train(2)\n")
    (begun.root / "gone.py").unlink()
    begun.write("new/new.py")
    begun.write("ignored.log")
    snapshot = begun.take()
    assert (snapshot.dirty, snapshot.changed) == (True, ["gone.py", "new/new.py", "train.py"])
    back = contents(begun.bring_back())
    assert back == {
        name: file for name, file in contents(begun.root).items() if name != b"ignored.log"
    }


def test_the_stash_stays(begun: WorkTree) -> None:
    begun.write("train.py", "stashed\n")
    begun.git("stash")
    begun.write("train.py", "train(2)\n")
    begun.take()
    assert begun.git("stash", "show", "-p").count("stashed") == 1


def test_files_that_are_too_large_are_named(begun: WorkTree) -> None:
    begun.write("was small.csv", "x")
    begun.commit()
    begun.write("was small.csv", "x" * 2001)
    begun.write("staged.csv", "x" * 2000)
    begun.git("add", "staged.csv")
    begun.write("small.csv", "x" * 1000)
    snapshot = begun.take(limit_file=1000)
    assert [(file.path, file.bytes) for file in snapshot.left_out] == [
        ("staged.csv", 2000),
        ("was small.csv", 2001),
    ]
    assert snapshot.left_out[0].reason == "larger than 0.001 MB"
    assert snapshot.changed == ["small.csv"]
    back = begun.bring_back()
    assert (back / "was small.csv").read_text() == "x"
    assert not (back / "staged.csv").exists()


def test_the_small_files_come_first_where_not_all_can(begun: WorkTree) -> None:
    for size in (500, 400, 100, 90):
        begun.write(f"{size}.csv", "x" * size)
    snapshot = begun.take(limit_total=600)
    assert snapshot.changed == ["100.csv", "400.csv", "90.csv"]
    assert [file.path for file in snapshot.left_out] == ["500.csv"]


def test_the_notebook_as_executed_is_beside_the_file(tree: WorkTree) -> None:
    tree.write("notebooks/train.ipynb", "as saved")
    snapshot = tree.take(notebook=("notebooks/train.ipynb", b"as executed\r\n"))
    path = executed_path("notebooks/train.ipynb")
    assert snapshot.added == [path]
    assert read_file(tree.root, tree.state, "run", path) == b"as executed\r\n"
    assert read_file(tree.root, tree.state, "run", "notebooks/train.ipynb") == b"as saved"
    back = tree.bring_back()
    tree.write(f"{RUN_FOLDER}/not.ours")
    shutil.copytree(back, tree.root / "old")  # and a run of what came back begins afresh
    assert not any(path.startswith(RUN_FOLDER) for path in tree.take("again").changed)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("train.ipynb", "train.ipynb"),
        ("../other/train.ipynb", "other/train.ipynb"),
        ("/absolute.ipynb", "absolute.ipynb"),
        (f"{RUN_FOLDER}/train.ipynb", "train.ipynb"),
    ],
)
def test_what_a_run_adds_is_in_its_folder(path: str, place: str) -> None:
    assert executed_path(path) == f"{RUN_FOLDER}/{place}"


def test_a_second_snapshot_of_a_run_takes_the_place_of_the_first(tree: WorkTree) -> None:
    tree.take()
    tree.write("train.py", "train(2)\n")
    tree.take()
    assert (tree.bring_back() / "train.py").read_text() == "train(2)\n"
    assert list_snapshots(tree.root, tree.state) == ["run"]


@pytest.mark.parametrize(
    "run_id", ["", "-x", "a/b", "..", "a..b", ".x", "x.lock", "x.", "a b", "é"]
)
def test_a_name_that_is_no_runs_is_refused(begun: WorkTree, run_id: str) -> None:
    with pytest.raises(UsageError, match="can't name a snapshot"):
        snapshots.take_snapshot(begun.root, begun.state, run_id)


# Adding


def test_files_are_added_later(tree: WorkTree) -> None:
    first = tree.take()
    extend_snapshot(tree.root, tree.state, "run", {"a.ipynb": b"a", "cells/b": b"\0\r\n"})
    later = extend_snapshot(tree.root, tree.state, "run", {"a.ipynb": b"newer"})
    assert later.added == [f"{RUN_FOLDER}/a.ipynb", f"{RUN_FOLDER}/cells/b"]
    assert (later.base, later.changed) == (first.base, first.changed)
    assert later == get_snapshot(tree.root, tree.state, "run")
    back = tree.bring_back()
    assert (back / RUN_FOLDER / "a.ipynb").read_bytes() == b"newer"
    assert (back / RUN_FOLDER / "cells" / "b").read_bytes() == b"\0\r\n"
    assert (back / "train.py").exists()


def test_nothing_is_added_to_a_run_that_has_no_snapshot(tree: WorkTree) -> None:
    tree.take("one")
    with pytest.raises(NotFoundError, match="unknown snapshot of run 'other': there are: one"):
        extend_snapshot(tree.root, tree.state, "other", {"x": b""})


def test_imported_modules_that_are_missing_are_added(tree: WorkTree) -> None:
    tree.write(".gitignore", "generated.py\n.workbench-run\n")
    tree.take()
    package = tree.root.parent / "elsewhere" / "package"
    package.mkdir(parents=True)
    other = tree.root.parent / "other" / "package"
    other.mkdir(parents=True)
    for folder, content in ((package, "one"), (other, "two")):
        (folder / "__init__.py").touch()
        (folder / "module.py").write_text(content)
    files = [
        tree.root / "train.py",
        tree.write("generated.py", "generated = True\n"),
        tree.write("library/helpers.py", "helpers = 'changed since'\n"),
        package / "module.py",
        other / "module.py",
        tree.root / "deleted.py",
    ]
    snapshot = add_modules(tree.root, tree.state, "run", files)
    folder = f"{RUN_FOLDER}/modules"
    aside = next(path for path in snapshot.added if path.startswith(f"{folder}-"))
    assert set(snapshot.added) == {
        "generated.py",
        f"{folder}/helpers.py",
        f"{folder}/package/module.py",
        aside,
    }
    assert read_file(tree.root, tree.state, "run", f"{folder}/package/module.py") == b"one"
    assert read_file(tree.root, tree.state, "run", aside) == b"two"
    assert read_file(tree.root, tree.state, "run", "library/helpers.py") == b"helpers = 1\n"
    assert add_modules(tree.root, tree.state, "run", [tree.root / "train.py"]) == snapshot


# Bringing back


def test_a_folder_that_holds_something_is_refused(tree: WorkTree, tmp_path: Path) -> None:
    tree.take()
    full, file, empty = tmp_path / "full", tmp_path / "file", tmp_path / "empty"
    (full / "mine").mkdir(parents=True)
    file.touch()
    empty.mkdir()
    for target, problem in ((full, "not empty"), (file, "is a file")):
        with pytest.raises(UsageError, match=problem):
            checkout_snapshot(tree.root, tree.state, "run", target)
    checkout_snapshot(tree.root, tree.state, "run", empty)
    assert contents(empty) == contents(tree.root)
    with pytest.raises(UsageError, match="own folder"):
        checkout_snapshot(tree.root, tree.state, "run", tree.root / ".git" / "hidden")
    with pytest.raises(UsageError, match="own folder"):
        checkout_snapshot(tree.root, tree.state, "run", tree.root / ".git" / "refs" / "x")
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_new_folder_is_made_with_those_above(tree: WorkTree, tmp_path: Path) -> None:
    tree.take()
    checkout_snapshot(tree.root, tree.state, "run", tmp_path / "a" / "b" / "c")
    assert contents(tmp_path / "a" / "b" / "c") == contents(tree.root)


def test_an_unknown_run_says_which_there_are(tree: WorkTree, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there are none"):
        checkout_snapshot(tree.root, tree.state, "abc", tmp_path / "x")
    tree.take("abcd")
    with pytest.raises(NotFoundError, match="did you mean abcd"):
        checkout_snapshot(tree.root, tree.state, "abc", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_the_attributes_that_count_are_the_snapshots(begun: WorkTree) -> None:
    begun.write(".gitattributes", "*.txt export-ignore export-subst\nkept.py eol=crlf\n")
    begun.write("a.txt", "$Format:%H$ $Id$\n")
    begun.write("kept.py", "a\r\n")
    begun.commit()
    begun.take()
    before = contents(begun.root)
    begun.write(".gitattributes", "kept.py eol=lf\n*.txt ident\n")
    assert contents(begun.bring_back()) == before


def test_no_link_leads_out_of_the_folder(begun: WorkTree, tmp_path: Path) -> None:
    """A tree that nobody's work tree can be: a link, and a file below it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    snapshot = begun.take()
    git = ("git", "-C", str(begun.root))

    def stored(*arguments: str, stdin: bytes) -> str:
        done = subprocess.run([*git, *arguments], input=stdin, capture_output=True, check=True)
        return done.stdout.decode().strip()

    target = stored("hash-object", "-w", "--stdin", stdin=os.fsencode(outside))
    evil = stored("hash-object", "-w", "--stdin", stdin=b"evil")
    below = stored("mktree", stdin=f"100644 blob {evil}\tevil\n".encode())
    entries = f"120000 blob {target}\tlink\n040000 tree {below}\tlink\n"
    forged = stored("mktree", stdin=entries.encode())
    raw = subprocess.run(
        [*git, "cat-file", "commit", snapshot.ref], capture_output=True, check=True
    )
    commit = stored(
        "hash-object", "-t", "commit", "-w", "--stdin", "--literally",
        stdin=raw.stdout.replace(snapshot.tree.encode(), forged.encode()),
    )  # fmt: skip
    begun.git("update-ref", snapshot.ref, commit)
    with suppress(GitError):  # refused or written inside: both are fine
        begun.bring_back()
    assert list(outside.iterdir()) == []


# Reading


def test_a_file_of_a_snapshot(tree: WorkTree) -> None:
    tree.take()
    assert read_file(tree.root, tree.state, "run", "library/helpers.py") == b"helpers = 1\n"
    with pytest.raises(NotFoundError, match=r"did you mean train\.py"):
        read_file(tree.root, tree.state, "run", "trian.py")
    for path in ("../outside", "/absolute", "."):
        with pytest.raises(UsageError, match="not a file of the project"):
            read_file(tree.root, tree.state, "run", path)


def test_the_difference_of_two_runs(tree: WorkTree) -> None:
    tree.take("one")
    tree.write("train.py", "train(2)\n")
    tree.write("data.bin", b"\0\1")
    tree.take("two")
    assert snapshot_diff(tree.root, tree.state, "one", "one") == ""
    diff = snapshot_diff(tree.root, tree.state, "one", "two")
    assert "--- a/train.py\n+++ b/train.py\n@@ -1 +1 @@\n-train()\n+train(2)\n" in diff
    assert "Binary files /dev/null and b/data.bin differ" in diff


def test_the_difference_of_a_run_from_before_git_and_one_after(tmp_path: Path) -> None:
    tree = WorkTree(tmp_path / "project", tmp_path / "state")
    tree.write("train.py", "train()\n")
    tree.take("before")
    tree.git("init", "--quiet")
    tree.write("train.py", "train(2)\n")
    tree.take("after")
    for a, b, line in (("before", "after", "+train(2)"), ("after", "before", "-train(2)")):
        assert line in snapshot_diff(tree.root, tree.state, a, b).splitlines()


def test_a_ref_that_somebody_else_made(begun: WorkTree) -> None:
    begun.git("update-ref", "refs/workbench/snapshots/mine", "HEAD")
    with pytest.raises(GitError, match="no snapshot of Workbench's"):
        get_snapshot(begun.root, begun.state, "mine")


# Letting go


def test_snapshots_of_runs_that_are_gone_are_let_go(tree: WorkTree) -> None:
    for run_id in ("a", "b", "c", "d"):
        tree.take(run_id)
    assert prune_snapshots(tree.root, tree.state, ["a", "b"], among=["a", "c"]) == ["c"]
    assert list_snapshots(tree.root, tree.state) == ["a", "b", "d"]
    assert prune_snapshots(tree.root, tree.state, {"a", "z"}) == ["b", "d"]
    assert prune_snapshots(tree.root, tree.state, ["a"]) == []
    assert list_snapshots(tree.root, tree.state) == ["a"]
    tree.bring_back("a")


# Many at once, and killed

_PROCESSES = multiprocessing.get_context("forkserver")  # which imports once for all of them
_PROCESSES.set_forkserver_preload(["tests.work_trees"])


@contextmanager
def taking(tree: WorkTree, name: str, count: int) -> Iterator[BaseProcess]:
    """A process that takes snapshots in a loop, once it has said so by its file."""
    process = _PROCESSES.Process(target=take_many, args=(tree, name, count))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def wait_for(tree: WorkTree, name: str) -> None:
    while not (tree.root / f"of-{name}.txt").exists():
        time.sleep(0.002)


def test_eight_processes_at_once_lose_nothing(tree: WorkTree) -> None:
    if not (tree.root / ".git").exists():
        shutil.rmtree(tree.state, ignore_errors=True)
        tree.state.mkdir()  # our own repository is made by all of them at once
    tree.take("shared")
    names = [f"p{number}" for number in range(8)]
    with ExitStack() as stack:
        processes = [stack.enter_context(taking(tree, name, 3)) for name in names]
        for process in processes:
            process.join()
            assert process.exitcode == 0
    everything = [f"{name}-{number}" for name in names for number in range(3)]
    assert list_snapshots(tree.root, tree.state) == sorted([*everything, "shared"])
    shared = get_snapshot(tree.root, tree.state, "shared").added
    assert shared == sorted(f"{RUN_FOLDER}/{run_id}" for run_id in everything)
    for name in names:
        last = read_file(tree.root, tree.state, f"{name}-2", f"of-{name}.txt")
        assert last == b"2"


def test_a_killed_process_leaves_a_repository_that_works(tree: WorkTree) -> None:
    tree.take("shared")
    for number in range(40):
        tree.write(f"new/{number}.txt", f"{number}\n" * 50)
    seeded = random.Random(0)
    before = untouched(tree.root)
    for turn in range(4):
        with taking(tree, f"turn{turn}", 1000) as process:
            wait_for(tree, f"turn{turn}")
            time.sleep(seeded.uniform(0.0, 0.25))
            if turn % 2:
                assert process.pid
                os.killpg(process.pid, signal.SIGKILL)  # with the Git that it has called
    after = untouched(tree.root)
    assert {path: told for path, told in after.items() if "of-turn" not in path} == before
    tree.take("last")
    places = [tree.root / ".git", tree.state / "snapshots.git"]
    (git_dir,) = [place for place in places if place.exists()]
    assert not [path for path in (git_dir / "workbench-scratch").iterdir() if path.is_dir()]
    assert not list(git_dir.glob("*.lock"))
    tree.git("--git-dir", str(git_dir), "fsck", "--strict")
    for run_id in list_snapshots(tree.root, tree.state):
        assert get_snapshot(tree.root, tree.state, run_id).run_id == run_id
    extend_snapshot(tree.root, tree.state, "last", {"x": b"x"})


def test_what_a_killed_checkout_leaves_does_not_look_whole(begun: WorkTree) -> None:
    begun.take()
    target = begun.root.parent / "out"
    half = begun.root.parent / ".out.0123456789ab.tmp"
    half.mkdir()
    (half / "train.py").touch()
    checkout_snapshot(begun.root, begun.state, "run", target)
    assert contents(target) == contents(begun.root)


# Whatever there is

names = st.sampled_from(
    [
        "a",
        "b.py",
        "-c",
        "d e",
        "é.txt",
        "f\ng",
        "lib",
        "x.log",
        'q"',
        "deep/a",
        "deep/er/b",
        "lib/m",
    ]
)
file_contents = st.one_of(
    st.binary(max_size=40),
    st.just(b""),
    st.just(b"line\n" * 9),
    st.just(b"a\r\nb\n"),
    st.just(bytes(range(256))),
)
kinds = st.sampled_from(["file", "file", "file", "program", "link"])
layers = st.dictionaries(names, st.tuples(kinds, file_contents), max_size=8)
steps = st.sampled_from(["commit", "stage", "leave", "stash"])


def put(root: Path, layer: dict[str, tuple[str, bytes]]) -> None:
    for name, (kind, content) in layer.items():
        path = root / name
        for above in path.relative_to(root).parents[:-1]:
            if (root / above).is_file() or (root / above).is_symlink():
                (root / above).unlink()
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            path.symlink_to("anywhere/" + content.hex())
        else:
            path.write_bytes(content)
            path.chmod(0o755 if kind == "program" else 0o644)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    history=st.lists(st.tuples(layers, st.sets(names, max_size=3), steps), min_size=1, max_size=4),
    under_git=st.booleans(),
    ignores=st.booleans(),
)
def test_whatever_is_in_a_work_tree_comes_back_and_stays(
    history: list[tuple[dict[str, tuple[str, bytes]], set[str], str]],
    *,
    under_git: bool,
    ignores: bool,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree = WorkTree(Path(folder) / "project", Path(folder) / "state")
        tree.root.mkdir()
        if under_git:
            tree.git("init", "--quiet")
        if ignores:
            tree.write(".gitignore", "*.log\n")
        for layer, deleted, step in history:
            put(tree.root, layer)
            for name in deleted:
                if (tree.root / name).is_file() or (tree.root / name).is_symlink():
                    (tree.root / name).unlink()
            if under_git and step != "leave":
                tree.git("add", "--all")
                if step == "commit":
                    tree.git("commit", "--quiet", "--allow-empty", "--message", "x")
                elif step == "stash":
                    tree.git("stash", "--include-untracked", check=False)
            snapshot = tree.take(f"run{len(list_snapshots(tree.root, tree.state))}")
            back = contents(tree.bring_back(snapshot.run_id, snapshot.run_id))
            expected = contents(tree.root)
            if ignores:
                expected = {
                    path: file for path, file in expected.items() if not path.endswith(b".log")
                }
            assert back == expected
            assert snapshot.left_out == []
