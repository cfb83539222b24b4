"""The roles of `[roles]`, given to the logins of the project's server: planned, shown, then done.

Each of our roles is one on the server, named after the project, which holds a level on the
project's experiment and on each of its models; people are its members. What is there already is
left, so doing it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

from workbench.access.people import ROLES, Role, role_of
from workbench.access.team.server import Grant, Login, LoginServer, ServerRole
from workbench.errors import NotFoundError, UsageError
from workbench.project import Project

__all__ = ["LEVELS", "Plan", "Resources", "Step", "apply_roles", "find_gaps", "plan_roles"]

LEVELS: Mapping[Role, str] = {
    "viewer": "READ",
    "developer": "EDIT",
    "approver": "MANAGE",
    "admin": "MANAGE",
}
"""What each role may do with the project's experiment and models on the server."""

_ORDER = ("NO_PERMISSIONS", "READ", "USE", "EDIT", "MANAGE")
_CREATING = ("workspace", "*")
"""Where a server has workspaces, USE of it is what lets a developer make a model of a new name."""


class Resources(BaseModel):
    """What of the project is on the server: the experiment's id and the models' names."""

    model_config = ConfigDict(frozen=True)

    experiment: str
    models: list[str]

    @property
    def all(self) -> list[tuple[str, str]]:
        """Each as the server names it."""
        return [("experiment", self.experiment), *(("registered_model", m) for m in self.models)]


class Step(BaseModel):
    """One change on the server."""

    model_config = ConfigDict(frozen=True)

    action: Literal["login", "role", "grant", "change", "remove", "assign", "unassign", "revoke"]
    role: str = ""
    login: str = ""
    resource: tuple[str, str] = ("", "")
    level: str = ""
    was: str = ""

    def __str__(self) -> str:
        """Say it in a line."""
        on = " ".join(self.resource)
        return {
            "login": f"make the login {self.login}",
            "role": f"make the role {self.role}",
            "grant": f"{self.role}: {self.level} on {on}",
            "change": f"{self.role}: {self.level} on {on} (was {self.was})",
            "remove": f"{self.role}: nothing on {on} any more (was {self.was})",
            "assign": f"{self.login} becomes {self.role}",
            "unassign": f"{self.login} is {self.role} no more",
            "revoke": f"{self.login}: {self.was} on {on}, given to them alone, is taken back",
        }[self.action]


class Plan(BaseModel):
    """What has to change, and what can't be changed from here."""

    model_config = ConfigDict(frozen=True)

    steps: list[Step]
    unknown: dict[str, Role]
    """Names in `[roles]` that have no login, with the role they would have."""
    remarks: list[str]


@dataclass(frozen=True)
class _Team:
    """Who the project knows, and what there is on the server."""

    project: Project
    resources: Resources
    logins: Sequence[Login]
    roles: Mapping[str, ServerRole] = field(default_factory=dict)

    def name(self, role: Role) -> str:
        return f"{self.project.name}-{role}"

    def wanted(self, login: str) -> Role | None:
        """Return the role of a login; None of one that `[roles]` doesn't speak of."""
        named = self.project.settings.roles.model_dump()
        if {login, "*"} & {name for names in named.values() for name in names}:
            return role_of(self.project, login)
        return None

    def grants(self, role: Role) -> dict[tuple[str, str], str]:
        """Return what the role has to be granted."""
        creating = {} if role == "viewer" else {_CREATING: "USE"}
        return {**dict.fromkeys(self.resources.all, LEVELS[role]), **creating}


def plan_roles(
    project: Project, resources: Resources, server: LoginServer, create: Sequence[str] = ()
) -> Plan:
    """Compare `[roles]` with what the server has.

    Parameters
    ----------
    create
        Names that are to get a login.

    Raises
    ------
    UsageError
        If the project has no `[roles]`.
    NotFoundError
        If `[roles]` doesn't have one of the names in `create`.
    ForbiddenError
        If who asks isn't an admin of the server.
    """
    server.require_admin()
    if not any(project.settings.roles.model_dump().values()):
        raise UsageError(f"{project.root / 'workbench.toml'} has no [roles] to apply")
    unknown = _without_login(project, logins := server.logins())
    for name in create:
        if name not in unknown and name not in {login.username for login in logins}:
            raise NotFoundError.named("name without a login", name, unknown, " in [roles]")
    fresh = [name for name in dict.fromkeys(create) if name in unknown]
    everybody = [*logins, *(Login(username=name, is_admin=False) for name in fresh)]
    team = _Team(project, resources, everybody, server.roles())
    return Plan(
        steps=[
            *(Step(action="login", login=name) for name in fresh),
            *(step for role in ROLES for step in _role_steps(team, role)),
            *(step for login in everybody for step in _login_steps(team, login)),
        ],
        unknown={name: role for name, role in unknown.items() if name not in fresh},
        remarks=_remarks(team, server),
    )


def apply_roles(plan: Plan, server: LoginServer, password: Callable[[str], str]) -> None:
    """Carry a plan out, step by step; after a failure, a new plan has what is left.

    Parameters
    ----------
    password
        Gives the first password of a login that is made. It goes to the server and nowhere else.
    """
    roles = server.roles()
    for step in plan.steps:
        if step.action == "login":
            server.create_login(step.login, password(step.login))
        elif step.action == "role":
            description = f"Workbench: {step.role.rpartition('-')[2]}"
            roles[step.role] = server.create_role(step.role, description)
        elif step.action == "revoke":
            server.revoke_personal(step.login, step.resource)
        else:
            _change(server, roles[step.role], step)


def find_gaps(project: Project, resources: Resources, server: LoginServer) -> list[str]:
    """Say where a login may more, or less, than its role says, all on the server taken together.

    The server's `default_permission`, or a role that isn't ours, can give more than we do.
    """
    team = _Team(project, resources, server.logins())
    gaps = []
    for login in team.logins:
        role = team.wanted(login.username)
        for resource in resources.all if role and not login.is_admin else ():
            found, wanted = server.permission(login.username, resource), LEVELS[role or "viewer"]
            if found != wanted:
                why = (
                    "the server's default_permission, or another role there, gives it"
                    if _rank(found) > _rank(wanted)
                    else "a role there denies it"
                )
                on = " ".join(resource)
                gaps.append(f"{login.username} is {role} and has {found} on {on}: {why}")
    return gaps


def _change(server: LoginServer, role: ServerRole, step: Step) -> None:
    held = {grant.resource: grant.id for grant in role.permissions}
    if step.action == "grant":
        server.grant(role.id, step.resource, step.level)
    elif step.action == "change":
        server.change(held[step.resource], step.level)
    elif step.action == "remove":
        server.remove(held[step.resource])
    elif step.action == "assign":
        server.assign(step.login, role.id)
    elif step.action == "unassign":
        server.unassign(step.login, role.id)


def _without_login(project: Project, logins: Sequence[Login]) -> dict[str, Role]:
    named = project.settings.roles.model_dump()
    known = {"*", *(login.username for login in logins)}
    names = dict.fromkeys(name for role in ROLES for name in named[role])
    return {name: role_of(project, name) for name in names if name not in known}


def _role_steps(team: _Team, role: Role) -> Iterator[Step]:
    """Give the steps to a role that has its grants and no others."""
    name = team.name(role)
    there = team.roles.get(name)
    if there is None:
        yield Step(action="role", role=name)
    held = {grant.resource: grant for grant in there.permissions} if there else {}
    wanted = team.grants(role)
    for resource, level in wanted.items():
        was = held[resource].permission if resource in held else ""
        if was != level:
            action: Literal["change", "grant"] = "change" if was else "grant"
            yield Step(action=action, role=name, resource=resource, level=level, was=was)
    for resource, grant in held.items():
        if resource not in wanted:
            yield Step(action="remove", role=name, resource=resource, was=grant.permission)


def _login_steps(team: _Team, login: Login) -> Iterator[Step]:
    """Give the steps to a login that has its role, and nothing of its own that goes further."""
    if login.is_admin:
        return
    wanted = team.wanted(login.username)
    ours = {team.name(role): role for role in ROLES}
    has = [role.name for role in login.roles if role.name in ours]
    if wanted is not None and team.name(wanted) not in has:
        yield Step(action="assign", login=login.username, role=team.name(wanted))
    for name in has:
        if ours[name] != wanted:
            yield Step(action="unassign", login=login.username, role=name)
    for grant in _personal(team, login):
        if wanted is None or _rank(grant.permission) > _rank(LEVELS[wanted]):
            yield Step(
                action="revoke",
                login=login.username,
                resource=grant.resource,
                was=grant.permission,
            )


def _personal(team: _Team, login: Login) -> list[Grant]:
    """List what a login was granted alone on what is the project's: who makes a model gets MANAGE.

    What is denied to somebody alone was meant so.
    """
    return [
        grant
        for role in login.roles
        if role.is_personal
        for grant in role.permissions
        if grant.resource in team.resources.all and grant.permission in _ORDER
    ]


def _remarks(team: _Team, server: LoginServer) -> list[str]:
    remarks = [
        f"{login.username} is {role} here and an admin of the server, where no role limits them"
        for login in team.logins
        if login.is_admin and (role := team.wanted(login.username)) not in (None, "admin")
    ]
    if server.everybody_creates():
        remarks.append(
            "this server lets every login make experiments and models of new names, viewers too; "
            "one with workspaces doesn't (mlflow server --enable-workspaces)"
        )
    return remarks


def _rank(level: str) -> int:
    return _ORDER.index(level) if level in _ORDER else -1
