"""What a client sent, read before anything is done with it."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

__all__ = ["MOST_BYTES", "body_of", "check_size", "refuse_nul"]

MOST_BYTES = 1_000_000
"""The largest body that is read: a form is small, and no file is sent this way."""


def check_size(request: HTTPServerRequest) -> None:
    """Refuse a body that is too large, whether or not anybody wants it."""
    if len(request.body) > MOST_BYTES:
        raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MOST_BYTES:,} bytes")


def body_of(request: HTTPServerRequest) -> dict[str, Any]:
    """Read the JSON object that a request brings."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected application/json")
    try:
        found = json.loads(request.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise HTTPError(400, "body: expected JSON") from error
    if not isinstance(found, dict):
        raise HTTPError(400, "body: expected an object")
    refuse_nul(found, "body")
    return found


def refuse_nul(found: Any, where: str) -> None:
    """Refuse a NUL in any text: no path, name or argument of a command may have one."""
    waiting = [found]
    while waiting:  # rather than recursion, of which what was sent would choose the depth
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and "\0" in one:
            raise HTTPError(400, f"{where}: a text has a NUL in it")


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
