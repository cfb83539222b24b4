"""The logins of a team's `mlflow server`, as its app `basic-auth` keeps them.

MLflow has a client for it, which imports the whole server and its packages; these few requests
need neither.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from workbench.access.refusals import refused, shown_address
from workbench.errors import ForbiddenError, NotFoundError, StoreError, UsageError
from workbench.project import Project

__all__ = ["Grant", "Login", "LoginServer", "ServerRole"]

_V2, _V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"
_CONNECT_SECONDS, _ANSWER_SECONDS = 3.0, 30.0
_WORKSPACE = "default"
"""The workspace that everything is in, on a server without workspaces too."""


class Grant(BaseModel):
    """A level of permission on one resource: a kind, an id or name, and READ, EDIT, MANAGE, …."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int = 0
    resource_type: str
    resource_pattern: str
    permission: str

    @property
    def resource(self) -> tuple[str, str]:
        """What it is on."""
        return self.resource_type, self.resource_pattern


class ServerRole(BaseModel):
    """A role on the server: grants that its members share."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: int
    name: str
    permissions: list[Grant] = []

    @property
    def is_personal(self) -> bool:
        """Whether it holds what was granted to one login alone, as to who made a model."""
        return self.name.startswith("__user_")


class Login(BaseModel):
    """Somebody who can log in. An admin of the server may do everything on it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    username: str
    is_admin: bool
    roles: list[ServerRole] = []


class LoginServer:
    """A server with logins. Asked by who MLFLOW_TRACKING_USERNAME and its password say.

    Every method raises `ForbiddenError` if that login may not ask, and `StoreError` if nobody
    answers.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    @classmethod
    def of(cls, project: Project) -> LoginServer:
        """Return the one that the project's store is.

        Raises
        ------
        UsageError
            If the store is no server: who can write its file, or its database, can write it all.
        """
        if not project.tracking_uri.startswith(("http://", "https://")):
            raise UsageError(
                f"{shown_address(project.tracking_uri)}: no server, so nobody logs in; a team's "
                "tracking_uri is that of `mlflow server --app-name basic-auth`"
            )
        return cls(project.tracking_uri)

    def me(self) -> Login:
        """Return whose login it is that asks."""
        return Login.model_validate(self._ask("GET", f"{_V2}/users/current")["user"])

    def require_admin(self) -> None:
        """Refuse who is no admin of the server; MLflow would show them a part of what there is."""
        me = self.me()
        if not me.is_admin:
            raise ForbiddenError(
                f"{me.username} is no admin of {self._shown}, as giving roles there takes: set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )

    def logins(self) -> list[Login]:
        """List all logins with their roles; other people's roles are for an admin to see."""
        found = self._ask("GET", f"{_V2}/users/list")["users"]
        return sorted(map(Login.model_validate, found), key=lambda login: login.username)

    def create_login(self, name: str, password: str) -> None:
        """Make a login."""
        self._ask("POST", f"{_V2}/users/create", json={"username": name, "password": password})

    def permission(self, login: str, resource: tuple[str, str]) -> str:
        """Return what a login may do with a resource, all grants and defaults taken together."""
        kind, pattern = resource
        asked = {"username": login, "resource_type": kind, "resource_id": pattern}
        return str(self._ask("GET", f"{_V3}/users/permissions/get", params=asked)["permission"])

    def revoke_personal(self, login: str, resource: tuple[str, str]) -> None:
        """Take away what was granted to a login alone."""
        kind, pattern = resource
        asked = {"username": login, "resource_type": kind, "resource_id": pattern}
        self._ask("POST", f"{_V3}/users/permissions/revoke", json=asked)

    def roles(self) -> dict[str, ServerRole]:
        """Return the server's roles by name."""
        found = self._ask("GET", f"{_V3}/roles/list", params={"workspace": _WORKSPACE})["roles"]
        return {role.name: role for role in map(ServerRole.model_validate, found)}

    def create_role(self, name: str, description: str) -> ServerRole:
        """Make a role without grants."""
        asked = {"name": name, "workspace": _WORKSPACE, "description": description}
        return ServerRole.model_validate(
            self._ask("POST", f"{_V3}/roles/create", json=asked)["role"]
        )

    def grant(self, role: int, resource: tuple[str, str], permission: str) -> None:
        """Give a role a permission that it hasn't in any level."""
        kind, pattern = resource
        asked = {
            "role_id": role,
            "resource_type": kind,
            "resource_pattern": pattern,
            "permission": permission,
        }
        self._ask("POST", f"{_V3}/roles/permissions/add", json=asked)

    def change(self, grant: int, permission: str) -> None:
        """Change the level of a role's grant."""
        asked = {"role_permission_id": grant, "permission": permission}
        self._ask("PATCH", f"{_V3}/roles/permissions/update", json=asked)

    def remove(self, grant: int) -> None:
        """Take a grant away from its role."""
        asked = {"role_permission_id": grant}
        self._ask("DELETE", f"{_V3}/roles/permissions/remove", json=asked)

    def assign(self, login: str, role: int) -> None:
        """Make a login a member of a role."""
        self._ask("POST", f"{_V3}/roles/assign", json={"username": login, "role_id": role})

    def unassign(self, login: str, role: int) -> None:
        """End that."""
        self._ask("DELETE", f"{_V3}/roles/unassign", json={"username": login, "role_id": role})

    def everybody_creates(self) -> bool:
        """Tell whether every login may make experiments and models of new names."""
        return not self._ask("GET", f"{_V3}/server-info").get("workspaces_enabled", False)

    def _ask(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        from mlflow.exceptions import MlflowException
        from mlflow.utils.credentials import get_default_host_creds
        from mlflow.utils.rest_utils import http_request

        try:
            answer = http_request(
                get_default_host_creds(self.address),
                path,
                method,
                max_retries=1,
                raise_on_status=False,
                timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
                **content,
            )
        except MlflowException as error:
            raise StoreError(f"MLflow at {self._shown}: no answer") from error
        what = f"see to the logins of {self._shown}"
        told = refused(answer.status_code, what, "admin")
        if told is not None:
            raise told
        return self._read(answer, path)

    def _read(self, answer: Any, path: str) -> dict[str, Any]:
        """Return an answer's content; what the server says of a failure never holds a password."""
        try:
            content = answer.json() if answer.text.strip() else {}
        except ValueError:
            content = {}
        if answer.status_code < 300 and isinstance(content, dict):
            return content
        said = content.get("message", "") if isinstance(content, dict) else ""
        if answer.status_code == 404 and not said:
            raise UsageError(
                f"MLflow at {self._shown} has no logins: it runs without `--app-name basic-auth`"
            )
        family = NotFoundError if answer.status_code == 404 else UsageError
        told = said or f"answers {answer.status_code}"
        raise family(f"MLflow at {self._shown}: {path.rpartition('mlflow/')[2]}: {told}")

    @property
    def _shown(self) -> str:
        return shown_address(self.address)
