"""A process that carries out the jobs which another one recorded for it: `JobPool` at arm's length.

Whoever starts it (the Jupyter server) checks and records jobs in its own name; this process holds
them. So they don't depend on who asked: its standard input ends with the one who started it, and
then it goes on until its jobs have ended. Killed, it leaves what any holder leaves: rows that the
next who looks closes as what they are.

First it says on its standard output who it is, a line of JSON; then each line of its standard input
is jobs to carry out: `{"jobs": [{"id": "…", "secrets": {…}}]}`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import StoreError

if TYPE_CHECKING:
    from workbench.jobs.queue import Queued
    from workbench.project import Project

__all__ = ["main", "task", "told"]

_AGAIN_SECONDS = 5.0


def task(queued: Sequence[Queued]) -> bytes:
    """Write the line that asks for jobs."""
    jobs = [{"id": each.job.id, "secrets": dict(each.secrets)} for each in queued]
    return f"{json.dumps({'jobs': jobs})}\n".encode()


def told(line: bytes) -> str:
    """Read from the worker's first line who holds its jobs."""
    return str(json.loads(line)["holder"])


def main(root: Path) -> None:
    """Carry out what is asked for on the standard input, then end."""
    from workbench.jobs.pool import JobPool
    from workbench.project import Project

    def stop(number: int, _: Any) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)  # ends what runs, and writes that down
    project = Project.find(root)
    with JobPool(project) as pool:
        said = json.dumps({"holder": pool.holder})
        os.write(sys.stdout.fileno(), f"{said}\n".encode())
        for line in sys.stdin.buffer:
            pool.take(_read(project, json.loads(line)["jobs"]))


def _read(project: Project, asked: Sequence[Mapping[str, Any]]) -> list[Queued]:
    """Read the jobs; records that can't be reached are tried again, for nobody else has them."""
    from workbench.jobs.queue import Queued
    from workbench.jobs.records import get_job

    while True:
        try:
            return [Queued(get_job(project, each["id"]), each["secrets"]) for each in asked]
        except StoreError as error:
            print(error, file=sys.stderr, flush=True)
            time.sleep(_AGAIN_SECONDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
