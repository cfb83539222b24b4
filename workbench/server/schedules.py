"""The scheduler inside the Jupyter server, for who keeps one running anyway."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from workbench.errors import NotAProjectError, WorkbenchError
from workbench.project import Project

__all__ = ["ServedSchedules"]

_STOP_SECONDS = 30.0


class ServedSchedules:
    """Runs the schedules of the project that the server serves, if its settings say so.

    All of it happens in a thread of its own, the look for the project too, so that the server
    starts at once. `stop` is idempotent and waits for the thread: call it off the event loop.
    """

    def __init__(self, server_root: Path, log: logging.Logger) -> None:
        self._root = server_root
        self._log = log
        self._stop = threading.Event()
        # A daemon: a server that is ended without a word isn't held up, and its ticks have rows.
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End what runs, and wait until that is written down."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        try:
            project = Project.find(self._root)
        except NotAProjectError:
            return
        except WorkbenchError as error:
            self._warn("", error)
            return
        if not project.settings.serve_schedules:
            return
        try:
            self._schedule(project)
        except WorkbenchError as error:
            self._log.error("Workbench runs no schedules any more: %s", error)

    def _schedule(self, project: Project) -> None:
        from workbench.jobs.schedules import Scheduler  # and what runs notebooks, only if asked for

        self._log.info("Workbench runs the schedules of %s", project.root)
        with Scheduler(project, on_problem=self._warn) as scheduler:
            scheduler.run(self._stop)

    def _warn(self, name: str, error: WorkbenchError) -> None:
        self._log.warning("Workbench schedule %s: %s", name or "(all)", error)
