"""papermill's engine `workbench`: the same notebook, with a true record.

Two things differ from papermill's own. A cell that was running when the kernel died, or that was
never reached, is not called "completed". And progress is a line appended to a journal, while the
whole notebook is written at most every few seconds instead of twice a cell.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbclient.exceptions import CellExecutionError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.log import logger
from traitlets.config import Config

from workbench.jobs.process import JOURNAL_VARIABLE
from workbench.project import JOB_FOLDER

__all__ = ["WorkbenchEngine"]

_SAVE_EVERY_SECONDS = 2.0


class _Manager(NotebookExecutionManager):  # type: ignore[misc]  # papermill has no types
    """Keeps each cell's status, the journal and the file."""

    def __init__(self, notebook: Any, output_path: str | None) -> None:
        super().__init__(notebook, output_path=output_path, progress_bar=False)
        journal = os.environ.get(JOURNAL_VARIABLE)
        self._journal = Path(journal) if journal else None
        self._saved = 0.0

    def save(self, **kwargs: Any) -> None:
        if time.monotonic() - self._saved >= _SAVE_EVERY_SECONDS:
            super().save(**kwargs)
            self._saved = time.monotonic()

    def cell_start(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        super().cell_start(cell, cell_index, **kwargs)
        self._note(cell_index, cell)

    def cell_exception(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        super().cell_exception(cell, cell_index, **kwargs)
        self._note(cell_index, cell, error=_error_line(kwargs.get("exception")))

    def cell_complete(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        super().cell_complete(cell, cell_index, **kwargs)
        self._note(cell_index, cell)

    def notebook_complete(self, **kwargs: Any) -> None:
        # Not the inherited one: it calls every cell that wasn't reached "completed".
        self.end_time = self.now()
        record = self.nb.metadata.papermill
        record["end_time"] = self.end_time.isoformat()
        record["duration"] = (self.end_time - self.start_time).total_seconds()
        self._saved = 0.0
        self.save()

    def _note(self, index: int | None, cell: Any, **more: str) -> None:
        if self._journal is None:
            return
        line = {
            "cell": index,
            "of": len(self.nb.cells),
            "status": cell.metadata.papermill["status"],
            "at": time.time(),
            **more,
        }
        with self._journal.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(line) + "\n")


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """Marks the cell that was running when anything went wrong, whatever it was."""

    def papermill_execute_cells(self) -> None:
        self._silently("%load_ext workbench")
        try:
            self._execute_cells()
        finally:
            self._silently("%unload_ext workbench")

    def _silently(self, magic: str) -> None:
        """Let a tracked job's kernel record for its run, without a trace in the notebook."""
        tracked = self.nb.metadata.kernelspec.get("language", "python") == "python"
        if not (tracked and JOB_FOLDER in os.environ and "MLFLOW_RUN_ID" in os.environ):
            return
        with suppress(DeadKernelError):  # of which the cell's own state tells
            reply = self.wait_for_reply(self.kc.execute(magic, silent=True, allow_stdin=False))
            if reply and reply["content"]["status"] == "error":
                logger.warning("%s: %s", magic, reply["content"].get("evalue"))

    def _execute_cells(self) -> None:
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except BaseException as error:
                self.nb_man.cell_exception(cell, index, exception=error)
                if isinstance(error, CellExecutionError):
                    break  # its traceback is in the notebook, from where papermill raises it
                raise
            finally:
                self.nb_man.cell_complete(cell, index)


class WorkbenchEngine(NBClientEngine):  # type: ignore[misc]
    """Runs a notebook as papermill does, and says truly how far it came."""

    @classmethod
    def execute_notebook(
        cls, nb: Any, kernel_name: str, output_path: str | None = None, **kwargs: Any
    ) -> Any:
        """Execute `nb` in a kernel of its own and return it."""
        manager = _Manager(nb, output_path)
        manager.notebook_start()
        kwargs = {key: kwargs[key] for key in kwargs if key not in _OF_PAPERMILL}
        timeout = kwargs.pop("execution_timeout", None) or kwargs.pop("timeout", None)
        startup = kwargs.pop("start_timeout", 60)
        try:
            with _sockets() as config:
                _Client(
                    manager,
                    kernel_name=kernel_name,
                    startup_timeout=startup,
                    timeout=timeout,
                    log=logger,
                    config=config,
                    **kwargs,
                ).execute()
        finally:
            manager.notebook_complete()
        return manager.nb


_OF_PAPERMILL = {"input_path", "progress_bar", "autosave_cell_every", "startup_timeout"}


@contextmanager
def _sockets() -> Iterator[Config]:
    """Let the kernel talk over files of its own.

    Kernels that start at the same time may be given the same TCP port; files have no such race, and
    nobody else on the machine can open them.
    """
    with TemporaryDirectory(prefix="workbench-") as folder:
        connection = {"transport": "ipc", "connection_file": f"{folder}/kernel.json"}
        yield Config({"ConnectionFileMixin": connection})


def _error_line(error: object) -> str:
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {error.evalue}"
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]
