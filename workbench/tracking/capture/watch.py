"""Watching a kernel: what it reads, imports and executes, told on as notes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import polars as pl

from workbench.data import Dataset, ReaderTap, observing
from workbench.git.modules import local_modules
from workbench.lineage import observing_use
from workbench.project import Project
from workbench.tracking import autolog
from workbench.tracking.autolog.imports import when_imported
from workbench.tracking.capture.cells import CellRun
from workbench.tracking.capture.environment import environment
from workbench.tracking.capture.handover import Note
from workbench.usage import peak_memory

__all__ = ["Watch"]

_logger = logging.getLogger("workbench.tracking")


class Watch:
    """Follows one kernel from `start` to `stop`. Never raises into the user's cells.

    Parameters
    ----------
    tell
        Called with each note as it is made.
    after_cell
        Called after each cell that the user ran.
    """

    def __init__(
        self,
        project: Project,
        shell: Any,
        tell: Callable[[Note], None],
        after_cell: Callable[[CellRun], None] = lambda _: None,
    ) -> None:
        self._project, self._shell = project, shell
        self._tell, self._after_cell = tell, after_cell
        self._tap = ReaderTap(project)
        self._undo = ExitStack()
        self._imported = self._peak = 0
        self._modules: set[str] = set()

    def start(self) -> None:
        """Begin to listen."""
        self._undo.enter_context(observing(self._read))
        self._undo.enter_context(observing_use(self._use))
        self._undo.callback(self._tap.detach)
        self._tap.attach(pl)
        self._undo.callback(autolog.disable)
        autolog.enable(self._project)
        self._undo.callback(when_imported("pandas", self._attach_pandas))
        self._shell.events.register("post_run_cell", self._after)
        self._undo.callback(self._shell.events.unregister, "post_run_cell", self._after)
        self._tell(Note(kind="environment", environment=environment()))

    def stop(self) -> None:
        """Tell what is left and give everything back as it was."""
        self._note_modules()
        self._note_memory()
        self._undo.close()

    def _read(self, dataset: Dataset) -> None:
        self._tell(Note(kind="dataset", dataset=dataset))

    def _use(self, node: str) -> None:
        self._tell(Note(kind="node", node=node))

    def _attach_pandas(self) -> None:
        self._tap.attach(sys.modules["pandas"])

    def _after(self, result: Any) -> None:
        try:
            self._note_modules()
            self._note_memory()
            info = result.info
            if info is not None and info.store_history:
                cell_id = getattr(info, "cell_id", None)
                source = str(info.raw_cell)
                self._after_cell(
                    CellRun(source=source, cell_id=cell_id, succeeded=bool(result.success))
                )
        except Exception as error:
            _logger.warning("this cell is not in the run's record: %s", error)

    def _note_memory(self) -> None:
        peak = peak_memory()
        if peak > self._peak * 1.02:  # after the last cell it may be too late to say
            self._peak = peak
            self._tell(Note(kind="memory", peak_memory_bytes=peak))

    def _note_modules(self) -> None:
        if len(sys.modules) == self._imported:
            return
        self._imported = len(sys.modules)
        found = {str(path) for path in local_modules(sys.modules, self._project.root)}
        if found - self._modules:
            self._modules |= found
            self._tell(Note(kind="modules", modules=sorted(found)))
