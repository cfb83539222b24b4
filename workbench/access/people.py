"""Who is asking, and which role they have."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from workbench.git import Repository
from workbench.project import Project

__all__ = ["ROLES", "Person", "Role", "act_as", "acting_as", "role_of", "who"]

Role = Literal["viewer", "developer", "approver", "admin"]

ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most."""


class Person(BaseModel):
    """Somebody, by each name that `[roles]` may know them by, the one to show first."""

    model_config = ConfigDict(frozen=True)

    names: tuple[str, ...]
    role: Role
    known_by: str
    """Who says so: `jupyter`, `jupyterhub`, `git` or `system`."""

    @property
    def name(self) -> str:
        """The name for records."""
        return self.names[0]


_acting: ContextVar[tuple[tuple[str, ...], str] | None] = ContextVar("acting", default=None)


@contextmanager
def acting_as(*names: str, known_by: str = "jupyter") -> Iterator[None]:
    """Let what is called within be asked by somebody whom a server has let in."""
    token = _acting.set((names, known_by))
    try:
        yield
    finally:
        _acting.reset(token)


def act_as(*names: str, known_by: str = "jupyter") -> None:
    """Let all that this context still calls be asked by somebody: a request's task, to its end."""
    _acting.set((names, known_by))


def who(project: Project) -> Person:
    """Say who asks and which role they have in `project`.

    A server's user counts first, then JupyterHub's, whose kernels and terminals carry the name in
    their environment, then Git's `user.email` and `user.name`, then the system's.
    """
    names, known_by = _acting.get() or _from_environment() or _from_git(project) or _from_system()
    return Person(names=names, role=role_of(project, *names), known_by=known_by)


def _from_environment() -> tuple[tuple[str, ...], str] | None:
    name = os.environ.get("JUPYTERHUB_USER", "")
    return ((name,), "jupyterhub") if name else None


def _from_git(project: Project) -> tuple[tuple[str, ...], str] | None:
    repository = Repository(project.root)
    names = repository.user() if repository.exists else ()
    return (names, "git") if names else None


def _from_system() -> tuple[tuple[str, ...], str]:
    return (getpass.getuser(),), "system"


def role_of(project: Project, *names: str) -> Role:
    """Return the highest role that any of somebody's names has, or everybody (`*`); else viewer."""
    roles = project.settings.roles.model_dump()
    if not any(roles.values()):
        return "admin"
    for role in reversed(ROLES):
        if {*names, "*"} & set(roles[role]):
            return role
    return "viewer"
