"""A job as it goes on, as server-sent events: how it stands, and what its cells put out.

`event: job` has the job whenever it has changed, `event: log` a list of entries of its journal, and
`event: done` ends the stream. A job that ended long ago is told in the same way, at once.
"""

# jupyter_server's types are skipped (pyproject.toml): its classes and decorators are Any to mypy.
# mypy: disable-error-code="misc,untyped-decorator"

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from workbench.project import Project
from workbench.server.handlers import Handler
from workbench.server.operation import Query
from workbench.server.projects import open_project

__all__ = ["JobLogHandler"]

_LOOK_SECONDS = 0.4
_ALIVE_SECONDS = 20.0
"""A word now and then keeps proxies from closing a stream on which nothing is said."""


class JobLogHandler(Handler):
    """Streams what a job does, until it has ended or nobody listens."""

    _content_type = "text/event-stream"

    def initialize(self) -> None:
        """Begin with nothing under way."""
        self._task: asyncio.Task[None] | None = None

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Tell of the job until it has ended or the client goes away."""
        self._content_type = "application/json"  # of a refusal, before there is a stream
        project = await asyncio.to_thread(open_project, self.served, self.said(Query).path)
        teller = await asyncio.to_thread(_open, project, unquote(job_id))
        self._content_type = "text/event-stream"
        self.set_header("Content-Type", self._content_type)
        self.set_header("X-Accel-Buffering", "no")
        self._task = asyncio.ensure_future(self._stream(teller))
        try:
            with suppress(asyncio.CancelledError, StreamClosedError):
                await self._task
        finally:
            teller.close()

    def on_connection_close(self) -> None:
        """Stop when the client has gone."""
        super().on_connection_close()
        if self._task is not None:
            self._task.cancel()

    async def _stream(self, teller: Any) -> None:
        told, spoke = "", time.monotonic()
        while True:
            entries, standing, ended = await asyncio.to_thread(teller.look)
            if entries:
                await self._say("log", json.dumps(entries))
            if standing != told:
                await self._say("job", standing)
            if ended:
                await self._say("done", "{}")
                return
            if entries or standing != told:
                told, spoke = standing, time.monotonic()
            elif time.monotonic() - spoke > _ALIVE_SECONDS:
                self.write(": still here\n\n")
                await self.flush()
                spoke = time.monotonic()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _say(self, event: str, data: str) -> None:
        self.write(f"event: {event}\ndata: {data}\n\n")
        await self.flush()


def _open(project: Project, job_id: str) -> Any:
    from workbench.server.resources.jobs.telling import Teller  # with all that runs notebooks

    return Teller(project, job_id)
