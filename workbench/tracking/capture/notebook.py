"""`%load_ext workbench`: from then on the notebook has a run.

In a job's kernel the run belongs to whoever started the job; there this only takes notes. In a
notebook that somebody works in it begins a run, ends it with the kernel, and begins another when
the parameters cell is run with other values: they are another experiment.
"""

from __future__ import annotations

import atexit
import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any

from workbench.errors import NotAProjectError
from workbench.lineage import Edge, ExecutedCell, cell_edges, observing_fits
from workbench.project import JOB_FOLDER, Project
from workbench.tracking import autolog, session
from workbench.tracking.autolog.imports import when_imported
from workbench.tracking.capture.cells import (
    CellRun,
    Linearity,
    assigned_names,
    code_cells,
    judge,
    parameters_source,
)
from workbench.tracking.capture.context import provide
from workbench.tracking.capture.handover import (
    Captured,
    Note,
    append,
    store_captured,
)
from workbench.tracking.capture.origin import (
    LINEAR,
    code_status,
    keep_code,
    origin_tags,
    session_notebook,
    snapshot_tags,
)
from workbench.tracking.capture.shared_run import share_run
from workbench.tracking.capture.watch import Watch
from workbench.tracking.delivery import deliver
from workbench.usage import Meter, cost_metrics

__all__ = ["NotebookSession", "load", "unload"]

_logger = logging.getLogger("workbench.tracking")
_PLAIN = (bool, int, float, str, type(None), list, tuple, dict)

_loaded: NotebookSession | JobSession | None = None


def load(shell: Any) -> None:
    """Begin to record what is done in this kernel."""
    global _loaded
    if _loaded is not None:
        return
    try:
        project = Project.find()
    except NotAProjectError as error:
        print(f"workbench: nothing is recorded here: {error}")
        return
    folder = os.environ.get(JOB_FOLDER)
    if folder is not None:
        _loaded = JobSession(project, shell, Path(folder))
        _loaded.start()
        return
    _loaded = NotebookSession(project, shell)
    _loaded.start()
    atexit.register(unload)


def unload(_shell: Any = None) -> None:
    """End it; the run with it."""
    global _loaded
    if _loaded is not None:
        ending, _loaded = _loaded, None
        ending.stop()
        atexit.unregister(unload)


class JobSession:
    """A job's kernel: notes for whoever closes the job, who has the run too."""

    def __init__(self, project: Project, shell: Any, folder: Path) -> None:
        self._project = project
        self._run_id = _job_run()
        self._watch = Watch(project, shell, partial(append, folder))
        self._undo = ExitStack()

    def start(self) -> None:
        """Begin to take notes."""
        self._watch.start()
        if self._run_id:
            # Autologging without an active run would log to one that it ends by itself.
            self._undo.callback(when_imported("mlflow", self._take_up_run))

    def _take_up_run(self) -> None:
        session.current_run(self._project)
        self._undo.callback(share_run(self._run_id))

    def stop(self) -> None:
        """Take the last ones, and store the models that the notebook didn't."""
        self._undo.close()
        self._watch.stop()
        if self._run_id:
            with observing_fits(self._watch.fit):
                autolog.log_fitted_models(self._run_id)


@cache
def _job_run() -> str:
    """Return the run of the job that this kernel works for; empty if it has none.

    Kept, for MLflow takes it out of the environment once it is used.
    """
    return os.environ.get("MLFLOW_RUN_ID", "")


class NotebookSession:
    """The runs of one kernel in which somebody works, one after the other."""

    def __init__(self, project: Project, shell: Any) -> None:
        self.project = project
        self._shell = shell
        self._path = session_notebook()
        self._cells = _earlier(shell)
        self._unlinked: list[CellRun] = []  # of the run, which the lineage doesn't have yet
        self._origin: list[Edge] = []
        self._notes: list[Note] = []  # of the run, in case they have to be told again
        self._untold: list[Note] = []
        self._parameters: str | None = None
        self._first = 0  # of the run's own cells among all
        self._unshare: Callable[[], None] = lambda: None
        self._watch = Watch(project, shell, self._note, self._after_cell)

    def start(self) -> None:
        """Begin the first run."""
        session.settle_runs(self.project)
        deliver(self.project)
        self._begin()
        self._watch.start()
        for cell in self._cells:
            self._follow_parameters(cell)

    def stop(self) -> None:
        """End the run."""
        self._watch.stop()
        self._end()

    def _begin(self) -> None:
        status = code_status(self.project.root)
        shown = self.project.relative(self._path) if self._path else None
        self.run = session.current_run(self.project)
        self._first = len(self._cells)
        self._unlinked = list(self._cells)  # what they did is still in the kernel
        self._take_up_run()
        self._meter = Meter()
        tags = {
            **origin_tags(status, shown, "NOTEBOOK"),
            **snapshot_tags(self.project, self.project.root, self.run.run_id),
        }
        self.run.set_tags(tags)
        provide(tags)
        code = f"commit:{status.commit}"
        edge = Edge(source=code, target=self.run.node, relation="code")
        self._origin = [edge] if status.commit else []
        where = f"on branch {status.branch}" if status.branch else "outside any branch"
        print(f"workbench: run {self.run.run_id} {where}")

    def _take_up_run(self) -> None:
        """Let plain `mlflow` calls reach the run, and start others in the project's experiment."""
        import mlflow

        if not self.run.is_local:
            mlflow.set_experiment(self.project.name)
            self._unshare = share_run(self.run.run_id)

    def _end(self) -> None:
        last = self._cells[self._first :][-1:]
        try:
            self._record()
        finally:
            provide({})
            self._unshare()
            self.run.end("FINISHED" if all(cell.succeeded for cell in last) else "FAILED")

    def _record(self) -> None:
        self._tag_linearity()
        self.run.log_metrics(cost_metrics(self._meter.read(), self.project.settings.cost))
        self._tell()
        try:
            with observing_fits(self._watch.fit):
                autolog.log_fitted_models(self.run.run_id)
            self._tell()
            self._store_notebook()
        except Exception as error:  # a store that is away must not keep a kernel from ending
            _logger.warning("the notebook is not with run %s: %s", self.run.run_id, error)

    def _tag_linearity(self) -> None:
        verdict = self._linearity()
        tags = {f"{LINEAR}.reason": verdict.reason}
        if verdict.linear is not None:
            tags[LINEAR] = str(verdict.linear).lower()
        self.run.set_tags(tags)

    def _linearity(self) -> Linearity:
        document = code_cells(self._path)
        sources = [cell["source"] for cell in document] if document is not None else None
        return judge(self._cells, sources)

    def _store_notebook(self) -> None:
        """Keep the cells as they were executed, and the notebook as it is on disk."""
        from nbformat.v4 import new_code_cell, new_notebook, writes

        cells = [
            new_code_cell(cell.source, execution_count=count)
            for count, cell in enumerate(self._cells, start=1)
        ]
        executed = writes(new_notebook(cells=cells))
        self.run.log_text(executed, "notebook/cells.ipynb")
        name = self._path.name if self._path else "cells.ipynb"
        self._keep_code(files={name: executed.encode()})
        if self._path is not None and self._path.exists():
            content = self._path.read_text(encoding="utf-8")
            self.run.log_text(content, f"notebook/{self._path.name}")

    def _keep_code(self, **code: Any) -> None:
        keep_code(self.project, self.project.root, self.run.run_id, **code)

    def _note(self, note: Note) -> None:
        self._notes.append(note)
        self._untold.append(note)

    def _after_cell(self, cell: CellRun) -> None:
        if cell.succeeded:
            self._follow_parameters(cell)  # which may end the run: this cell is of the next one
            self._register_functions(cell)
        self._cells.append(cell)
        self._unlinked.append(cell)
        self._tell()
        self._tag_linearity()

    def _register_functions(self, cell: CellRun) -> None:
        """Register the functions of a cell that is tagged so in the notebook's file."""
        if self._path is None or "def " not in cell.source:
            return
        from workbench.functions import register_tagged

        same = [one for one in code_cells(self._path) or () if one["source"] == cell.source]
        register_tagged(same[:1], self.project, self.project.relative(self._path))

    def _tell(self) -> None:
        """Store what was noticed; while the store is away it stays to be told."""
        captured = Captured.of(self._untold)
        try:
            store_captured(self.run, captured, self._edges(captured))
            self._keep_code(modules=captured.modules)
        except Exception as error:
            _logger.warning("not yet in run %s: what it read: %s", self.run.run_id, error)
        else:
            self._untold.clear()
            self._unlinked.clear()
            self._origin.clear()

    def _edges(self, captured: Captured) -> list[Edge]:
        """Lead the commit and the cells that ran since the last time to the run.

        Only those of a known notebook have a name.
        """
        if self._path is None or not self._unlinked:
            return self._origin
        ids = {cell["source"].strip(): cell.get("id") for cell in code_cells(self._path) or ()}
        ran = [
            ExecutedCell(id=cell_id, source=cell.source, count=cell.count)
            for cell in self._unlinked
            if (cell_id := cell.cell_id or ids.get(cell.source.strip()))
        ]
        notebook = self.project.relative(self._path)
        return [*self._origin, *cell_edges(notebook, ran, captured.touches, self.run.node)]

    def _follow_parameters(self, cell: CellRun) -> None:
        source = parameters_source(code_cells(self._path))
        if source is None or cell.source.strip() != source.strip():
            return
        values = {
            name: self._shell.user_ns[name]
            for name in assigned_names(cell.source)
            if isinstance(self._shell.user_ns.get(name), _PLAIN)
        }
        written = repr(values)  # which arrays and NaN have no equality for
        if self._parameters not in (None, written):
            self._end()
            self._untold = list(self._notes)
            self._begin()
        if written != self._parameters:
            self.run.log_params(values)
            self._parameters = written


def _earlier(shell: Any) -> list[CellRun]:
    """Return what was executed before we were asked to look, without the cell that asks."""
    sources = shell.history_manager.input_hist_raw[:-1]
    return [CellRun(source=s, count=count) for count, s in enumerate(sources) if s]
