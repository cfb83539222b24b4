"""Watching a kernel: what it reads, imports and executes, told on as notes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import polars as pl

from workbench.data import Dataset, ReaderTap, observing
from workbench.git.modules import local_modules
from workbench.lineage import observing_fits, observing_made, observing_use
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
        self._cell = 0  # the count of the one that runs now
        self._modules: set[str] = set()

    def start(self) -> None:
        """Begin to listen."""
        self._undo.enter_context(observing(self._read))
        self._undo.enter_context(observing_use(self._use))
        self._undo.enter_context(observing_made(self._make))
        self._undo.enter_context(observing_fits(self.fit))
        self._undo.callback(self._tap.detach)
        self._tap.attach(pl)
        self._undo.callback(autolog.disable)
        autolog.enable(self._project)
        self._undo.callback(when_imported("pandas", self._attach_pandas))
        for event, heard in (("pre_run_cell", self._before), ("post_run_cell", self._after)):
            self._shell.events.register(event, heard)
            self._undo.callback(self._shell.events.unregister, event, heard)
        self._tell(Note(kind="environment", environment=environment()))

    def stop(self) -> None:
        """Tell what is left and give everything back as it was."""
        self._note_modules()
        self._note_memory()
        self._undo.close()

    def fit(self, run_id: str, columns: Sequence[str]) -> None:
        """Take note of a model that was stored with a run."""
        note = Note(kind="fitted", node=f"run:{run_id}", columns=list(columns), cell=self._cell)
        self._tell(note)

    def _read(self, dataset: Dataset) -> None:
        self._tell(Note(kind="dataset", dataset=dataset, cell=self._cell))

    def _use(self, node: str) -> None:
        self._tell(Note(kind="node", node=node, cell=self._cell))

    def _make(self, node: str) -> None:
        self._tell(Note(kind="made", node=node, cell=self._cell))

    def _before(self, info: Any) -> None:
        # Versions of IPython differ in when they count a cell, not in when they store its text.
        self._cell = len(self._shell.history_manager.input_hist_raw) if info.store_history else 0

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
                    CellRun(
                        source=source,
                        cell_id=cell_id,
                        succeeded=bool(result.success),
                        count=result.execution_count or 0,
                    )
                )
        except Exception as error:
            _logger.warning("this cell is not in the run's record: %s", error)
        finally:
            self._cell = 0

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
