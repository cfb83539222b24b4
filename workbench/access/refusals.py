"""What a store's server says to who may not, in one line of ours."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from workbench.access.people import Role
from workbench.errors import ForbiddenError, WorkbenchError

__all__ = ["login_name", "refusal", "refusals", "refused", "shown_address"]


@contextmanager
def refusals(what: str, role: Role = "developer") -> Iterator[None]:
    """Let MLflow's server say no to what is done within, as a `ForbiddenError`.

    Parameters
    ----------
    what
        What is done, as it stands in the refusal: `promote flights-late`.
    role
        Who may on that server, by `workbench roles apply`.

    Raises
    ------
    ForbiddenError
        If the server doesn't know the login, or doesn't let it.
    """
    try:
        yield
    except WorkbenchError:
        raise
    except Exception as error:
        told = refusal(error, what, role)
        if told is None:
            raise
        raise told from error


def refusal(error: Exception, what: str, role: Role = "developer") -> ForbiddenError | None:
    """Return a server's refusal as an error of ours; None if the error is none."""
    return refused(_status(error), what, role)


def refused(status: int, what: str, role: Role = "developer") -> ForbiddenError | None:
    """Return the error for the HTTP status of an answer; None if it is no refusal."""
    login = login_name()
    if status == HTTPStatus.FORBIDDEN:
        return ForbiddenError(
            f"{login or 'who this login is of'} may not {what}: MLflow's server refuses it, where "
            f"that takes the role {role} (an admin gives it: `workbench roles apply`)"
        )
    if status == HTTPStatus.UNAUTHORIZED:
        known = f"doesn't know the login {login} with this password" if login else "wants a login"
        return ForbiddenError(
            f"can't {what}: MLflow's server {known}: set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD"
        )
    return None


def login_name() -> str:
    """Return the name that MLflow logs in with on a server; empty if it has none."""
    if name := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        return name
    from mlflow.utils.credentials import read_mlflow_creds  # which knows MLflow's file as well

    return str(read_mlflow_creds().username or "")


def shown_address(uri: str) -> str:
    """Leave user and password out of an address."""
    return re.sub(r"//[^/@]*@", "//", uri)


def _status(error: Exception) -> int:
    """Return the HTTP status behind an error of MLflow, or of `requests` for files; else 0."""
    told = getattr(error, "get_http_status_code", None)
    if told is not None:
        return int(told())
    return int(getattr(getattr(error, "response", None), "status_code", None) or 0)
