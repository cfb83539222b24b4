"""A Jupyter server in a process of its own, for tests that stop it or ask it from outside."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.servers import free_port

__all__ = ["Jupyter", "jupyter_server"]

STARTED_SECONDS = 120
STOPPED_SECONDS = 30


@dataclass
class Jupyter:
    """A server that can be stopped and started again at the same address."""

    command: list[str]
    env: Mapping[str, str]
    url: str
    token: str
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What lets one in."""
        return {"Authorization": f"token {self.token}"}

    def get(self, address: str, **query: str) -> requests.Response:
        """Ask it."""
        return requests.get(self.url + address, params=query, headers=self.headers, timeout=60)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + STARTED_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.get("api/status").ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise RuntimeError(f"Jupyter did not start:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> float:
        """Ask it to end, as a supervisor does; return how many seconds it took."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(STOPPED_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return time.monotonic() - begun


@contextmanager
def jupyter_server(
    folder: Path,
    served: Path,
    *options: str,
    module: str = "jupyter_server",
    base_url: str = "/",
    extensions: Sequence[str] = ("workbench.server",),
    env: Mapping[str, str] | None = None,
) -> Iterator[Jupyter]:
    """Serve a folder for the block.

    Parameters
    ----------
    folder
        Gets its configuration, state and log: nothing of the user's counts.
    module
        What is run: `jupyter_server` or `jupyterlab`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, token = free_port(), secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", module, "--no-browser", "--allow-root"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={served}",
        f"--ServerApp.base_url={base_url}",
        f"--ServerApp.jpserver_extensions={dict.fromkeys(extensions, True)}",
        f"--IdentityProvider.token={token}",
        *options,
    ]
    own = {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    url = f"http://127.0.0.1:{port}{base_url}"
    server = Jupyter(command, {**os.environ, **own, **(env or {})}, url, token, folder / "log")
    server.start()
    try:
        yield server
    finally:
        server.stop()
