"""MLflow's own server beside Jupyter's, one for each project, started when first asked for."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from workbench.errors import StoreError
from workbench.project import Project

__all__ = ["MlflowServer", "MlflowServers"]

_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_LAST_WORDS = 2000

_QUIET = {
    # Ours is one process for one person's pages: no job runners beside it, no news sent home.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


@dataclass(frozen=True)
class MlflowServer:
    """A process that answers on loopback, under `prefix`."""

    project: Project
    port: int
    prefix: str
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    @property
    def is_alive(self) -> bool:
        """Whether its process still runs."""
        return self.process.poll() is None


class MlflowServers:
    """The servers that were started, by a key that stands in their addresses. For all threads."""

    def __init__(self) -> None:
        self._servers: dict[str, MlflowServer] = {}
        self._lock = threading.Lock()
        self._is_stopped = False

    def find(self, key: str) -> MlflowServer | None:
        """Return the server under this key, if it runs."""
        server = self._servers.get(key)
        return server if server is not None and server.is_alive else None

    def open(self, project: Project, root: str) -> MlflowServer:
        """Return the project's server, started and answering. Blocks: call it off the event loop.

        Parameters
        ----------
        root
            The path under which the pages are asked for, quoted: `/user/a%40b/workbench/mlflow`.

        Raises
        ------
        StoreError
            If it doesn't start.
        """
        key = hashlib.sha256(str(project.root).encode()).hexdigest()[:16]
        with self._lock:
            server = self.find(key)
            if server is None:
                if self._is_stopped:
                    raise StoreError("MLflow's pages: the Jupyter server is about to stop")
                server = _start(project, f"{root}/{key}")
                self._servers[key] = server
        _wait_for(server)
        return server

    def stop(self) -> None:
        """End all of them, and start none any more."""
        with self._lock:
            self._is_stopped = True
            for server in self._servers.values():
                _end(server.process)
            self._servers.clear()


def _start(project: Project, prefix: str) -> MlflowServer:
    from workbench.tracking import initialise  # and all that comes with it, only if asked for

    initialise(project)  # two that make the tables at once would race
    port = _free_port()
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", "1", "--no-serve-artifacts", "--static-prefix", unquote(prefix)),
    ]
    state = project.state.resolve()
    settings = {
        # In the environment: an address may hold a password, and command lines are for all to see.
        "MLFLOW_BACKEND_STORE_URI": project.tracking_uri,
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": (state / "artifacts").as_uri(),
    }
    with _log(project).open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=state,
            env={**os.environ, **_QUIET, **settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its workers are in its group, and end with it
        )
    return MlflowServer(project, port, prefix, process)


def _wait_for(server: MlflowServer) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while server.is_alive and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{server.url}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    said = _log(server.project).read_text(errors="replace")[-_LAST_WORDS:].strip()
    _end(server.process)
    last = said.splitlines()[-1] if said else "it said nothing"
    raise StoreError(f"MLflow's pages didn't start: {last}; see {_log(server.project)}")


def _log(project: Project) -> Path:
    return project.state / "mlflow-pages.log"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what is left of the group
    process.wait()
