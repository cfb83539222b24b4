"""papermill's engine `workbench`: the same notebook, with a true record.

papermill's own calls a cell that was running when the kernel died, or that was never reached,
"completed", and takes `sys.exit()` for success. It writes the whole notebook before and after every
cell; here progress is a line in a journal.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from papermill.engines import NBClientEngine
from papermill.log import logger
from traitlets.config import Config

from workbench.jobs.engine.client import Client
from workbench.jobs.engine.endings import Stop, Trouble
from workbench.jobs.engine.files import EXECUTED, JOURNAL
from workbench.jobs.engine.limits import Bounds, Guard
from workbench.jobs.engine.record import Record
from workbench.jobs.engine.redact import Redactor

__all__ = ["Assignment", "WorkbenchEngine"]

_OF_PAPERMILL = {"input_path", "autosave_cell_every", "startup_timeout", "timeout"}
_LONGEST_FOLDER = 60
"""The address of a socket has about a hundred bytes in all."""


@dataclass
class Assignment:
    """A job to execute, and what there is to say about it afterwards."""

    folder: Path | None = None
    bounds: Bounds = field(default_factory=Bounds)
    stop: Stop = field(default_factory=Stop)
    redactor: Redactor = field(default_factory=Redactor.of_environment)
    trouble: Trouble | None = None
    kernel: str = ""
    usage: dict[str, float] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, Path] | None:
        """The journal and the executed notebook."""
        return (self.folder / JOURNAL, self.folder / EXECUTED) if self.folder else None


class WorkbenchEngine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Runs a notebook as papermill does, and says truly how far it came."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        *,
        progress_bar: Any = True,
        log_output: bool = False,
        assignment: Assignment | None = None,
        **options: Any,
    ) -> Any:
        """Execute `nb` in a kernel of its own and return it.

        `options` are papermill's and nbclient's; `assignment` is a job's own process's.
        """
        job = assignment or Assignment()
        record = Record(
            nb,
            output_path,
            folder_files=job.files,
            redactor=job.redactor,
            stop=job.stop,
            log_output=log_output,
            progress_bar=progress_bar,
        )
        record.notebook_start()
        with _sockets() as config:
            traits = {**_traits(options), "config": config, "log_output": log_output}
            guard = Guard(job.bounds, job.stop)
            client = Client(record, guard, kernel_name=kernel_name, log=logger, **traits)
            try:
                client.execute()
            finally:
                job.trouble, job.kernel, job.usage = client.trouble, client.kernel, client.usage
                try:
                    record.notebook_complete(client.widgets())
                finally:
                    client.close()
        return nb


def _traits(options: dict[str, Any]) -> dict[str, Any]:
    """Name what papermill was asked for as nbclient does."""
    given = {name: value for name, value in options.items() if name not in _OF_PAPERMILL}
    startup = given.pop("start_timeout", 60)
    timeout = given.pop("execution_timeout", None) or options.get("timeout")
    return {**given, "timeout": timeout, "startup_timeout": startup}


@contextmanager
def _sockets() -> Iterator[Config]:
    """Let the kernel talk over files of its own.

    Kernels that start at the same time may be given the same TCP port; files have no such race, and
    nobody else on the machine can open them.
    """
    short = len(tempfile.gettempdir()) <= _LONGEST_FOLDER
    with TemporaryDirectory(prefix="workbench-", dir=None if short else "/tmp") as folder:
        connection = {"transport": "ipc", "connection_file": f"{folder}/kernel.json"}
        yield Config({"ConnectionFileMixin": connection})
