"""Work that isn't committed: compared, discarded and had back; and the runs of branches counted."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from workbench.errors import GitError, NotFoundError, UsageError
from workbench.experiments import score_branches
from workbench.git import ChangedFile, Repository
from workbench.git.command import run_git
from workbench.git.discarding import discard, undo_discard
from workbench.git.file_diffs import diff_file
from workbench.project import Project
from workbench.tracking import BRANCH, client, create_run, finish_run


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A project in a folder of a larger repository."""
    top = tmp_path / "top"
    Repository.init(top)
    root = top / "project"
    root.mkdir()
    (root / "workbench.toml").write_text('name = "work"\n')
    (root / ".gitignore").write_text(".workbench/\n")
    (root / "a.md").write_text("one\ntwo\n")
    (root / "b.md").write_text("stays\n")
    (top / "beside.md").write_text("beside\n")
    Repository(top).commit(["."], "Start")
    return Repository(root)


def test_discards_edited_new_deleted_and_renamed_files(repository: Repository) -> None:
    root = repository.root
    (root / "a.md").write_text("other\n")
    (root / "new").mkdir()
    (root / "new" / "c.md").write_text("c\n")
    run_git(root, "mv", "b.md", "d.md")
    changed = {file.path: file for file in repository.status().changed}
    assert changed["d.md"] == ChangedFile(path="d.md", state="renamed", was="b.md")
    (root.parent / "beside.md").write_text("mine\n")
    done = discard(repository, ["a.md", "new/", "d.md", "b.md"])
    assert done.paths == ("a.md", "b.md", "d.md", "new/c.md")
    assert repository.status().changed == []
    assert (root / "a.md").read_text() == "one\ntwo\n"
    assert (root / "b.md").exists()
    assert not (root / "new").exists()
    assert (root.parent / "beside.md").read_text() == "mine\n"
    undo_discard(repository, done.id)
    assert (root / "a.md").read_text() == "other\n"
    assert (root / "new" / "c.md").read_text() == "c\n"
    assert (root / "d.md").read_text() == "stays\n"
    assert not (root / "b.md").exists()


def test_what_has_changed_since_is_not_overwritten_by_undoing(repository: Repository) -> None:
    file = repository.root / "a.md"
    file.write_text("first\n")
    done = discard(repository, ["a.md"])
    file.write_text("second\n")
    with pytest.raises(GitError, match=r"would be overwritten: project/a\.md"):
        undo_discard(repository, done.id)
    assert file.read_text() == "second\n"
    file.write_text("one\ntwo\n")
    assert undo_discard(repository, done.id) == ["a.md"]
    with pytest.raises(NotFoundError, match="there are none"):
        undo_discard(repository, done.id)


def test_discarding_nothing_is_refused(repository: Repository) -> None:
    with pytest.raises(UsageError):
        discard(repository, [])
    with pytest.raises(GitError, match=r"nothing to discard: a\.md"):
        discard(repository, ["a.md"])
    with pytest.raises(GitError, match="did not match"):
        discard(repository, ["none.md"])


def test_files_are_compared_between_versions(repository: Repository) -> None:
    root = repository.root
    run_git(root, "branch", "before")
    (root / "a.md").write_text("one\nthree\n")
    on_disk = diff_file(repository, "a.md")
    assert (on_disk.state, on_disk.lines) == ("modified", "@@ -1,2 +1,2 @@\n one\n-two\n+three")
    repository.commit(["a.md"], "Three")
    assert diff_file(repository, "a.md").state == "same"
    assert diff_file(repository, "a.md", base="before", other="main").lines == on_disk.lines
    (root / "e.md").write_text("stays\n")
    assert diff_file(repository, "e.md", was="b.md").state == "same"
    assert diff_file(repository, "e.md").state == "added"
    (root / "b.md").unlink()
    assert diff_file(repository, "b.md").lines == "@@ -1 +0,0 @@\n-stays"
    with pytest.raises(NotFoundError, match="unknown branch or commit 'nowhere'"):
        diff_file(repository, "a.md", base="nowhere")


def test_a_link_is_not_followed(repository: Repository) -> None:
    (repository.root / "link.md").symlink_to("/etc/passwd")
    assert diff_file(repository, "link.md").lines.endswith("+/etc/passwd")


def test_outputs_are_no_difference(repository: Repository) -> None:
    path = repository.root / "n.ipynb"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", id="one")])
    nbformat.write(notebook, path)
    repository.commit(["n.ipynb"], "Notebook")
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="1")]
    nbformat.write(notebook, path)
    same = diff_file(repository, "n.ipynb")
    assert (same.kind, same.state, same.steps) == ("notebook", "same", [])
    path.write_text("{}")
    assert diff_file(repository, "n.ipynb").kind == "text"


def test_the_runs_of_each_branch_are_counted(repository: Repository) -> None:
    project = Project.find(repository.root)
    assert score_branches(project=project).branches == []
    for branch, value, status in (
        ("main", 0.6, "FINISHED"),
        ("exp/a", 0.7, "FINISHED"),
        ("exp/a", 0.9, "FAILED"),
        ("exp/a", float("nan"), "FINISHED"),
    ):
        run_id = create_run(project, "train", tags={BRANCH: branch}, params={})
        client(project).log_metric(run_id, "roc_auc", value)
        client(project).log_metric(run_id, "log_loss", value)
        finish_run(project, run_id, status)
    scores = score_branches(project=project)
    assert (scores.metric, scores.lower_is_better) == ("roc_auc", False)
    assert {one.branch: (one.runs, one.best) for one in scores.branches} == {
        "main": (1, 0.6),
        "exp/a": (3, 0.7),
    }
    assert score_branches("log_loss", project=project).lower_is_better
    assert score_branches("none", project=project).branches[0].best is None
