"""Where the work tree stands."""

from __future__ import annotations

from workbench.git import Repository, Status
from workbench.project import Project
from workbench.server.operation import Operation

__all__ = ["OPERATIONS"]


def get_branch(project: Project) -> Status:
    """Say which branch is checked out, and which files differ from its last commit."""
    return Repository(project.root).status()


OPERATIONS = (Operation("GET", "/branch", get_branch),)
