"""The writer: what is logged goes to the spool at once, and from there to MLflow in the background.

So logging costs microseconds, waits for no server, and what a call has taken outlives its process
however that ends. Mistakes are said at the call, since MLflow would say them later and elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from workbench.errors import StoreError, UsageError
from workbench.project import Project
from workbench.tracking import exits
from workbench.tracking.delivery import Delivery, deliver
from workbench.tracking.entries import (
    PARAM_LIMIT,
    TAG_LIMIT,
    Entry,
    check_name,
    check_path,
    check_text,
    metric_number,
    shortened,
    whole_number,
)
from workbench.tracking.living import RunLock
from workbench.tracking.outbox import Outbox
from workbench.tracking.sending import spool_folder

__all__ = ["Writer", "release", "writer_of"]

_PATIENCE = 5.0  # seconds without progress after which closing leaves the rest to the spool
_CLOSING_LIMIT = 600.0
_HANDLER_SECONDS = 2.0  # a signal's handler has not long before somebody sends SIGKILL
_FILE_NAME_BYTES = 200

_open: dict[tuple[Path, str], Writer] = {}


def writer_of(project: Project, run_id: str, *, create: Mapping[str, Any] | None = None) -> Writer:
    """Return this process's writer for a run: always the same one, which knows what was logged.

    Parameters
    ----------
    create
        For a run that is known by a local id only: the `name`, `tags` and `start_time` (in
        milliseconds) that it is created with once the store is back.
    """
    _install()
    exits.watch_sigterm()
    key = (project.state, run_id)
    if key not in _open:
        _open[key] = Writer(project, run_id, create=create)
    return _open[key]


def release(project: Project, run_id: str) -> None:
    """Forget the writer of a run that has ended here: a process may see thousands of runs."""
    writer = _open.get((project.state, run_id))
    if writer is not None and not writer.owned and not writer.waiting:
        del _open[project.state, run_id]


class Writer:
    """Logs to one run. Threads may share it; a forked child's copy writes a file of its own.

    What a method has taken is with the operating system when it returns: killing the process loses
    none of it. It is in MLflow a second later, or after `flush`, or once the store is back.
    """

    def __init__(
        self, project: Project, run_id: str, *, create: Mapping[str, Any] | None = None
    ) -> None:
        self._project = project
        self._head = {"run_id": run_id, "create": dict(create) if create else None}
        self._names: set[str] = set()
        self._params: dict[str, str] = {}
        self._latest: dict[str, tuple[float, int, int]] = {}
        self._owned: RunLock | None = None
        self._outbox = Outbox(project, self._head, self._at_work)

    @property
    def spooled_id(self) -> str:
        """The id that the run has in the spool: its own, or the local one that it began with."""
        return self._outbox.sender.spooled_id

    @property
    def run_id(self) -> str:
        """The run's id in MLflow; a local one until it could be created."""
        return self._outbox.sender.run_id or self.spooled_id

    @property
    def waiting(self) -> int:
        """How many entries aren't in MLflow yet."""
        return self._outbox.waiting

    @property
    def owned(self) -> bool:
        """Whether the run ends with this process."""
        return self._owned is not None

    def own(self, lock: RunLock | None) -> None:
        """Be the one who ends the run when the process ends; no more with None."""
        if self._owned is not None:
            self._owned.remove()
        self._owned = lock

    def metric(
        self, key: str, value: Any, step: int | None = None, timestamp: int | None = None
    ) -> None:
        """Log one metric; `step` is 0 and `timestamp` (in milliseconds) now if they aren't given.

        Raises
        ------
        UsageError
            If MLflow wouldn't take it; nothing is logged then.
        """
        self._put([self._metric(key, value, step, timestamp)])

    def metrics(
        self, metrics: Mapping[str, Any], step: int | None = None, timestamp: int | None = None
    ) -> None:
        """Log several metrics: all of them, or none if there is one that MLflow wouldn't take."""
        self._put([self._metric(key, metrics[key], step, timestamp) for key in metrics])

    def params(self, params: Mapping[str, Any]) -> None:
        """Log parameters: all of them, or none if there is one that MLflow wouldn't take.

        Of a value over 6,000 characters the parameter holds the beginning, and the artifact
        `params/<name>.txt` all of it.

        Raises
        ------
        UsageError
            Also for one that this process has logged with another value.
        """
        texts = {
            key: check_text("parameter", check_name("parameter", key), value)
            for key, value in params.items()
        }
        for key, text in texts.items():
            known = self._params.get(key, text)
            if known != text:
                raise UsageError(
                    f"parameter {key!r} was logged as {shortened(known, 60)!r} and can't become "
                    f"{shortened(text, 60)!r}: a run's parameters don't change"
                )
        new = {key: text for key, text in texts.items() if key not in self._params}
        self._put(self._texts("param", new, PARAM_LIMIT))
        self._params.update(new)

    def tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags: all of them, or none if there is one that MLflow wouldn't take.

        A value over 8,000 characters is kept whole in the artifact `tags/<name>.txt`.
        """
        texts = {key: check_text("tag", check_name("tag", key), tags[key]) for key in tags}
        self._put(self._texts("tag", texts, TAG_LIMIT))

    def dataset(self, dataset: Mapping[str, str], context: str) -> None:
        """Log a dataset input, given by the fields of MLflow's `Dataset`."""
        self._put([["input", dict(dataset), context]])

    def file(self, content: bytes, artifact: str) -> None:
        """Store `content` as the artifact at the path `artifact`.

        Raises
        ------
        StoreError
            If it can't be kept until then: the disk is full.
        UsageError
            If the path leads elsewhere.
        """
        self._put([self._file(content, check_path(artifact))])

    def end(self, status: str) -> None:
        """Set how the run ended, at this moment, after all that was logged before."""
        self._outbox.put([["end", status, _now()]])
        if self._outbox.spooled:  # else the lock says that there is an end to be set
            self.own(None)

    def flush(self, patience: float = 0.0, limit: float = 60.0) -> bool:
        """Wait until all that was logged is in MLflow; False if it can't be just now.

        Parameters
        ----------
        patience
            Seconds to go on trying for while the store is away and nothing arrives.
        limit
            Seconds to wait in all.
        """
        return self._outbox.flush(patience, limit)

    def close(self, patience: float = _PATIENCE) -> Delivery:
        """Send all that was logged, also by forked children that have ended; say what can't be.

        What can't be sent stays in the spool. The writer goes on working if it is used again.
        """
        while self._outbox.flush(patience, _CLOSING_LIMIT):
            if self._outbox.rest():  # or another thread has logged meanwhile
                self._outbox.report()
                return deliver(self._project, self.spooled_id)
        self._outbox.report()
        return Delivery(waiting=self.waiting, reason=self._outbox.away)

    def forked(self) -> None:
        """Leave the file, the thread and the run to the parent: we are in a forked child."""
        self._outbox.release()
        self._outbox = Outbox(self._project, self._head, self._at_work)
        if self._owned is not None:
            self._owned.release()
            self._owned = None

    def _at_work(self) -> bool:
        """Give a sign of life for a run of ours."""
        if self._owned is not None:
            self._owned.beat()
        return self._owned is not None

    def _metric(self, key: str, value: Any, step: int | None, timestamp: int | None) -> Entry:
        if key not in self._names:
            self._names.add(check_name("metric", key))
        number = metric_number(key, value)
        step = 0 if step is None else whole_number("step", step)
        if timestamp is not None:
            return ["metric", key, number, whole_number("timestamp", timestamp, least=0), step]
        now = _now()
        before = self._latest.get(key)
        if before is not None and before[:2] == (number, step) and before[2] >= now:
            now = before[2] + 1  # MLflow would take two equal ones of a millisecond for one
        self._latest[key] = (number, step, now)
        return ["metric", key, number, now, step]

    def _put(self, entries: list[Entry]) -> None:
        if entries:
            self._outbox.put(entries)

    def _texts(self, kind: str, texts: Mapping[str, str], limit: int) -> list[Entry]:
        long = {key: text for key, text in texts.items() if len(text) > limit}
        files = [
            self._file(text.encode(), f"{kind}s/{_file_name(key)}.txt")
            for key, text in long.items()
        ]
        return [[kind, key, shortened(text, limit)] for key, text in texts.items()] + files

    def _file(self, content: bytes, artifact: str) -> Entry:
        kept = f"files/{uuid4().hex}/{PurePosixPath(artifact).name}"
        path = spool_folder(self._project) / kept
        try:
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
        except OSError as error:
            raise StoreError(f"{artifact}: can't be kept in {path}: {error.strerror}") from error
        return ["file", kept, artifact]


@cache
def _install() -> None:
    """Have the process's end told to every writer."""
    exits.on_end(_end_all, _forked)


def _end_all(ending: exits.Ending, in_handler: bool) -> None:  # noqa: FBT001 - a callback's
    writers = list(_open.values())
    for writer in writers:
        if writer.owned and ending != "UNKNOWN":
            writer.end(ending)
    if in_handler:
        until = time.monotonic() + _HANDLER_SECONDS
        for writer in writers:
            writer.flush(limit=until - time.monotonic())
        return
    patience = _PATIENCE
    for writer in writers:
        if writer.close(patience).waiting:
            patience = 0.0  # waited for once


def _forked() -> None:
    for writer in _open.values():
        writer.forked()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _file_name(key: str) -> str:
    """Return a name that a file may have: 250 letters can take more bytes than that."""
    return key if len(key.encode()) < _FILE_NAME_BYTES else sha256(key.encode()).hexdigest()
