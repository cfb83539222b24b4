"""A branch is a safe place: nothing done on it moves an alias that production uses."""

from __future__ import annotations

from workbench.errors import GateRefusedError, GitError
from workbench.git import Repository
from workbench.git.command import run_git
from workbench.project import Project

__all__ = ["refuse_from_branch"]


def refuse_from_branch(project: Project, alias: str) -> None:
    """Refuse to move an alias of production from any branch but the protected one.

    Without Git there are no branches and nothing to protect. A detached HEAD, as CI checks out, is
    the protected branch if that branch holds its commit.

    Raises
    ------
    GateRefusedError
        If the project's code stands elsewhere; it says where, and what may be done.
    """
    protected = project.settings.protected_branch
    if alias not in project.settings.production_aliases:
        return
    repository = Repository(project.root)
    if not repository.exists:
        return
    status = repository.status()
    if status.branch == protected or (status.detached and _holds(repository, protected)):
        return
    where = f"branch {status.branch}" if status.branch else "a commit outside of it"
    raise GateRefusedError(
        f"alias {alias} is production's, which follows branch {protected}; this is {where}: "
        f"merge it first (`workbench branch merge`), or use an alias that isn't among "
        f"production_aliases ({', '.join(project.settings.production_aliases)})"
    )


def _holds(repository: Repository, branch: str) -> bool:
    """Whether the commit that is checked out is on `branch`."""
    ref = f"refs/heads/{branch}"
    try:
        command = ("merge-base", "--is-ancestor", "HEAD", ref)
        return run_git(repository.root, *command, accept=(0, 1)).returncode == 0
    except GitError:
        return False  # no such branch
