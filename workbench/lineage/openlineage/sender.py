"""The thread that sends what is waiting, and tries again for as long as the process lives."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from contextlib import suppress
from pathlib import Path

from workbench.lineage.openlineage.outbox import Sent, deliver, folder_of
from workbench.project import Project

__all__ = ["send_soon"]

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds between two tries
_LAST_WAIT = 2.0  # seconds for which a process that ends waits for what it has to send

_logger = logging.getLogger("workbench.lineage")
_lock = threading.Lock()
_senders: dict[Path, _Sender] = {}


def send_soon(project: Project) -> None:
    """Have what is waiting sent by a thread; returns before it is."""
    with _lock:
        sender = _senders.get(project.state)
        if sender is None or not sender.wake():
            if not _senders:
                atexit.register(_finish)
            sender = _senders[project.state] = _Sender(project)
            with suppress(RuntimeError):  # too late in the process: the next one sends it
                sender.start()


def _finish() -> None:
    """Give what was told last a moment to arrive; what doesn't, waits for the next process."""
    until = time.monotonic() + _LAST_WAIT
    for sender in list(_senders.values()):
        sender.end()
    for sender in list(_senders.values()):
        if sender.is_alive():
            sender.join(max(0.0, until - time.monotonic()))


class _Sender(threading.Thread):
    """Sends what a project has waiting, and ends when there is nothing more."""

    def __init__(self, project: Project) -> None:
        super().__init__(name="workbench-openlineage", daemon=True)
        self._project = project
        self._more = threading.Event()
        self._ending = self._ended = self._warned = False
        self._state = threading.Lock()

    def wake(self) -> bool:
        """Say that there is more to send; False if it is too late for that."""
        with self._state:
            self._more.set()
            return not self._ended

    def end(self) -> None:
        """Try once more, then let it be."""
        self._ending = True
        self._more.set()

    def run(self) -> None:
        """Send, and after a failure wait longer each time."""
        pause = _FIRST_PAUSE
        while True:
            self._more.clear()
            last, left = self._ending, self._deliver()
            with self._state:
                if last or (not left and not self._more.is_set()):
                    self._ended = True
                    return
            if left:
                # What is told meanwhile waits too: a server that is away isn't asked more often.
                self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE

    def _sleep(self, pause: float) -> None:
        until = time.monotonic() + pause
        while not self._ending and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))

    def _deliver(self) -> int:
        try:
            done = deliver(self._project)
        except Exception as error:  # a setting that is wrong, a disk that is full
            done = Sent(waiting=1, reason=str(error))
        if done.waiting and not self._warned:
            self._warned = True
            _logger.warning(
                "%d OpenLineage events wait in %s (%s); `workbench lineage send` sends them",
                *(done.waiting, folder_of(self._project), done.reason),
            )
        return done.waiting
