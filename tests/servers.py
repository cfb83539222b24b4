"""Real servers for tests: PostgreSQL and MLflow's own, on free loopback ports, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["free_port", "mlflow_server", "postgresql", "redis"]

_SERVER_ENVIRONMENT = {
    # Two processes of 440 MB rather than ten of 1.9 GB.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def free_port() -> int:
    """Find a loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL of our own for the block; give the address of an empty database.

    `folder` gets its log. Its data are in a temporary folder of their own: it won't run as root,
    so there they belong to the user `postgres`, who can't see into a test's folder.

    Raises
    ------
    RuntimeError
        If PostgreSQL's server isn't installed, or doesn't start.
    """
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    with tempfile.TemporaryDirectory(prefix="workbench-pg-") as home:
        data, port = Path(home) / "data", free_port()
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(home, owner.pw_uid, owner.pw_gid)
        _as_server(home, initdb, "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "-N")
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = Path(home) / "log"
        try:
            _as_server(home, pg_ctl, "-D", data, "-l", log, "-o", options, "-w", "start")
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        finally:
            if log.exists():
                shutil.copy(log, folder / "postgresql.log")
            if (data / "postmaster.pid").exists():
                _as_server(home, pg_ctl, "-D", data, "-m", "immediate", "-w", "stop")


@contextmanager
def redis(folder: Path, *, port: int | None = None) -> Iterator[str]:
    """Run a Redis of our own for the block; give its address. What it holds is gone afterwards.

    Raises
    ------
    RuntimeError
        If Redis isn't installed, or doesn't start.
    """
    port = port or free_port()
    options = {"--port": str(port), "--bind": "127.0.0.1", "--save": "", "--dir": str(folder)}
    log = folder / "redis.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            [_program("redis-server"), *(word for option in options.items() for word in option)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for_port(port, server, log)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.kill()
            server.wait()


@contextmanager
def mlflow_server(folder: Path, *, port: int | None = None, store: str = "") -> Iterator[str]:
    """Run `mlflow server` for the block; give its address.

    Its records and artifacts are in `folder`, or the records at `store`. Called again with the
    same folder and port it comes back with what it knew.

    Raises
    ------
    RuntimeError
        If it doesn't answer within two minutes.
    """
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "--backend-store-uri": store or f"sqlite:///{folder / 'mlflow.db'}",
        "--artifacts-destination": str(folder / "artifacts"),
        "--host": "127.0.0.1",
        "--port": str(port),
        "--workers": "1",
    }
    command = [sys.executable, "-m", "mlflow", "server", *(w for o in options.items() for w in o)]
    log = folder / "server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **_SERVER_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its workers end with it, as one group
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            _end_group(server)


def _program(name: str) -> Path:
    """Find a server's program; PostgreSQL's Debian keeps off the PATH."""
    package = "redis-server" if name == "redis-server" else "postgresql"
    found = _installed(name)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):  # a fresh CI machine
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", package]):
            subprocess.run(command, check=True, capture_output=True)
        found = _installed(name)
    if found is None:
        raise RuntimeError(f"no {name}: these tests need it (apt-get install {package})")
    return Path(found)


def _installed(name: str) -> str | Path | None:
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    debian = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    return debian or shutil.which(name)


def _as_server(home: str, *command: str | Path) -> None:
    user: Sequence[str] = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryFile("w+") as said:  # a pipe would stay open in the server
        done = subprocess.run(
            [*user, *command],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
        )
        said.seek(0)
        if done.returncode != 0:
            raise RuntimeError(f"{Path(command[0]).name}: {said.read()[-2000:]}")


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"mlflow server doesn't answer: {log.read_text(errors='replace')[-2000:]}")


def _wait_for_port(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"port {port} doesn't answer: {log.read_text(errors='replace')[-2000:]}")


def _end_group(server: subprocess.Popen[bytes]) -> None:
    for ending in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, ending)
            server.wait(timeout=10)
        except ProcessLookupError:
            break  # the whole group has gone
        except subprocess.TimeoutExpired:
            continue
    server.wait()
