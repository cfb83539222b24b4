"""The owner's side of a forking parent."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench.jobs.kernels.handle import ForkedProcess, ForkingError, fork
from workbench.jobs.kernels.keys import INLINE, parent_key, relative_folders
from workbench.jobs.kernels.linux import supported, tidy
from workbench.jobs.kernels.preload import leave_out, preload_list

__all__ = ["ADDRESS_VARIABLE", "ForkedProcess", "ForkingError", "ForkingParent"]

ADDRESS_VARIABLE = "WORKBENCH_FORKING_PARENT"
"""The environment variable with the address of the forking parent that a process may use."""

_SOCKET = "s"
_LONGEST_ADDRESS = 100  # the operating system's limit is 107 bytes
_END_SECONDS = 10.0


class ForkingParent:
    """A forking parent, from its start to its end. Threads may share it.

    Parameters
    ----------
    state
        The project's folder of records, where the list of modules to import is learnt.
    environment
        What the parent, and so each kernel, has in its environment when it imports.
    modules
        What to import instead of the list that is learnt, in order.
    """

    def __init__(
        self,
        state: Path | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        modules: Sequence[str] | None = None,
    ) -> None:
        self._state = state
        self._environment = dict(os.environ if environment is None else environment)
        self._modules = modules
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._folder: Path | None = None
        self._reported = threading.Event()
        self._report: dict[str, Any] = {}
        self._why_not = _unusable(self._environment)

    @property
    def key(self) -> str:
        """What tells it apart from other parents: environment, packages, modules."""
        return parent_key(self._environment, self._names())

    @property
    def pid(self) -> int | None:
        """The process id of the parent's guard, whose end is the end of all."""
        return self._process.pid if self._process else None

    @property
    def address(self) -> str:
        """The path of its socket; empty before the start."""
        return str(self._folder / _SOCKET) if self._folder else ""

    @property
    def ready(self) -> bool:
        """Whether it has imported everything, and lives."""
        return bool(self._report) and not self.why_not

    @property
    def why_not(self) -> str:
        """Why it can't be used, in a few words; empty as long as nothing is wrong."""
        if not self._why_not and self._process and self._process.poll() is not None:
            self._why_not = "the forking parent has ended"
        return self._why_not

    @property
    def left_out(self) -> dict[str, str]:
        """The modules that it doesn't import ahead, each with the reason; known when ready."""
        return {**self._report.get("failed", {}), **self._report.get("unfit", {})}

    def start(self) -> None:
        """Start it in the background, once."""
        with self._lock:
            if self._process is None and not self._why_not:
                self._launch()

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Start it if it wasn't, and wait until it is ready; say whether it is."""
        self.start()
        if not self.why_not:
            self._reported.wait(timeout)
        return self.ready

    def start_job(
        self, folder: Path, *, environment: Mapping[str, str], cwd: Path | str, log: Path
    ) -> ForkedProcess:
        """Fork the process of the job in `folder`; what it prints is appended to `log`.

        Raises
        ------
        ForkingError
            If it can't be forked: start an ordinary one.
        """
        if not self.ready:
            raise ForkingError(self.why_not or "the forking parent is not ready yet")
        request = {
            "folder": str(folder),
            "environment": {**environment, ADDRESS_VARIABLE: self.address},
            "cwd": str(cwd),
        }
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as written:
            return fork(self.address, request, written.fileno(), written.fileno())

    def close(self) -> None:
        """End it, with everything that it has forked. May be called twice."""
        with self._lock:
            self._why_not = self._why_not or "the forking parent was closed"
            process, control, folder = self._process, self._control, self._folder
            self._control = None
        if control:
            with suppress(OSError):
                control.shutdown(socket.SHUT_RDWR)  # also wakes the thread that reads from it
            control.close()
        if process:
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # whereupon the server ends what there is
                process.wait()
        if folder:
            tidy(folder / _SOCKET)  # where the guard was killed before it could

    def _names(self) -> list[str]:
        if self._modules is None:
            return preload_list(self._state) if self._state else []
        return list(self._modules)

    def _launch(self) -> None:
        self._folder = _private_folder()
        self._control, theirs = socket.socketpair()
        command = [sys.executable, "-Xfrozen_modules=off", "-m", "workbench.jobs.kernels.parent"]
        command += [self.address, "--control", str(theirs.fileno()), "--owner"]
        with theirs, (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                env={**INLINE, **self._environment},
                cwd=self._folder,
                start_new_session=True,  # a Ctrl-C here is for us to understand
            )
        self._control.sendall(json.dumps(self._names()).encode() + b"\n")
        reader = threading.Thread(
            target=self._read_report, args=(self._control,), name="workbench-fork", daemon=True
        )
        reader.start()

    def _read_report(self, control: socket.socket) -> None:
        with suppress(OSError, ValueError), control.makefile("rb") as lines:
            report = json.loads(lines.readline() or b"{}")
            if self._state and report.get("unfit"):
                leave_out(self._state, report["unfit"])
            self._report = report
        with self._lock:
            if not self._report:
                self._why_not = (
                    self._why_not or f"the forking parent didn't start{self._last_words()}"
                )
            elif "error" in self._report:
                self._why_not = self._report["error"]
        self._reported.set()

    def _last_words(self) -> str:
        assert self._folder is not None
        with suppress(OSError):
            lines = (self._folder / "log").read_text("utf-8", "replace").strip().splitlines()
            return f": {lines[-1]}" if lines else ""
        return ""


def _unusable(environment: Mapping[str, str]) -> str:
    if not supported():
        return "forking kernels takes Linux 5.3 or later"
    if folders := relative_folders(environment):
        return f"PYTHONPATH has relative folders ({', '.join(folders)})"
    return ""


def _private_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="wb-"))
    if len(os.fsencode(folder / _SOCKET)) > _LONGEST_ADDRESS:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="wb-", dir="/tmp"))
    return folder
