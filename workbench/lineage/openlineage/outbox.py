"""Events on their way: each a file until somebody has taken it, sent in order, the oldest first.

Whoever tells something next, or `workbench lineage send`, sends what a process that is gone has
left. What is refused for good is set aside with the reason, and the others go on without it.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from workbench.data.sources.credentials import look_up
from workbench.errors import ConfigError, WorkbenchError
from workbench.project import Project
from workbench.store import file_lock, write_atomic

__all__ = ["Sent", "deliver", "folder_of", "put"]

_MOST, _MOST_REFUSED = 10_000, 1_000
_TIMEOUT = (3.0, 10.0)  # seconds to connect, and for an answer
_LATER = {401, 403, 404, 408, 409, 425, 429}  # what another setting or another time may mend

_logger = logging.getLogger("workbench.lineage")


class Sent(BaseModel):
    """What became of the events that were waiting."""

    model_config = ConfigDict(frozen=True)

    sent: int = 0
    refused: int = 0
    waiting: int = 0
    reason: str = ""
    """Why some are waiting still."""


class _AwayError(Exception):
    """Nobody takes events just now."""


class _RefusedError(Exception):
    """This event won't be taken, now or later."""


def put(project: Project, event: Mapping[str, Any]) -> None:
    """Put an event away, durably, to be sent."""
    folder = folder_of(project)
    name = f"{time.time_ns():020d}-{uuid4().hex[:8]}.json"
    with write_atomic(folder / "waiting" / name) as beside:
        beside.write_text(json.dumps(event), encoding="utf-8")
    _keep_newest(folder / "waiting", _MOST)


def deliver(project: Project) -> Sent:
    """Send what is waiting, until all is sent or nobody takes it; one process at a time does.

    Raises
    ------
    ConfigError
        If `lineage.openlineage_url` can't be used.
    """
    folder = folder_of(project)
    take = _taker(project)
    sent = refused = 0
    with _only_one(folder / "lock") as ours:
        if not ours:
            return Sent(waiting=len(_waiting(folder)), reason="another process is sending")
        for path in _waiting(folder):
            try:
                take(path.read_bytes())
                sent += 1
            except FileNotFoundError:
                continue  # too many were waiting, and it was the oldest
            except _RefusedError as error:
                _set_aside(path, folder / "refused", str(error))
                refused += 1
                continue
            except _AwayError as error:
                left = len(_waiting(folder))
                return Sent(sent=sent, refused=refused, waiting=left, reason=str(error))
            path.unlink(missing_ok=True)
    return Sent(sent=sent, refused=refused, waiting=len(_waiting(folder)))


def _taker(project: Project) -> Any:
    """Return what takes one event, as the address says."""
    setting = project.settings.lineage.openlineage_url
    where = "lineage.openlineage_url"
    if setting.startswith("file:"):
        path = project.root / setting.removeprefix("file:").removeprefix("//")
        return lambda content: _append(path, content)
    address, _ = look_up(setting, where, quoted=True)
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(f"{where}: expected https://…, http://… or file:PATH")
    if parts.path in ("", "/"):  # the specification's own path
        address = parts._replace(path="/api/v1/lineage").geturl()
    return lambda content: _post(address, content)


def _append(path: Path, content: bytes) -> None:
    try:
        with file_lock(path.with_name(f".{path.name}.lock")), path.open("ab") as file:
            file.write(content.strip() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except (OSError, WorkbenchError) as error:
        raise _AwayError(f"{path.name}: {getattr(error, 'strerror', None) or error}") from error


def _post(address: str, content: bytes) -> None:
    import requests

    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("OPENLINEAGE_API_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    try:
        answer = requests.post(
            address, content, headers=headers, timeout=_TIMEOUT, allow_redirects=False
        )
    except requests.RequestException as error:
        # Only its kind: the message has the address, and that may have a credential.
        raise _AwayError(type(error).__name__) from None
    if answer.ok and answer.status_code < 300:
        return
    said = f"HTTP {answer.status_code}"
    later = answer.status_code < 400 or answer.status_code >= 500 or answer.status_code in _LATER
    raise _AwayError(said) if later else _RefusedError(f"{said}: {answer.text[:500]}")


def folder_of(project: Project) -> Path:
    """Where a project's events wait."""
    return project.state / "openlineage"


def _waiting(folder: Path) -> list[Path]:
    return sorted((folder / "waiting").glob("[0-9]*.json"))


def _set_aside(path: Path, folder: Path, reason: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with write_atomic(folder / f"{path.stem}.txt") as beside:
        beside.write_text(reason, encoding="utf-8")
    path.replace(folder / path.name)
    _logger.warning("an OpenLineage event was refused, it is in %s: %s", folder, reason)
    _keep_newest(folder, 2 * _MOST_REFUSED)


def _keep_newest(folder: Path, most: int) -> None:
    """Remove the oldest of too many files: a server that never comes back mustn't fill a disk."""
    names = sorted(path.name for path in folder.iterdir() if path.name[0].isdigit())
    for name in names[: max(0, len(names) - most)]:
        (folder / name).unlink(missing_ok=True)
    if len(names) > most:
        _logger.warning("%s: more than %d: the oldest were removed", folder, most)


@contextmanager
def _only_one(path: Path) -> Iterator[bool]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
