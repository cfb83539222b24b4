"""The outbox of a run: a spool file that takes what is logged, and a thread that empties it.

An entry is with the operating system when `put` returns. The thread sends what has gathered every
second, or as soon as there are a thousand entries, and tries again for as long as the store is
away.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from workbench.project import Project
from workbench.tracking.delivery import forward, forward_entries
from workbench.tracking.entries import Entry
from workbench.tracking.sending import Sender, spool_folder
from workbench.tracking.spool import Spool, encode
from workbench.tracking.store import StoreAwayError

__all__ = ["Outbox"]

_PERIOD = 1.0  # seconds between two looks
_GATHERED = 1000  # entries that are sent without waiting for the period's end
_LONGEST_PAUSE = 10.0  # seconds between two tries while the store is away
_HELD_LIMIT = 100_000  # entries kept in memory while the disk is full
_IDLE = 30  # looks that find nothing to send, after which the thread ends

_logger = logging.getLogger("workbench.tracking")


class Outbox:
    """Takes entries of one run, from any thread, and sends them in the order they came in.

    Parameters
    ----------
    head
        Whose entries they are, as a spool file begins.
    at_work
        Called at every look, a second apart while there is a thread; True keeps it from resting.
    """

    def __init__(
        self, project: Project, head: Mapping[str, Any], at_work: Callable[[], bool]
    ) -> None:
        self.sender = Sender(project, head)
        self.away = ""
        """Why nothing could be sent at the last try; empty if it could."""
        self._project = project
        self._head = head
        self._at_work = at_work
        self._lock = threading.RLock()  # a signal's handler may log while its thread is logging
        self._sending = threading.Lock()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()  # a handler may put into it too
        self._thread: threading.Thread | None = None
        self._spool: Spool | None = None
        self._held: list[Entry] = []
        self._reason = ""
        self._reported = 0, 0
        self._taken = self._delivered = self._lost = self._tries = self._failed_try = 0

    @property
    def waiting(self) -> int:
        """How many entries aren't in MLflow yet."""
        return self._taken - self._delivered

    @property
    def spooled(self) -> bool:
        """Whether all that waits would outlive this process."""
        return not self._held

    def put(self, entries: Sequence[Entry]) -> None:
        """Take entries: into the spool, or into memory for as long as it can't be written."""
        count = len(entries)
        with self._lock:
            if self._thread is None:
                self._start_thread()
            if self._held:  # the thread writes them, in their order
                count = self._hold(entries)
            else:
                try:
                    self._opened().append(encode(entries))
                except OSError as error:
                    self._warn(error)
                    count = self._hold(entries)
            before, self._taken = self._taken, self._taken + count
            if before // _GATHERED < self._taken // _GATHERED and not self.away:
                self._wake.put(None)

    def flush(self, patience: float = 0.0, limit: float = 60.0) -> bool:
        """Wait until all that was logged is in MLflow; False if it can't be just now.

        Parameters
        ----------
        patience
            Seconds to go on trying for while the store is away and nothing arrives.
        limit
            Seconds to wait in all.
        """
        # It looks and sleeps, and takes no lock: the handler of a signal calls it too.
        target, first = self._taken, self._tries
        began = moved = time.monotonic()
        delivered, pause = self._delivered, 0.0005
        self._wake.put(None)
        while self._delivered < target:
            if self._thread is None:
                self._drain()  # too late in the process for a thread
            now = time.monotonic()
            if self._delivered != delivered:
                delivered, moved = self._delivered, now
            failed = self._failed_try > first
            if now - began > limit or (failed and now - moved >= patience):
                return False
            if failed:
                self._wake.put(None)
            time.sleep(pause)
            pause = min(2 * pause, 0.25 if failed else 0.02)
        return True

    def rest(self) -> bool:
        """Delete the file and end the thread, unless there is something to send."""
        with self._sending, self._lock:
            if self.waiting:
                return False
            if self._spool is not None:
                self._spool.remove()
            self._spool = self._thread = None
            self._wake.put(None)
        return True

    def release(self) -> None:
        """Let go of the file, in a forked child: it stays the parent's, with all that is in it."""
        if self._spool is not None:
            self._spool.release()

    def report(self) -> None:
        """Say what isn't in MLflow, and what is lost; the same only once."""
        spooled, gone = self.waiting - len(self._held), len(self._held) + self._lost
        if (spooled, gone) == self._reported:
            return
        self._reported = spooled, gone
        if spooled:
            _logger.warning(
                "run %s: %d of what was logged isn't in MLflow yet (%s); it waits in %s, and "
                "`workbench runs sync` sends it",
                self.sender.spooled_id,
                spooled,
                self.away,
                spool_folder(self._project),
            )
        if gone:
            _logger.warning(
                "run %s: %d of what was logged is neither in MLflow nor in the spool (%s)",
                self.sender.spooled_id,
                gone,
                self._reason,
            )

    def _opened(self) -> Spool:
        if self._spool is None:
            self._spool = Spool.create(spool_folder(self._project), self._head)
        return self._spool

    def _hold(self, entries: Sequence[Entry]) -> int:
        """Keep entries in memory while the spool can't be written; return how many."""
        kept = entries[: _HELD_LIMIT - len(self._held)]
        self._held += kept
        self._lost += len(entries) - len(kept)
        return len(kept)

    def _warn(self, error: OSError) -> None:
        first, self._reason = not self._reason, str(error)
        if first:
            _logger.warning(
                "run %s: the spool can't be written (%s); up to %d entries are kept in memory "
                "until they can be sent, and don't outlive this process",
                self.sender.spooled_id,
                error,
                _HELD_LIMIT,
            )

    def _start_thread(self) -> None:
        self._thread = threading.Thread(target=self._work, name="workbench-writer", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter is shutting down: flush will do it
            self._thread = None

    def _work(self) -> None:
        """Send what has gathered, until the writer is closed or has had nothing to do for long."""
        me, pause, idle = threading.current_thread(), _PERIOD, 0
        while self._thread is me:
            with suppress(queue.Empty):
                self._wake.get(timeout=pause)
            idle = 0 if self._at_work() or self.waiting else idle + 1
            if self.waiting:
                self._drain()
            elif idle > _IDLE and self.rest():
                return
            pause = min(2 * pause, _LONGEST_PAUSE) if self.away else _PERIOD

    def _drain(self) -> None:
        """Send all that there is, as far as the store takes it."""
        with self._sending:
            self._tries += 1
            this = self._tries
            try:
                while self._send_some():
                    pass
                self.away = ""
            except StoreAwayError as error:
                self.away = str(error)
            except Exception as error:  # a fault of ours mustn't end the thread: it tries again
                self.away = f"{type(error).__name__}: {error}"
            if self.away:
                self._failed_try = this

    def _send_some(self) -> bool:
        if self._spool is not None:
            done = forward(self._project, self._spool, self.sender)
            if done is not None:
                self._delivered += done.sent + len(done.refused)
                return True
            with self._lock:
                if self._held:
                    self._spool.shrink(above=0)  # the disk is full: what was sent can make room
                else:
                    self._spool.shrink()
        return self._send_held()

    def _send_held(self) -> bool:
        """Write what is held in memory to the spool, or send it if that is still impossible."""
        with self._lock:
            part = self._held[:_GATHERED]
            if not part:
                return False
            with suppress(OSError):
                self._opened().append(encode(self._held))
                self._held = []
                return True
        forward_entries(self._project, self.sender, part)
        with self._lock:
            del self._held[: len(part)]
            self._delivered += len(part)
        return True
