"""A process that a forking parent forks for us: how to ask for it, and how to hold it."""

from __future__ import annotations

import array
import json
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from workbench.errors import JobError

__all__ = ["ForkedProcess", "ForkingError", "describe", "fork"]

_ANSWER_SECONDS = 20.0
_SLICE_SECONDS = 0.5


class ForkingError(JobError):
    """A process that couldn't be forked; an ordinary one can be started instead."""


class ForkedProcess:
    """A process that a forking parent has forked, with the face of `subprocess.Popen`.

    It lives as long as this object is open: closing it, or the end of this process, kills it and
    everything that it has started.
    """

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._connection = connection
        self._received = b""
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        with self._lock:
            while self.returncode is None:
                try:
                    data = self._connection.recv(4096, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    break
                except OSError:
                    data = b""
                self._understand(data)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises
        ------
        subprocess.TimeoutExpired
            If it still runs after `timeout` seconds.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = _SLICE_SECONDS if end is None else min(_SLICE_SECONDS, end - time.monotonic())
            if left <= 0:
                raise subprocess.TimeoutExpired(f"forked process {self.pid}", timeout or 0.0)
            self._wait_for_news(left)
        return code

    def send_signal(self, signal_number: int) -> None:
        """Send a signal to its process group; if it has ended, do nothing."""
        if self.poll() is None:
            line = json.dumps({"signal": int(signal_number)}).encode() + b"\n"
            with self._lock, suppress(OSError):
                self._connection.sendall(line)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and all that it has started."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Let go of it, which ends it if it still runs."""
        with self._lock:
            if self.returncode is None:
                self.returncode = -signal.SIGKILL
            self._connection.close()

    def _understand(self, data: bytes) -> None:
        *lines, self._received = (self._received + data).split(b"\n")
        for answer in map(json.loads, lines):
            self.returncode = answer.get("exit", self.returncode)
        if not data:  # the parent is gone, and has taken all with it
            self.returncode = -signal.SIGKILL
        if self.returncode is not None:
            self._connection.close()

    def _wait_for_news(self, seconds: float) -> None:
        # In slices: another thread may read the news, and close what we are waiting on.
        poll = select.poll()
        with self._lock:
            if self.returncode is not None:
                return
            poll.register(self._connection, select.POLLIN)
        poll.poll(seconds * 1000)


def fork(address: str, request: Mapping[str, Any], stdout: int, stderr: int) -> ForkedProcess:
    """Ask the parent at `address` for a process with these streams.

    Raises
    ------
    ForkingError
        If the parent is gone, or refuses.
    """
    with ExitStack() as undo:
        connection = undo.enter_context(_connect(address))
        answer = _ask(connection, request, [stdout, stderr])
        if "pid" not in answer:
            raise ForkingError(str(answer.get("refused", "the forking parent gave no answer")))
        connection.settimeout(None)
        undo.pop_all()
        return ForkedProcess(connection, answer["pid"])


def describe(address: str) -> dict[str, Any]:
    """Ask the parent at `address` for its Python, its environment and how much it has `running`.

    Raises
    ------
    ForkingError
        If it is gone.
    """
    with _connect(address) as connection:
        return _ask(connection, {"describe": True}, [])


def _connect(address: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_ANSWER_SECONDS)
    try:
        connection.connect(address)
    except OSError as error:
        connection.close()
        raise ForkingError(f"the forking parent is gone ({error.strerror or error})") from error
    return connection


def _ask(
    connection: socket.socket, request: Mapping[str, Any], descriptors: list[int]
) -> dict[str, Any]:
    """Send one line and read one."""
    line = json.dumps(request).encode() + b"\n"
    try:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        sent = connection.sendmsg([line], rights if descriptors else [])
        connection.sendall(line[sent:])
        with connection.makefile("rb", buffering=0) as lines:  # the next line is for another reader
            received = lines.readline()
    except OSError as error:
        raise ForkingError(f"the forking parent doesn't answer ({error})") from error
    if not received:
        raise ForkingError("the forking parent ended while it was asked")
    answer: dict[str, Any] = json.loads(received)
    return answer
