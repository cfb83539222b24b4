"""The one handler behind every route."""

# jupyter_server's types are skipped (pyproject.toml): its classes and decorators are Any to mypy.
# mypy: disable-error-code="misc,untyped-decorator"

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from pydantic_core import to_json, to_jsonable_python
from tornado import web

from workbench.access import act_as
from workbench.errors import WorkbenchError
from workbench.server.identity import names_of
from workbench.server.problems import problem_of
from workbench.server.routes import Query, Read, open_project
from workbench.settings import validate

__all__ = ["ReadHandler", "UnknownRouteHandler"]


class _Handler(APIHandler):
    """Answers in JSON, and in problem+json when something went wrong.

    All that a request calls is asked by its user, so no route can forget to say who asks: Tornado
    prepares and answers it in one task, whose context `asyncio.to_thread` takes along. A bare
    `run_in_executor` wouldn't.
    """

    auth_resource = "workbench"
    _content_type = "application/json"

    async def prepare(self) -> None:
        """Find out who asks, before any method runs."""
        await super().prepare()
        updatable = list(getattr(self.identity_provider, "updatable_fields", []))
        names = names_of(self.current_user, updatable)
        if names:
            act_as(*names)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say what went wrong; Tornado calls this for whatever a handler raises."""
        _, error, _ = kwargs.get("exc_info", (None, web.HTTPError(status_code), None))
        problem = problem_of(error)
        self.set_status(problem.status)
        self._content_type = "application/problem+json"
        self.finish(problem.model_dump_json())

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Keep tracebacks for what is unexpected; a folder that is no project is a normal state."""
        if not isinstance(value, WorkbenchError):
            super().log_exception(typ, value, tb)

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        """Send the answer with our content type, which `APIHandler` would reset."""
        return super().finish(*args, set_content_type=self._content_type, **kwargs)


class ReadHandler(_Handler):
    """Reads one kind of records of the project that the query names."""

    def initialize(self, read: Read) -> None:
        """Take the function that this route stands for."""
        self._read = read

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the records, in JSON."""
        said = {key: self.get_argument(key) for key in self.request.arguments}
        query = validate(Query, said, "query")
        server_root = Path(self.settings["server_root_dir"]).expanduser()
        self.finish(await asyncio.to_thread(self._answer, server_root, query))

    def _answer(self, server_root: Path, query: Query) -> bytes:
        """Do the work that blocks: files, Git, databases, writing the JSON."""
        records = self._read(open_project(server_root, query.path), server_root, query)
        # JSON has no NaN. A metric that is one is said so: pydantic would make it null.
        return to_json(to_jsonable_python(records), inf_nan_mode="strings")


class UnknownRouteHandler(_Handler):
    """Says that there is no such route, as a problem document, to those who may ask."""

    @web.authenticated
    @authorized
    async def get(self, route: str) -> None:
        """Refuse."""
        raise web.HTTPError(404, f"no route {route}")
