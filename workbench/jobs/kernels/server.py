"""The forking parent's socket: a request forks a process, and a lost connection ends it.

One line of JSON each way. A request is `{"environment", "cwd", "argv"}` for a kernel or
`{"environment", "cwd", "folder"}` for a job's process, sent together with the descriptors of its
stdout and stderr (stdin is empty); `{"pid"}` or `{"refused"}` answers it. Then `{"signal"}` signals
the process group (SIGKILL: everything that it ever started), and `{"exit"}` tells of the end.
`{"describe": true}` asks what this parent is.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from workbench.jobs.kernels.child import become
from workbench.jobs.kernels.keys import at_import, package_digest, same_at_import, shadowed
from workbench.jobs.kernels.linux import become_subreaper, kill_strays

__all__ = ["Server"]

_LONGEST_REQUEST = 16 * 2**20  # an environment can be large; more is a mistake


@dataclass
class _Connection:
    """One requester, and the process that was forked for it."""

    stream: socket.socket
    requester: int
    """Readable when the requester's process ends: a fork of it may hold `stream` for longer."""
    received: bytes = b""
    descriptors: list[int] = field(default_factory=list)
    pid: int | None = None

    def close(self) -> None:
        """Close all that is ours."""
        self.stream.close()
        for descriptor in (self.requester, *self.descriptors):
            os.close(descriptor)

    def tell(self, **answer: Any) -> None:
        """Send a line; one who isn't there any more is heard of by the loop."""
        with suppress(OSError):
            self.stream.sendall(json.dumps(answer).encode() + b"\n")


class Server:
    """Forks on request until it is told to end. In one thread, since it forks."""

    def __init__(self, path: Path, control: socket.socket) -> None:
        become_subreaper()
        self._environment = dict(os.environ)
        self._packages = package_digest()
        self._control = control
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(128)
        self._woken, self._wake = os.pipe()
        self._connections: dict[int, _Connection] = {}
        self._by_requester: dict[int, _Connection] = {}
        self._running: dict[int, _Connection | None] = {}

    def run(self) -> NoReturn:
        """Serve until a signal ends this process."""
        for descriptor in (self._woken, self._wake):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            poll = select.poll()
            for descriptor in (
                self._woken,
                self._listener.fileno(),
                *self._connections,
                *self._by_requester,
            ):
                poll.register(descriptor, select.POLLIN)
            for descriptor, _ in poll.poll():
                self._attend(descriptor)

    def _attend(self, descriptor: int) -> None:
        if descriptor == self._woken:
            with suppress(BlockingIOError):
                os.read(self._woken, 4096)
            self._reap()
        elif descriptor == self._listener.fileno():
            self._accept()
        elif descriptor in self._connections:
            self._receive(self._connections[descriptor])
        elif descriptor in self._by_requester:
            self._drop(self._by_requester[descriptor])

    def _accept(self) -> None:
        stream, _ = self._listener.accept()
        peer = stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        try:
            requester = os.pidfd_open(struct.unpack("3i", peer)[0])
        except OSError:  # it has gone already
            stream.close()
            return
        connection = _Connection(stream, requester)
        self._connections[stream.fileno()] = connection
        self._by_requester[requester] = connection

    def _receive(self, connection: _Connection) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(connection.stream, 2**20, 4)
        except OSError:
            data, descriptors = b"", []
        connection.descriptors += descriptors
        connection.received += data
        if not data or len(connection.received) > _LONGEST_REQUEST:
            self._drop(connection)
            return
        *lines, connection.received = connection.received.split(b"\n")
        for line in lines:
            try:
                self._answer(connection, json.loads(line))
            except (ValueError, KeyError, TypeError, OSError) as error:
                connection.tell(refused=f"{type(error).__name__}: {error}")

    def _answer(self, connection: _Connection, request: dict[str, Any]) -> None:
        if "signal" in request:
            self._signal(connection, int(request["signal"]))
        elif "describe" in request:
            connection.tell(
                executable=sys.executable,
                environment=at_import(self._environment),
                running=len(self._running),
            )
        elif why := self._unlike(request):
            connection.tell(refused=why)
        elif connection.pid is not None:
            connection.tell(refused="this connection has its process")
        else:
            self._fork(connection, request)

    def _unlike(self, request: dict[str, Any]) -> str:
        """Say why an ordinary process would have imported something else than we, or nothing."""
        if differing := same_at_import(self._environment, request["environment"]):
            return f"{', '.join(differing)}: read at import, and set differently"
        if package_digest() != self._packages:
            return "packages were installed or removed since its forking parent started"
        if "argv" in request and (names := shadowed(request["cwd"], sys.modules)):
            return f"its folder has modules of its own with the names {', '.join(names)}"
        return ""

    def _fork(self, connection: _Connection, request: dict[str, Any]) -> None:
        stdout, stderr = connection.descriptors
        stdin = os.open(os.devnull, os.O_RDONLY)
        begun, began = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            connection.descriptors = []
            self._close_in_child()
            os.close(begun)
            become(request, (stdin, stdout, stderr), parent, began)
        self._running[pid] = connection
        connection.pid = pid
        for descriptor in (stdin, began, stdout, stderr):
            os.close(descriptor)
        connection.descriptors = []
        os.read(begun, 1)  # from here on its group exists, and its handlers are its own
        os.close(begun)
        connection.tell(pid=pid)

    def _close_in_child(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._listener.close()
        self._control.close()
        for descriptor in (self._woken, self._wake):
            os.close(descriptor)

    def _signal(self, connection: _Connection, number: int) -> None:
        pid = connection.pid
        if pid not in self._running:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
        if number == signal.SIGKILL:  # also where it has moved to another group
            os.kill(pid, number)

    def _drop(self, connection: _Connection) -> None:
        """End what runs for a requester that is gone."""
        self._signal(connection, signal.SIGKILL)
        if connection.pid in self._running:
            self._running[connection.pid] = None
        self._forget(connection)

    def _forget(self, connection: _Connection) -> None:
        if self._connections.pop(connection.stream.fileno(), None) is not None:
            del self._by_requester[connection.requester]
            connection.close()

    def _reap(self) -> None:
        """Tell of the processes that have ended, and kill what they have left to us."""
        reaped = False
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                reaped = True
                connection = self._running.pop(pid, None)
                if connection is not None:
                    connection.tell(exit=os.waitstatus_to_exitcode(status))
                    self._forget(connection)
        if reaped:
            kill_strays(self._running.keys())
