"""What changes in a project, as server-sent events: the sidebar reads again when there is cause.

However many browsers listen, a project is looked at once a second, in a thread, and only while
somebody listens.
"""

# jupyter_server's types are skipped (pyproject.toml): its classes and decorators are Any to mypy.
# mypy: disable-error-code="misc,untyped-decorator"

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from workbench.project import SETTINGS_FILE, Project
from workbench.server.handlers import Handler
from workbench.server.operation import Query
from workbench.server.projects import open_project
from workbench.server.watching import Topic, Watch

__all__ = ["EventsHandler", "Pulses"]

_LOOK_SECONDS = 1.0
_ALIVE_SECONDS = 20.0
"""A word now and then keeps proxies from closing a stream on which nothing is said."""

Queue = asyncio.Queue[list[Topic] | None]
"""What has changed; None when nothing more will be said."""


class Pulses:
    """The projects that are listened to, each with the task that looks at it."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._listening: dict[Path, set[Queue]] = {}
        self._tasks: dict[Path, asyncio.Task[None]] = {}

    @property
    def listened(self) -> list[Path]:
        """The roots of the projects that somebody listens to."""
        return list(self._listening)

    @contextmanager
    def listen(self, project: Project) -> Iterator[Queue]:
        """Give a queue of what changes, for the length of the block."""
        queue: Queue = asyncio.Queue()
        root = project.root
        self._listening.setdefault(root, set()).add(queue)
        if root not in self._tasks:
            self._tasks[root] = asyncio.create_task(self._look(project))
        try:
            yield queue
        finally:
            self._leave(root, queue)

    def stop(self) -> None:
        """End all looking, and let everybody who listens go."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        for root in self.listened:
            self._tell(root, None)

    def _leave(self, root: Path, queue: Queue) -> None:
        queues = self._listening.get(root, set())
        queues.discard(queue)
        if not queues:
            self._listening.pop(root, None)
            if task := self._tasks.pop(root, None):
                task.cancel()

    def _tell(self, root: Path, topics: list[Topic] | None) -> None:
        for queue in self._listening.get(root, ()):
            queue.put_nowait(topics)

    async def _look(self, project: Project) -> None:
        """Look until the project is gone, or can't be looked at: then its listeners are let go.

        They ask again, and are told why not, or are heard by a new look.
        """
        settings = project.root / SETTINGS_FILE
        try:
            watch = await asyncio.to_thread(Watch, project)
            while await asyncio.to_thread(settings.exists):
                await asyncio.sleep(_LOOK_SECONDS)
                if topics := await asyncio.to_thread(watch.changed):
                    self._tell(project.root, topics)
        except Exception:
            self._log.exception("Workbench no longer looks at %s", project.root)
        self._tasks.pop(project.root, None)
        self._tell(project.root, None)


class EventsHandler(Handler):
    """Streams what changes: `event: changed`, `data: ["jobs", "runs"]`."""

    _content_type = "text/event-stream"
    _methods = ("GET",)

    def initialize(self, pulses: Pulses) -> None:
        """Take the server's one set of pulses."""
        self._pulses = pulses
        self._task: asyncio.Task[None] | None = None

    @web.authenticated
    @authorized("read")
    async def get(self) -> None:
        """Say what changes until the client goes away."""
        self._content_type = "application/json"  # of a refusal, before there is a stream
        project = await asyncio.to_thread(open_project, self.served, self.said(Query).path)
        self._content_type = "text/event-stream"
        self.set_header("Content-Type", self._content_type)
        self.set_header("X-Accel-Buffering", "no")
        self._task = asyncio.ensure_future(self._stream(project))
        with suppress(asyncio.CancelledError, StreamClosedError):
            await self._task

    def on_connection_close(self) -> None:
        """Stop when the client has gone."""
        super().on_connection_close()
        if self._task is not None:
            self._task.cancel()

    async def _stream(self, project: Project) -> None:
        with self._pulses.listen(project) as queue:
            await self._say(": listening")
            while True:
                try:
                    topics = await asyncio.wait_for(queue.get(), _ALIVE_SECONDS)
                    if topics is None:
                        return
                    await self._say(f"event: changed\ndata: {json.dumps(topics)}")
                except TimeoutError:
                    await self._say(": still here")

    async def _say(self, text: str) -> None:
        self.write(f"{text}\n\n")
        await self.flush()
