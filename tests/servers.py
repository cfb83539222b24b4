"""Real servers for tests, on free loopback ports, gone afterwards: databases, MLflow, S3, HTTP."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

__all__ = [
    "FileServer",
    "ObjectStorage",
    "file_server",
    "free_port",
    "mlflow_server",
    "object_storage",
    "postgresql",
    "redis",
]

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
def mlflow_server(
    folder: Path,
    *,
    port: int | None = None,
    store: str = "",
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Run `mlflow server` for the block; give its address.

    Its records and artifacts are in `folder`, or the records at `store`. Called again with the
    same folder and port it comes back with what it knew. `arguments` and `environment` are more of
    its own.

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
    command += arguments
    log = folder / "server.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **_SERVER_ENVIRONMENT, **(environment or {})},
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


@dataclass
class FileServer:
    """An HTTP server of a folder's files, which fails as it is told to, and what it was asked.

    Each of `failures` is the answer to one request: a status with its headers, or `cut` (the
    connection closes half-way through the file), `drop` (before a word) or `stall` (nothing more
    comes after half of it, until `go_on`).
    """

    folder: Path
    address: str = ""
    failures: list[tuple[int, dict[str, str]] | Literal["cut", "drop", "stall"]] = field(
        default_factory=list
    )
    asked: list[dict[str, str]] = field(default_factory=list)
    sized: bool = True
    stalled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


@contextmanager
def file_server(folder: Path) -> Iterator[FileServer]:
    """Serve a folder's files over HTTP for the block, with an ETag and the time of each."""
    state = FileServer(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append({"path": self.path, **self.headers})
            failure = state.failures.pop(0) if state.failures else None
            if isinstance(failure, tuple):
                self._answer(failure[0], failure[1], b"<p>a page, no data</p>")
            elif failure != "drop":
                self._give(whole=failure is None)
            if failure == "stall":
                state.stalled.set()
                state.go_on.wait(60)

        def _give(self, *, whole: bool) -> None:
            path = state.folder / self.path.partition("?")[0].lstrip("/")
            if not path.is_file():
                self._answer(404, {}, b"")
                return
            content = path.read_bytes()
            marks = {
                "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
                "Last-Modified": formatdate(path.stat().st_mtime, usegmt=True),
            }
            if self.headers.get("If-None-Match") == marks["ETag"]:
                self._answer(304, marks, b"")
            else:
                size = {"Content-Length": str(len(content))} if state.sized else {}
                self._answer(200, {**marks, **size}, content if whole else content[:-20])

        def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield state
    finally:
        state.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class ObjectStorage:
    """A server that speaks S3, and what to connect to it with."""

    endpoint: str
    key: str
    secret: str

    @property
    def options(self) -> dict[str, str]:
        """The options as polars and deltalake have them."""
        return {
            "aws_endpoint_url": self.endpoint,
            "aws_access_key_id": self.key,
            "aws_secret_access_key": self.secret,
            "aws_region": "us-east-1",
            "aws_allow_http": "true",
        }


@contextmanager
def object_storage(folder: Path, bucket: str) -> Iterator[ObjectStorage]:
    """Run moto's S3 as a process of its own for the block, with one empty bucket.

    It checks who asks: only the user it makes may do anything, and a wrong secret is refused.

    Raises
    ------
    RuntimeError
        If it doesn't start.
    """
    port = free_port()
    log = folder / "objects.log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("ab") as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait_for_port(port, server, log)
            yield _with_user(f"http://127.0.0.1:{port}", bucket)
        finally:
            server.kill()
            server.wait()


def _with_user(endpoint: str, bucket: str) -> ObjectStorage:
    """Make a bucket and a user who may use it, then have everybody checked."""
    import boto3

    root = {
        "endpoint_url": endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "root",
        "aws_secret_access_key": "root",
    }
    users = boto3.client("iam", **root)
    users.create_user(UserName="reader")
    key = users.create_access_key(UserName="reader")["AccessKey"]
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    users.put_user_policy(UserName="reader", PolicyName="all", PolicyDocument=policy)
    boto3.client("s3", **root).create_bucket(Bucket=bucket)
    checking = urllib.request.Request(
        f"{endpoint}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}
    )
    urllib.request.urlopen(checking).close()
    return ObjectStorage(endpoint, key["AccessKeyId"], key["SecretAccessKey"])


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
