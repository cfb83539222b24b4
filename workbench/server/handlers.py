"""One handler behind every operation."""

# jupyter_server's types are skipped (pyproject.toml): its classes and decorators are Any to mypy.
# mypy: disable-error-code="misc,untyped-decorator"

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from pydantic_core import to_json, to_jsonable_python
from tornado import web

from workbench.access import act_as
from workbench.errors import WorkbenchError
from workbench.server.identity import names_of
from workbench.server.operation import Operation, Query
from workbench.server.problems import problem_of
from workbench.server.projects import open_project
from workbench.server.sent import MOST_BYTES, body_of, check_size, refuse_nul
from workbench.server.table import NoOperationError, operations
from workbench.settings import validate

__all__ = ["MOST_BYTES", "VERSION_HEADER", "Handler", "OperationHandler"]

VERSION_HEADER = "X-Workbench-Version"
"""In every answer, so that a sidebar of another version can say so."""


@cache
def _version() -> str:
    return version("jupyter-workbench")


class Handler(APIHandler):
    """Answers in JSON, and in problem+json when something went wrong.

    All that a request calls is asked by its user, so no operation can forget to say who asks:
    Tornado prepares and answers it in one task, whose context `asyncio.to_thread` takes along. A
    bare `run_in_executor` wouldn't.
    """

    auth_resource = "workbench"
    _content_type = "application/json"
    _methods: Sequence[str] = ("DELETE", "GET", "PATCH", "POST", "PUT")

    async def prepare(self) -> None:
        """Find out who asks, before any method runs."""
        await super().prepare()
        updatable = list(getattr(self.identity_provider, "updatable_fields", []))
        names = names_of(self.current_user, updatable)
        if names:
            act_as(*names)

    def set_default_headers(self) -> None:
        """Say the version, in refusals too, and that nobody else's cache is to keep the answer."""
        super().set_default_headers()
        self.set_header(VERSION_HEADER, _version())
        self.set_header("Cache-Control", "no-store")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what went wrong; Tornado calls this for whatever a handler raises."""
        _, error, _ = kwargs.get("exc_info", (None, web.HTTPError(status_code), None))
        problem = problem_of(error)
        self.set_status(problem.status)
        if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header(
                "Allow", ", ".join(self._methods)
            )  # what was set before, Tornado clears
        self._content_type = "application/problem+json"
        self.finish(problem.model_dump_json())

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Keep tracebacks for what is unexpected; a folder that is no project is a normal state."""
        if not isinstance(value, WorkbenchError):
            super().log_exception(typ, value, tb)

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        """Send the answer with our content type, which `APIHandler` would reset."""
        return super().finish(*args, set_content_type=self._content_type, **kwargs)

    def said(self, model: type[Query]) -> Query:
        """Read what the address says, as it says it: `get_argument` would make a NUL a space."""
        lists = {key for key, field in model.model_fields.items() if field.annotation == list[str]}
        found: dict[str, Any] = {}
        for key, raw in self.request.query_arguments.items():
            said = [self.decode_argument(one, key) for one in raw]
            found[key] = said if key in lists else said[-1]
        refuse_nul(found, "query")
        return validate(model, found, "query")

    @property
    def served(self) -> Path:
        """The folder that the Jupyter server serves."""
        return Path(self.settings["server_root_dir"]).expanduser()


def _carries_out(action: Literal["read", "write"]) -> Any:
    """Make the method of a handler that its authorizer has to allow as `action`.

    The action is said, for `authorized` by itself would go by the first request that a method ever
    has: a method for GET and POST would be `read` for good if a GET came first.
    """

    @web.authenticated
    @authorized(action)
    async def method(handler: OperationHandler, path: str) -> None:
        await handler.carry_out(path)

    return method


class OperationHandler(Handler):
    """Carries out whichever operation an address and a method mean."""

    get = head = _carries_out("read")
    post = put = patch = delete = _carries_out("write")

    async def carry_out(self, path: str) -> None:
        """Find the operation, do it in a thread, and answer."""
        check_size(self.request)
        try:
            table = await asyncio.to_thread(operations)
            operation, names = table.find(self.request.method, self._raw())
        except NoOperationError as error:
            if not error.allowed:
                raise web.HTTPError(404, f"nothing at {path}") from error
            self._methods = error.allowed
            raise web.HTTPError(405, f"expected {' or '.join(error.allowed)}") from error
        refuse_nul(names, "address")
        body = body_of(self.request) if operation.body is not None else None
        answer = await asyncio.to_thread(self._answer, operation, body, names)
        self.set_status(operation.status)
        self.finish(answer)

    def _raw(self) -> str:
        """Return the path as it came: of its parts each may have a quoted slash."""
        return str(self.request.path).removeprefix(f"{self.base_url}workbench/api")

    def _answer(self, operation: Operation, body: Any, names: dict[str, str]) -> bytes:
        """Do the work that blocks: files, Git, databases, writing the JSON."""
        project = open_project(self.served, self.said(Query).path)
        query = self.said(operation.query)
        found = operation.ask(project, self.served, query, body, names)
        # JSON has no NaN. A metric that is one is said so: pydantic would make it null.
        return to_json(to_jsonable_python(found), inf_nan_mode="strings")
