"""The job's own process: `python -m workbench.jobs.process FOLDER`, or forked and `main` called.

It executes the notebook in FOLDER as `spec.json` says, and leaves `result.json` beside it. SIGTERM
cancels the job. When the one who started it goes away, so does it, with everything that it started.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import stat
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import StoreError
from workbench.jobs.engine.files import INPUT, RESULT, SPEC, LastWord, hold

if TYPE_CHECKING:
    from workbench.jobs.engine.endings import Stop, Trouble
    from workbench.jobs.engine.execution import Assignment
    from workbench.jobs.engine.limits import Bounds
    from workbench.jobs.engine.redact import Redactor

__all__ = ["FORKED_VARIABLE", "UNWRITABLE", "main"]

FORKED_VARIABLE = "WORKBENCH_FORKED"
"""Set to 1 in a process that was forked: its parent ends it, and its input tells nothing."""

UNWRITABLE = os.EX_IOERR
"""The exit code where not even the result could be written."""

# Optional parts of papermill's dependencies that take long to import and that no job uses: a
# grammar of URIs and one of durations for JSON schemas, and HDFS. Without them they do without.
_NOT_NEEDED = ("rfc3987_syntax", "isoduration", "pyarrow.fs")


def main(folder: Path) -> int:
    """Execute the job in `folder`; return 0 if every cell was completed."""
    began = time.monotonic()
    try:
        hold(folder)  # until the end: who finds the lock free closes our record for us
        last_word = LastWord(folder / RESULT)
    except BlockingIOError:
        print(f"{folder}: another process has this job in hand", file=sys.stderr)
        return os.EX_TEMPFAIL
    except (StoreError, OSError) as error:
        print(error, file=sys.stderr)
        return UNWRITABLE
    for name in _NOT_NEEDED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    from workbench.jobs.engine import endings, tree
    from workbench.jobs.engine.redact import Redactor, redact_descriptors

    stop = endings.Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.ask("cancelled", "ended by SIGTERM"))
    _watch_starter()
    tree.adopt()
    redactor = Redactor.of_environment()
    end_log = redact_descriptors(redactor) if redactor else None
    result = _execute(folder, stop, redactor)
    tree.end()
    result["usage"] = _usage(began, result["usage"])
    code = _say(last_word, result)
    if end_log is not None:
        end_log()
    return code


def _say(last_word: LastWord, result: dict[str, Any]) -> int:
    try:
        last_word.say(json.dumps(result).encode())
    except StoreError as error:
        print(error, file=sys.stderr)
        return UNWRITABLE
    return 0 if result["state"] == "succeeded" else 1


def _execute(folder: Path, stop: Stop, redactor: Redactor) -> dict[str, Any]:
    """Execute the notebook and say how that ended."""
    from workbench.jobs.engine import endings
    from workbench.jobs.engine.limits import Bounds

    job = None
    trouble = None
    try:
        spec = json.loads((folder / SPEC).read_text(encoding="utf-8"))
        job = _assignment(folder, Bounds.of(spec.get("limits") or {}), stop, redactor)
        _run_papermill(folder, spec["cwd"], job)
    except BaseException as error:
        traceback.print_exc()
        trouble = endings.of_error(error)
    if job is not None and job.trouble is not None:
        trouble = job.trouble
    elif stop.trouble is not None and stop.trouble.kind == "disk":
        trouble = stop.trouble  # whereas who cancels a job that has just ended comes too late
    return _result(trouble, job, redactor)


def _assignment(folder: Path, bounds: Bounds, stop: Stop, redactor: Redactor) -> Assignment:
    from workbench.jobs.engine.execution import Assignment

    return Assignment(folder=folder, bounds=bounds, stop=stop, redactor=redactor)


def _run_papermill(folder: Path, cwd: str, job: Assignment) -> None:
    import papermill
    from papermill.engines import papermill_engines

    from workbench.jobs.engine.execution import WorkbenchEngine

    papermill_engines.register("workbench", WorkbenchEngine)
    papermill.execute_notebook(
        str(folder / INPUT).replace("{", "{{").replace("}", "}}"),  # it fills in parameters
        None,  # the engine writes it: papermill would put cells in front of the one that failed
        engine_name="workbench",
        cwd=cwd,
        progress_bar=False,
        assignment=job,
    )


def _result(trouble: Trouble | None, job: Assignment | None, redactor: Redactor) -> dict[str, Any]:
    state = "succeeded" if trouble is None else "failed"
    if trouble is not None and trouble.kind == "cancelled":
        state = "cancelled"
    return {
        "state": state,
        "failure": trouble.kind if trouble else None,
        "error": redactor.text(trouble.text) if trouble else None,
        "error_cell": trouble.cell if trouble else None,
        "kernel": job.kernel if job else "",
        "usage": dict(job.usage) if job else {},
    }


def _usage(began: float, kernel: dict[str, float]) -> dict[str, Any]:
    """Add what this process took to what its kernel did; memory is of the larger one."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    cpu = own.ru_utime + own.ru_stime + kernel.get("cpu_seconds", 0.0)
    peak = kernel.get("peak_memory_bytes", 0)
    wall = time.monotonic() - began
    return {"cpu_seconds": cpu, "wall_seconds": wall, "peak_memory_bytes": int(peak) or None}


def _watch_starter() -> None:
    """Go when our starter goes: its end of the pipe that is our input closes by its death alone."""
    if os.environ.get(FORKED_VARIABLE) == "1" or sys.stdin is None:
        return
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        threading.Thread(target=_end_with_starter, daemon=True).start()


def _end_with_starter() -> None:
    while os.read(0, 1024):
        pass
    from workbench.jobs.engine import sockets, tree

    tree.end()
    sockets.leave()
    os._exit(1)


if __name__ == "__main__":
    code = main(Path(sys.argv[1]).resolve())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # what is left to tear down is memory
