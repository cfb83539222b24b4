"""What went wrong, as HTTP says it: one mapping from errors to problem documents (RFC 9457)."""

from __future__ import annotations

import re
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict
from tornado.web import HTTPError

from workbench.errors import (
    ForbiddenError,
    NotAProjectError,
    NotFoundError,
    StoreError,
    UsageError,
    WorkbenchError,
)

__all__ = ["Problem", "problem_of"]

# The first match counts: a NotFoundError is a UsageError too.
_STATUS: tuple[tuple[type[WorkbenchError], HTTPStatus], ...] = (
    (NotAProjectError, HTTPStatus.NOT_FOUND),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
    (WorkbenchError, HTTPStatus.CONFLICT),
)


class Problem(BaseModel):
    """A problem document. `type` names the family of the error and is what a client tests."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str


def problem_of(error: BaseException) -> Problem:
    """Describe `error` for a client.

    The message of an error that we raise on purpose is written for the user and is passed on. That
    of any other isn't, and may hold what a client shouldn't see: it goes to the server's log only.

    >>> problem_of(NotFoundError("unknown model 'late'")).type
    'urn:workbench:not-found'
    """
    if isinstance(error, HTTPError):
        status = HTTPStatus(error.status_code)
        message = error.log_message % error.args if error.log_message else status.phrase
        return _problem("about:blank", status, message)
    for family, status in _STATUS:
        if isinstance(error, family):
            return _problem(f"urn:workbench:{_slug(type(error))}", status, str(error))
    return _problem(
        "about:blank",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Workbench failed unexpectedly; the Jupyter server's log says where",
    )


def _problem(kind: str, status: HTTPStatus, detail: str) -> Problem:
    return Problem(type=kind, title=status.phrase, status=status.value, detail=detail)


def _slug(family: type[WorkbenchError]) -> str:
    """Name an error family in a URN: NotAProjectError is `not-a-project`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", family.__name__.removesuffix("Error")).lower()
