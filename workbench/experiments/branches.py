"""Starting, switching, merging and dropping an experiment: Git's branch and MLflow's tags of it."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from typing import Any, Literal

from workbench.access import require
from workbench.errors import GitError, UsageError, WorkbenchError
from workbench.experiments.of_branch import runs_of_branch
from workbench.git import Branch, Dropped, MergePlan, MergeResult, Repository, Switched
from workbench.git import branches as git_branches
from workbench.git import merging as git_merging
from workbench.project import Project
from workbench.store import now
from workbench.tracking import tag_experiment
from workbench.tracking.entries import check_name
from workbench.tracking.writer import Writer

__all__ = [
    "BRANCH_STATE",
    "branch_tag",
    "bring_back_work",
    "drop_branch",
    "list_branches",
    "list_dropped",
    "merge_branch",
    "plan_merge",
    "put_work_aside",
    "restore_branch",
    "start_branch",
    "switch_branch",
]

BRANCH_STATE = "workbench.branch.state"
"""The tag by which a run says that its branch was merged or dropped."""

_logger = logging.getLogger("workbench.experiments")


def branch_tag(name: str) -> str:
    """Name the tag of MLflow's experiment that holds what became of a branch.

    Git takes names that MLflow doesn't; such a one is written with `_`, and a hash tells it from
    the others.

    >>> branch_tag("more-trees"), branch_tag("it's")
    ('workbench.branch.more-trees', 'workbench.branch.it_s-24ceef1c')
    """
    tag = f"workbench.branch.{name}"
    try:
        return check_name("tag", tag)
    except UsageError:
        plain = re.sub(r"[^/\w.\- :]", "_", tag)[:200]
        return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def list_branches(project: Project | None = None) -> list[Branch]:
    """List the branches, the current one included, each with its distance to the protected one."""
    project = project or Project.find()
    repository = _repository(project)
    protected = project.settings.protected_branch
    base = protected if protected in repository.branches() else None
    return git_branches.list_branches(repository, base=base)


def list_dropped(project: Project | None = None) -> list[Dropped]:
    """List the branches that `restore_branch` can bring back, the last committed to first."""
    return git_branches.list_dropped(_repository(project or Project.find()))


def start_branch(name: str, *, base: str | None = None, project: Project | None = None) -> Switched:
    """Begin an experiment: a branch from `base` (HEAD if None), with the work at hand.

    Raises
    ------
    GitError
        If the name can't be used or is taken, or work would be overwritten.
    """
    project = project or Project.find()
    require(project, "developer", f"start {name}")
    repository = _repository(project)
    started = git_branches.start(repository, name, base=base)
    _note(project, name, "open", base=repository.status().commit)
    return started


def switch_branch(name: str, *, keep: bool = False, project: Project | None = None) -> Switched:
    """Go to another branch.

    Changes that aren't committed come along; with `keep` they stay with the branch that they were
    made on, and are there again when one comes back to it.

    Raises
    ------
    GitError
        If there is no such branch, or changes that would come along are in its way.
    """
    project = project or Project.find()
    require(project, "developer", f"switch to {name}")
    state = project.settings.state_dir
    leave = () if state.is_absolute() else (state.as_posix(),)
    work: Literal["keep", "carry"] = "keep" if keep else "carry"
    return git_branches.switch(_repository(project), name, work=work, leave=leave)


def bring_back_work(*, project: Project | None = None) -> list[str]:
    """Bring back the work that is kept with the current branch; return its paths."""
    project = project or Project.find()
    require(project, "developer", "bring work back")
    return git_branches.bring_back(_repository(project))


def put_work_aside(name: str, *, project: Project | None = None) -> str | None:
    """Move the work kept with a branch out of the way; return the ref that has it, if any was."""
    project = project or Project.find()
    require(project, "developer", f"put the work of {name} aside")
    return git_branches.put_aside(_repository(project), name)


def plan_merge(
    name: str, *, choices: Mapping[str, Any] | None = None, project: Project | None = None
) -> MergePlan:
    """Say what merging `name` into the current branch would do; nothing is changed."""
    return git_merging.plan_merge(_repository(project or Project.find()), name, choices=choices)


def merge_branch(
    name: str,
    *,
    choices: Mapping[str, Any] | None = None,
    message: str | None = None,
    project: Project | None = None,
) -> MergeResult:
    """Choose the winner: merge `name` into the current branch.

    Its runs say then that it was merged; those of the protected branch, of which an experiment may
    need the newest state, and of a branch that was merged before, do not.

    Parameters
    ----------
    choices
        For each conflict's id `ours`, `theirs`, `both` or `base`, or a text as `Own`.

    Raises
    ------
    MergeConflictError
        If conflicts are left without a choice; it has them. Nothing was changed.
    GitError
        If work in the tree is in the way; then nothing was changed either.
    """
    project = project or Project.find()
    require(project, "developer", f"merge {name}")
    result = git_merging.merge(_repository(project), name, choices=choices, message=message)
    if name != project.settings.protected_branch and result.standing != "merged":
        _note(project, name, "merged", commit=result.commit)
        _tag_runs(project, name, "merged")
    return result


def drop_branch(name: str, *, force: bool = False, project: Project | None = None) -> Dropped:
    """End an experiment without merging it. Its runs stay, tagged; `restore_branch` undoes it.

    Raises
    ------
    GitError
        If it is the current or the protected branch, or has uncommitted work kept with it and
        `force` isn't set.
    """
    project = project or Project.find()
    require(project, "developer", f"drop {name}")
    protected = project.settings.protected_branch
    dropped = git_branches.drop(_repository(project), name, protected=protected, force=force)
    _note(project, name, "dropped", commit=dropped.commit)
    _tag_runs(project, name, "dropped")
    return dropped


def restore_branch(name: str, *, project: Project | None = None) -> Dropped:
    """Bring a dropped branch back as it was."""
    project = project or Project.find()
    require(project, "developer", f"restore {name}")
    restored = git_branches.restore(_repository(project), name)
    _note(project, name, "open", base=restored.commit)
    _tag_runs(project, name, "open")
    return restored


def _repository(project: Project) -> Repository:
    repository = Repository(project.root)
    if not repository.exists:
        raise GitError(f"{project.root}: not a Git repository, so it has no branches: git init")
    return repository


def _note(project: Project, name: str, state: str, **more: Any) -> None:
    """Write the branch's state to MLflow's experiment; Git has done its part already."""
    told = json.dumps({"branch": name, "state": state, "at": now().isoformat(), **more})
    try:
        tag_experiment(project, branch_tag(name), told)
    except WorkbenchError as error:
        _logger.warning("branch %s is %s, which MLflow wasn't told: %s", name, state, error)


def _tag_runs(project: Project, name: str, state: str) -> None:
    try:
        for run in runs_of_branch(project, name):
            writer = Writer(project, run.run_id)
            writer.tags({BRANCH_STATE: state})
            writer.close()
    except WorkbenchError as error:
        _logger.warning("the runs of %s don't say that it is %s: %s", name, state, error)
