"""Starting a job's process: forked from a parent that has imported much, or by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import psutil

from workbench.jobs.kernels import ForkingError, ForkingParent
from workbench.jobs.kernels.imports import imports_of
from workbench.jobs.kernels.keys import same_at_import
from workbench.jobs.kernels.preload import preload_list
from workbench.project import Project

__all__ = ["Launcher", "Process", "end_stragglers"]

_READY_SECONDS = 60.0
"""A parent that imports for longer is left to it, while jobs start by themselves."""

_RECORDING = {"workbench", "mlflow", "sqlalchemy", "skops"}


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

    Jobs are forked from a parent that imports what they need: for one job what its notebook names,
    for many also what the project's notebooks have been found to import.
    """

    def __init__(self, project: Project, share: Mapping[str, str]) -> None:
        self._state = project.state
        self._environment = {**share, **os.environ}
        self._parent: ForkingParent | None = None
        self._lock = threading.Lock()

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
        if self._parent is not None:
            self._parent.close()

    def expect(self, jobs: int, notebooks: Iterable[Path]) -> None:
        """Get ready for so many jobs: importing begins while they are still being prepared."""
        with self._lock:
            if self._parent is None:
                names = _modules(imports_of(notebooks), preload_list(self._state), jobs)
                self._parent = ForkingParent(
                    self._state, environment=self._environment, modules=names
                )
                self._parent.start()

    def start(
        self, folder: Path, environment: Mapping[str, str], *, cwd: Path, log: Path
    ) -> Process:
        """Start the process of the job in `folder`."""
        parent = self._parent
        if (
            parent is not None
            and not same_at_import(self._environment, environment)
            and parent.wait_ready(_READY_SECONDS)
        ):
            with suppress(ForkingError):  # then an ordinary one does it as well
                return parent.start_job(folder, environment=environment, cwd=cwd, log=log)
        return _Ordinary(folder, environment, cwd, log)


def _modules(named: Sequence[str], learnt: Sequence[str], jobs: int) -> list[str]:
    """Choose what to import ahead.

    For one job only of the packages that its notebook names, and of those that record it: what
    other notebooks need would take longer to import than it saves.
    """
    if jobs > 1:
        return list(dict.fromkeys([*learnt, *named]))
    tops = {name.partition(".")[0] for name in named} | _RECORDING
    known = (name for name in learnt if name.partition(".")[0] in tops)
    return list(dict.fromkeys([*known, *named]))


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
