"""papermill's engine `workbench`: the same notebook, with a true record.

papermill's own calls a cell that was running when the kernel died, or that was never reached,
"completed", and takes `sys.exit()` for success. It writes the whole notebook before and after every
cell; here progress is a line in a journal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat.v4 import new_notebook
from papermill.engines import NBClientEngine
from papermill.log import logger
from traitlets.config import Config

from workbench.jobs.engine.client import Client
from workbench.jobs.engine.endings import Stop, Trouble
from workbench.jobs.engine.files import EXECUTED, JOURNAL
from workbench.jobs.engine.limits import Bounds, Guard
from workbench.jobs.engine.record import Record
from workbench.jobs.engine.redact import Redactor
from workbench.jobs.engine.sockets import socket_folder

__all__ = ["Assignment", "WorkbenchEngine"]

_OF_PAPERMILL = {"input_path", "autosave_cell_every", "startup_timeout", "timeout"}


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
        """Execute `nb` in a kernel of its own and return it, or nothing of it if it is a job's.

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
        with socket_folder() as connection_file:
            connection = {"transport": "ipc", "connection_file": str(connection_file)}
            config = Config({"ConnectionFileMixin": connection})
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
        # A job's is written: of what is returned, papermill makes the text again, for no file.
        return new_notebook() if job.files else nb


def _traits(options: dict[str, Any]) -> dict[str, Any]:
    """Name what papermill was asked for as nbclient does."""
    given = {name: value for name, value in options.items() if name not in _OF_PAPERMILL}
    startup = given.pop("start_timeout", 60)
    timeout = given.pop("execution_timeout", None) or options.get("timeout")
    return {**given, "timeout": timeout, "startup_timeout": startup}
