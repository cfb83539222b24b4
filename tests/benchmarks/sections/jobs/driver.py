"""The process that asks for the thousand jobs: `python -m … FOLDER COUNT`; see `many`."""

from __future__ import annotations

import gc
import json
import os
import re
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.benchmarks.sections.jobs.notebooks import TRIVIAL
from tests.benchmarks.sections.jobs.pools import WORKERS, checked
from workbench.errors import JobError
from workbench.jobs import JobRequest, run_jobs
from workbench.project import Project

_END_SECONDS = 2.0
"""After this long, nothing of a job may be left."""

_Held = dict[str, set[str]]


def main(folder: str, count: int) -> None:
    """Be the process that asks for the jobs, and print what it took."""
    project = Project.find(folder)
    _run(project, 2 * WORKERS)  # what stays for a process's life is there now
    before = _held()
    began = time.perf_counter()
    _run(project, count)
    seconds = time.perf_counter() - began
    _nothing_left(before)
    print(json.dumps({"seconds": seconds, "peak_mib": _peak_mib()}))


def _run(project: Project, count: int) -> None:
    requests = [JobRequest(TRIVIAL, {"x": number}) for number in range(count)]
    checked(run_jobs(project, requests, workers=WORKERS))


def _nothing_left(before: _Held) -> None:
    end = time.monotonic() + _END_SECONDS
    while left := _more(_held(), before):
        if time.monotonic() > end:
            raise JobError(f"left behind: {left}")
        time.sleep(0.1)


def _more(now: _Held, before: _Held) -> _Held:
    """Say what there is more of; a thing that was replaced by another is none."""
    return {
        kind: names - before[kind] for kind, names in now.items() if len(names) > len(before[kind])
    }


def _held() -> _Held:
    """List what is held now: by this process, and of what it has started."""
    gc.collect()
    temporary = Path(tempfile.gettempdir())
    files = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them
            # By name: a store keeps a few connections, which all have the same file open.
            files.add(str(descriptor.readlink()))
    return {
        "processes": _processes(str(temporary)),
        "threads": {f"{thread.name} {thread.ident}" for thread in threading.enumerate()},
        "open files": files,
        "temporary files": {str(path) for path in temporary.rglob("*")},
    }


def _processes(temporary: str) -> set[str]:
    """List all others of these jobs, also what has gone its own way as a daemon."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            ours = process.environ().get("TMPDIR") == temporary
            if ours and process.pid != os.getpid():
                found.add(f"{process.pid} {' '.join(process.cmdline())}")
    return found


def _peak_mib() -> float:
    [kib] = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(kib) / 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
