"""Whether somebody may."""

from __future__ import annotations

from workbench.access.people import ROLES, Person, Role, who
from workbench.errors import ForbiddenError
from workbench.project import Project

__all__ = ["at_least", "require"]


def at_least(person: Person, role: Role) -> bool:
    """Tell whether somebody has `role` or more."""
    return ROLES.index(person.role) >= ROLES.index(role)


def require(project: Project, role: Role, what: str) -> Person:
    """Return who asks, if they may.

    Parameters
    ----------
    what
        What they want to do, as it stands in the refusal: `promote flights-late`.

    Raises
    ------
    ForbiddenError
        If their role isn't `role` or more.
    """
    person = who(project)
    if not at_least(person, role):
        raise ForbiddenError(
            f"{person.name} is {person.role} here and may not {what}: that takes the role {role}, "
            f"which [roles] in workbench.toml gives"
        )
    return person
