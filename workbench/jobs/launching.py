"""Starting a job's process: forked from a parent that has imported much, or by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import psutil

from workbench.jobs.kernels import ForkingError, ForkingParent
from workbench.jobs.kernels.keys import same_at_import
from workbench.project import Project

__all__ = ["Launcher", "Process", "end_stragglers"]

_READY_SECONDS = 60.0
"""A parent that imports for longer is left to it, while jobs start by themselves."""


class Process(Protocol):
    """What is needed of a process, as `subprocess.Popen` has it. Its starter's death ends it."""

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""

    def poll(self) -> int | None:
        """Return the exit code if it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; `subprocess.TimeoutExpired` if it takes longer."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""

    def close(self) -> None:
        """Let go of it once it has ended."""


class Launcher:
    """Starts the processes of a pool's jobs. Threads may share it.

    Many jobs are forked: importing once for all of them is worth waiting for. A job alone starts
    an ordinary process, since the parent would import what other notebooks need as well; if more
    follow, the parent gets ready meanwhile.
    """

    def __init__(self, project: Project, share: Mapping[str, str]) -> None:
        self._environment = {**share, **os.environ}
        self._parent = ForkingParent(project.state, environment=self._environment)
        self._started = 0
        self._many = False

    def __enter__(self) -> Self:
        """Nothing is started before it is needed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End what was started to start others."""
        self._parent.close()

    def expect(self, jobs: int) -> None:
        """Get ready for so many jobs at once."""
        self._many = self._many or jobs > 1

    def start(
        self, folder: Path, environment: Mapping[str, str], *, cwd: Path, log: Path
    ) -> Process:
        """Start the process of the job in `folder`."""
        self._started += 1
        if self._may_fork(environment):
            with suppress(ForkingError):  # then an ordinary one does it as well
                return self._parent.start_job(folder, environment=environment, cwd=cwd, log=log)
        return _Ordinary(folder, environment, cwd, log)

    def _may_fork(self, environment: Mapping[str, str]) -> bool:
        if same_at_import(self._environment, environment):
            return False
        if self._many:
            return self._parent.wait_ready(_READY_SECONDS)
        if self._started > 1:
            self._parent.start()
        return self._parent.ready


class _Ordinary:
    """A job's process, started by itself; the closing of its input tells it that we died."""

    def __init__(self, folder: Path, environment: Mapping[str, str], cwd: Path, log: Path) -> None:
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workbench.jobs.process", str(folder)],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                cwd=cwd,
                env=dict(environment),
                start_new_session=True,  # an interrupt at the terminal is ours to deal with
            )
        self.poll, self.wait = self._process.poll, self._process.wait
        self.terminate, self.kill = self._process.terminate, self._process.kill

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def close(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()


def end_stragglers(job_id: str, state: Path) -> None:
    """Kill what is left of a job whose own process can't do it any more.

    Whatever a job starts has its id in the environment, also what went its own way as a daemon.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            environment = process.environ()
            if (
                environment.get("WORKBENCH_JOB_ID") == job_id
                and environment.get("WORKBENCH_STATE_DIR") == str(state)
                and process.pid != os.getpid()
            ):
                process.kill()
