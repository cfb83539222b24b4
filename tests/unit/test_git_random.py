"""Random work on real repositories: whatever is done, no commit and no unsaved content is lost.

Each piece of content has a word of its own. A step of ours may move it, into a commit, into the
index, under a hidden ref, but there is never a word that was somewhere before and is nowhere after.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.work_trees import forget_settings
from workbench.errors import GitError, NotFoundError, UsageError
from workbench.git import branches, merging
from workbench.git.merging import MergeConflictError
from workbench.git.notebooks import parse, to_bytes
from workbench.git.repository import Repository

FILES = ("a.txt", "b c.txt", "d/e.txt", "d/f.txt", "é.txt")
NOTEBOOKS = ("n.ipynb", "d/m.ipynb")
BRANCHES = ("main", "one", "two", "deep/three")
WORD = re.compile(rb"(?:word|out)-\d+;")

paths = st.sampled_from((*FILES, *NOTEBOOKS, "d"))  # `d` as a file is in the way of the folder
texts = st.sampled_from(FILES)
notebooks = st.sampled_from(NOTEBOOKS)
names = st.sampled_from(BRANCHES)
numbers = st.integers(0, len(BRANCHES) - 1)
sides = st.sampled_from(("ours", "theirs", "both", "base"))


def run(root: Path, *arguments: str, stdin: bytes = b"", check: bool = True) -> bytes:
    done = subprocess.run(
        ["git", *arguments], cwd=root, input=stdin, capture_output=True, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


class Work(RuleBasedStateMachine):
    """A user, and ours."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="workbench-random-"))
        self.root = self.folder / "r"
        self.repository = Repository.init(self.root)
        run(self.root, "config", "core.fsync", "none")
        (self.root / ".gitignore").write_text("*.tmp\n")
        self.words = 0
        for name in ("main", "one", "two"):  # each goes its own way
            if name != "main":
                run(self.root, "switch", "--quiet", "--create", name)
            self.write("a.txt")
            self.write_more("d/e.txt")
            self.write_notebook("n.ipynb", 2, ran=False)
            self.repository.commit(["."], "Begin")
            if name != "main":
                branches.switch(self.repository, "main")

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    # The user's own steps: these may overwrite what the user chooses to

    def word(self, kind: str = "word") -> str:
        self.words += 1
        return f"{kind}-{self.words};"

    def place(self, path: str) -> Path:
        """Make room for a file: the user says so, and what was there is the user's to lose."""
        file = self.root / path
        for folder in file.relative_to(self.root).parents:
            if (self.root / folder).is_file():
                (self.root / folder).unlink()
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    @rule(path=texts)
    def write(self, path: str) -> None:
        self.place(path).write_text("".join(f"{self.word()}\n" for _ in range(3)))

    @rule(path=texts)
    def write_more(self, path: str) -> None:
        with self.place(path).open("a") as file:
            file.write(f"{self.word()}\n")

    @rule(path=notebooks, cell=st.integers(0, 3), ran=st.booleans())
    def write_notebook(self, path: str, cell: int, *, ran: bool) -> None:
        """Write a cell anew, or run what is there."""
        file = self.place(path)
        cells = json.loads(file.read_text())["cells"] if file.exists() else []
        while len(cells) <= cell:
            cells.append(self.cell(f"c{len(cells)}"))
        cells[cell] = self.cell(f"c{cell}")
        for one in cells if ran else []:
            one["outputs"] = [
                {"output_type": "stream", "name": "stdout", "text": [self.word("out")]}
            ]
            one["execution_count"] = 1
        notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        text = json.dumps(notebook, indent=1)
        # As Jupyter writes it, or as some other program does.
        file.write_bytes(text.encode() if ran else to_bytes(parse(text.encode())))

    def cell(self, cell_id: str) -> dict[str, object]:
        return {
            "cell_type": "code",
            "id": cell_id,
            "metadata": {},
            "source": [self.word()],
            "outputs": [],
            "execution_count": None,
        }

    @rule()
    def write_ignored(self) -> None:
        (self.root / "x.tmp").write_text(self.word())

    @rule()
    def write_a_file_where_a_folder_is_elsewhere(self) -> None:
        if not (self.root / "d").exists():
            (self.root / "d").write_text(self.word())

    @rule(path=paths)
    def delete(self, path: str) -> None:
        if (self.root / path).is_file():
            (self.root / path).unlink()

    @rule(path=paths)
    def stage(self, path: str) -> None:
        run(self.root, "add", "--all", "--", path, check=False)

    @rule()
    def detach(self) -> None:
        run(self.root, "checkout", "--quiet", "--detach")

    # Ours: nothing may be lost

    def everything(self) -> tuple[set[bytes], set[bytes]]:
        """Collect all words that are somewhere, and all commits that a ref leads to."""
        listing = run(self.root, "rev-list", "--objects", "--all").split(b"\n")
        objects = {line.split(b" ")[0] for line in listing if line}
        staged = run(self.root, "ls-files", "--stage", "-z").split(b"\0")[:-1]
        objects |= {line.split(b" ")[1] for line in staged}
        said = run(self.root, "cat-file", "--batch", stdin=b"\n".join(sorted(objects)) + b"\n")
        words = set(WORD.findall(said)) | self.on_disk()
        lasting = ("--exclude=refs/workbench/work/*", "--all", "HEAD")  # kept work comes back
        return words, set(run(self.root, "rev-list", *lasting).split())

    def named(self, number: int) -> str:
        """Pick a branch that there is."""
        there = self.repository.branches()
        return there[number % len(there)]

    def kept(self) -> list[str]:
        refs = run(self.root, "for-each-ref", "--format=%(refname)", "refs/workbench/work")
        return refs.decode().split()

    def on_disk(self) -> set[bytes]:
        return {
            word
            for folder, inside, files in os.walk(self.root)
            for name in files
            for word in WORD.findall((Path(folder) / name).read_bytes())
            if inside is not None and ".git" not in Path(folder).relative_to(self.root).parts
        }

    def state(self) -> tuple[object, ...]:
        """Say how the work tree, the index and HEAD are."""
        files = {
            file.relative_to(self.root): file.read_bytes()
            for file in self.root.rglob("*")
            if file.is_file() and ".git" not in file.relative_to(self.root).parts
        }
        head = run(self.root, "rev-parse", "--symbolic-full-name", "HEAD")  # itself, if detached
        at = run(self.root, "rev-parse", "HEAD") if head == b"HEAD\n" else b""
        return files, run(self.root, "ls-files", "--stage"), head, at

    def do(self, step: Callable[[], object], *, may_go: str = "") -> Exception | None:
        """Take a step, and check that all words are still somewhere, and all commits."""
        words, commits = self.everything()
        problem: Exception | None = None
        try:
            step()
        except (GitError, NotFoundError, UsageError) as error:
            problem = error
        words_after, commits_after = self.everything()
        lost = {word for word in words - words_after if not (may_go and word.startswith(b"out"))}
        assert lost == set(), problem
        assert commits <= commits_after, problem
        assert not (self.root / ".git" / "index.lock").exists()
        return problem

    @rule(path=st.one_of(st.just("."), paths), keep=st.booleans())
    def commit(self, path: str, *, keep: bool) -> None:
        # A staged version of what is committed gives way to the file: nobody's surprise, as in Git.
        staged = {word for words in self.staged_only(path) for word in words}
        before = self.on_disk()
        words, commits = self.everything()
        problem = ""
        try:
            self.repository.commit([path], "Go on", keep_outputs=keep)
        except GitError as error:
            problem = str(error)
        assert not problem or "nothing to commit" in problem or "did not match" in problem
        words_after, commits_after = self.everything()
        assert words - words_after <= staged
        assert commits <= commits_after
        assert self.on_disk() == before

    def staged_only(self, path: str) -> list[list[bytes]]:
        said = run(self.root, "ls-files", "--stage", "-z", "--", path, check=False)
        blobs = [line.split(b" ")[1].decode() for line in said.split(b"\0")[:-1]]
        return [WORD.findall(run(self.root, "cat-file", "blob", blob)) for blob in blobs]

    @rule(path=texts, number=numbers, base=st.one_of(st.none(), names), keep=st.booleans())
    def leave_a_commit_of_no_branch(
        self, path: str, number: int, base: str | None, *, keep: bool
    ) -> None:
        self.detach()
        self.write(path)
        self.commit(path, keep=False)
        if base:
            self.do(lambda: branches.start(self.repository, "two", base=base))
        name, work = self.named(number), "keep" if keep else "carry"
        self.do(lambda: branches.switch(self.repository, name, work=work))  # type: ignore[arg-type]

    @rule(name=names)
    def start(self, name: str) -> None:
        status = run(self.root, "status", "--porcelain", "-uall")
        if self.do(lambda: branches.start(self.repository, name)) is None:
            assert run(self.root, "status", "--porcelain", "-uall") == status

    @rule(name=names, base=names)
    def start_elsewhere(self, name: str, base: str) -> None:
        before = self.state()
        if self.do(lambda: branches.start(self.repository, name, base=base)):
            assert self.state() == before

    @rule(number=numbers)
    def switch_carrying(self, number: int) -> None:
        name = self.named(number)
        self.do(lambda: branches.switch(self.repository, name))

    @rule(number=numbers)
    def switch_keeping(self, number: int) -> None:
        name = self.named(number)
        here = self.repository.branch
        problem = self.do(lambda: branches.switch(self.repository, name, work="keep"))
        if problem is None and name != here:
            assert f"refs/workbench/work/{name}" not in self.kept()

    @precondition(lambda self: self.repository.branch)
    @rule(number=numbers)
    def go_and_come_back(self, number: int) -> None:
        name = self.named(number)
        here, before = self.repository.branch, self.state()
        assert here is not None
        kept = self.kept()
        there = self.do(lambda: branches.switch(self.repository, name, work="keep"))
        back = self.do(lambda: branches.switch(self.repository, here, work="keep"))
        if here != name and there is None and back is None and not kept:
            assert self.state() == before

    @rule(number=numbers, choice=sides)
    def merge(self, number: int, choice: str) -> None:
        name = self.named(number)
        before = self.state()

        def step() -> None:
            try:
                merging.merge(self.repository, name)
            except MergeConflictError as error:
                assert self.state() == before
                allowed = {"added": "ours", "order": "ours", "metadata": "ours"}
                choices = {c.id: allowed.get(c.kind, choice) for c in error.conflicts}
                merging.merge(self.repository, name, choices=choices)  # type: ignore[arg-type]

        if self.do(step, may_go="outputs"):
            assert self.state() == before

    @rule(number=numbers, force=st.booleans())
    def drop(self, number: int, *, force: bool) -> None:
        name = self.named(number)
        before = self.state()
        self.do(lambda: branches.drop(self.repository, name, force=force))
        assert self.state() == before

    def dropped(self) -> list[str]:
        refs = run(self.root, "for-each-ref", "--format=%(refname)", "refs/workbench/dropped")
        return [ref.split("/", 3)[3].rpartition("/")[0] for ref in refs.decode().split()]

    @rule(name=names, number=numbers)
    def restore(self, name: str, number: int) -> None:
        before, there = self.state(), [name, *self.dropped()]
        name = there[number % len(there)]
        self.do(lambda: branches.restore(self.repository, name))
        assert self.state() == before

    @precondition(lambda self: self.kept())
    @rule(aside=st.booleans())
    def see_to_kept_work(self, *, aside: bool) -> None:
        name = self.kept()[0].removeprefix("refs/workbench/work/")
        if aside:
            self.do(lambda: branches.put_aside(self.repository, name))
        else:
            self.do(lambda: branches.bring_back(self.repository))

    @invariant()
    def status_can_be_read(self) -> None:
        if hasattr(self, "repository"):
            status = self.repository.status()
            assert status.detached or status.branch in self.repository.branches()


def test_no_commit_and_no_unsaved_work_is_ever_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_settings(tmp_path / "home", monkeypatch)
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ada")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ada@example.org")
    run_state_machine_as_test(
        Work,
        settings=settings(
            max_examples=int(os.environ.get("RANDOM_EXAMPLES", "8")),
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
