"""The project itself."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from workbench.access import Role, who
from workbench.project import Project
from workbench.server.operation import Operation

__all__ = ["OPERATIONS", "ProjectInfo"]


class ProjectInfo(BaseModel):
    """The project that a folder is in."""

    model_config = ConfigDict(frozen=True)

    name: str
    root: str
    folder: str | None = Field(
        description="its root from the server's root; null if it is above the server's root"
    )
    user: str = Field(description="who asks")
    role: Role | None = Field(description="what they may do here; null for nothing")


def get_project(project: Project, served: Path) -> ProjectInfo:
    """Say which project a folder is in, and who asks."""
    root, top = project.root, served.resolve()
    folder = root.relative_to(top).as_posix() if root.is_relative_to(top) else None
    person = who(project)
    return ProjectInfo(
        name=project.name,
        root=str(root),
        folder="" if folder == "." else folder,
        user=person.name,
        role=person.role,
    )


OPERATIONS = (Operation("GET", "/project", get_project),)
