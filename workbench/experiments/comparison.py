"""Two branches beside each other: their runs, notebooks, features and data."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from workbench.errors import GitError, NotebookError, NotFoundError
from workbench.experiments.of_branch import runs_of_branch
from workbench.git import Repository
from workbench.git.command import run_git
from workbench.git.notebooks import NotebookDiff, diff, parse
from workbench.project import Project
from workbench.tracking import Row, RunRecord, run_datasets
from workbench.tracking.inputs import digests_by_name

__all__ = ["BranchComparison", "NotebookChange", "compare_branches"]


class NotebookChange(BaseModel):
    """A notebook that the branches have in two versions; `diff` is None where one lacks
    it, or has something else under its name."""

    model_config = ConfigDict(frozen=True)

    path: str
    diff: NotebookDiff | None


class BranchComparison(BaseModel):
    """What `a` and `b` have of their own; the rows of `data` are in this order."""

    model_config = ConfigDict(frozen=True)

    a: str
    b: str
    runs_a: list[RunRecord]
    runs_b: list[RunRecord]
    notebooks: list[NotebookChange]
    features: list[str]
    files: list[str]
    data: list[Row]


def compare_branches(
    a: str, b: str, *, limit: int = 10, project: Project | None = None
) -> BranchComparison:
    """Compare two branches as they are committed, with the newest `limit` runs of each.

    Raises
    ------
    NotFoundError
        If there is no such branch.
    """
    project = project or Project.find()
    repository = Repository(project.root)
    for name in (a, b):
        known = repository.branches()
        if name not in known:
            raise NotFoundError.named("branch", name, known)
    changed = _changed(repository, a, b)
    runs_a, runs_b = (runs_of_branch(project, name, limit) for name in (a, b))
    return BranchComparison(
        a=a,
        b=b,
        runs_a=runs_a,
        runs_b=runs_b,
        notebooks=[
            NotebookChange(path=path, diff=_notebook_diff(repository, a, b, path))
            for path in changed
            if path.endswith(".ipynb")
        ],
        features=[path for path in changed if path.startswith("features/")],
        files=[p for p in changed if not p.endswith(".ipynb") and not p.startswith("features/")],
        data=_data(project, runs_a, runs_b),
    )


def _changed(repository: Repository, a: str, b: str) -> list[str]:
    command = ("diff", "--name-only", "--relative", "-z", f"refs/heads/{a}", f"refs/heads/{b}")
    names = run_git(repository.root, *command, "--", ".").stdout.split(b"\0")
    return sorted(name.decode("utf-8", "replace") for name in names if name)


def _notebook_diff(repository: Repository, a: str, b: str, path: str) -> NotebookDiff | None:
    before, after = (_at(repository, branch, path) for branch in (a, b))
    if before is None or after is None:
        return None
    try:
        return diff(parse(before), parse(after))
    except NotebookError:
        return None


def _at(repository: Repository, branch: str, path: str) -> bytes | None:
    try:
        return run_git(repository.root, "show", f"refs/heads/{branch}:./{path}").stdout
    except GitError:
        return None  # this branch doesn't have it


def _data(project: Project, runs_a: list[RunRecord], runs_b: list[RunRecord]) -> list[Row]:
    """Name the data of each side's newest run that used each dataset, by digest."""
    used = run_datasets(project, [run.run_id for run in (*runs_a, *runs_b)])
    sides: list[dict[str, str]] = [{}, {}]
    for side, runs in zip(sides, (runs_a, runs_b), strict=True):
        for run in reversed(runs):
            side.update(digests_by_name(used.get(run.run_id, ())))
    names = sorted({name for side in sides for name in side})
    return [Row(name=name, values=[side.get(name) for side in sides]) for name in names]
