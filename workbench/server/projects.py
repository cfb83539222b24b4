"""Which project a request is about."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import NotFoundError, UsageError
from workbench.project import Project

__all__ = ["open_project"]


def open_project(server_root: Path, path: str) -> Project:
    """Open the project that the folder `path`, relative to `server_root`, is in.

    Raises
    ------
    UsageError
        If `path` leads out of the server's root, by `..`, an absolute path or a link.
    NotFoundError
        If there is no such folder.
    NotAProjectError
        If it isn't in a project.
    """
    root = server_root.resolve()
    try:
        folder = (root / path).resolve()
        is_there = folder.is_dir()
    except (OSError, RuntimeError, ValueError) as error:  # too long, in a circle, with a NUL
        raise UsageError(f"{path!r}: can't be followed") from error
    if not folder.is_relative_to(root):
        raise UsageError(f"{path}: outside the folder that the Jupyter server serves")
    if not is_there:
        raise NotFoundError(f"{path}: there is no such folder")
    return Project.find(folder)
