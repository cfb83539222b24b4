"""What has come out of a notebook so far: in memory, in the journal and in the file."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from papermill.engines import NotebookExecutionManager
from papermill.iorw import write_ipynb
from papermill.log import logger

from workbench.jobs.engine.endings import Stop
from workbench.jobs.engine.files import write_whole
from workbench.jobs.engine.journal import Journal
from workbench.jobs.engine.redact import Redactor
from workbench.jobs.engine.transcript import Transcript, blank

__all__ = ["Record"]

_SAVE_EVERY_SECONDS = 2.0
_SAVE_SHARE = 4
"""Saving takes at most one part in so many of the time."""


class Record(NotebookExecutionManager):  # type: ignore[misc]  # papermill has no types
    """Keeps the record of one execution: every event goes through `_note`.

    With a journal the notebook's file is written once, at the end, beside and renamed. Without one
    (papermill's own command line) it is also written in between, as papermill does, if less often.
    """

    def __init__(
        self,
        notebook: Any,
        output_path: str | None,
        *,
        folder_files: tuple[Path, Path] | None = None,
        redactor: Redactor,
        stop: Stop,
        log_output: bool = False,
        progress_bar: Any = False,
    ) -> None:
        super().__init__(notebook, output_path, log_output=log_output, progress_bar=progress_bar)
        self._executed = folder_files[1] if folder_files else None
        self._journal = Journal(folder_files[0]) if folder_files else None
        self._transcript = Transcript(notebook)
        self._redactor = redactor
        self._stop = stop
        self._held: tuple[int, str, str] | None = None
        self._next_save = 0.0
        self._broken = False

    def notebook_start(self, **_: Any) -> None:
        """Forget an earlier execution, and show that this one has begun."""
        self.set_timer()
        blank(self.nb)
        self.nb.metadata.papermill["start_time"] = self.start_time.isoformat()
        self.autosave_cell()

    def kernel_ready(
        self, kernel: str, how: str, why: str, pid: int | None, language: Mapping[str, Any]
    ) -> None:
        """Note that the kernel is there, and which processes to look at while it runs."""
        about = {"cells": len(self.nb.cells), "kernel": kernel, "how": how, "why": why}
        processes = {"process": os.getpid(), "kernel_process": pid}
        self._note("begin", **about, **processes, at=time.time(), language_info=dict(language))

    def cell_start(self, cell: Any, cell_index: int, **_: Any) -> None:
        """Note that a cell begins."""
        if self.log_output:
            logger.info(f"Executing Cell {cell_index + 1:-<40}")
        if self.pbar and (description := self.get_cell_description(cell)) is not None:
            self.pbar.set_description(f"Executing {description}")
        self._note("start", cell=cell_index, at=time.time())
        self.autosave_cell()

    def output(self, cell: int, output: Mapping[str, Any], display_id: str | None = None) -> None:
        """Note an output; of a stream, what may be the beginning of a secret waits for the rest."""
        if output["output_type"] == "stream" and self._redactor:
            self._stream(cell, output["name"], output["text"])
            return
        self._show_held()
        more = {"display_id": display_id} if display_id else {}
        self._note("output", cell=cell, output=self._clean(output), **more)

    def clear(self, cell: int) -> None:
        """Note that a cell's outputs are gone."""
        self._held = None if self._held and self._held[0] == cell else self._held
        self._note("clear", cell=cell)

    def update(self, cell: int, display_id: str, content: Mapping[str, Any]) -> None:
        """Note that what was shown under this id, in whatever cell, is something else now."""
        if self._transcript.knows(display_id):
            self._show_held()
            data, metadata = self._clean(content["data"]), self._clean(content["metadata"])
            self._note("update", cell=cell, display_id=display_id, data=data, metadata=metadata)

    def cell_end(self, cell: int, status: str, error: str = "") -> None:
        """Note how a cell ended: completed, failed, or still running when the job was ended."""
        self._show_held()
        more = {"error": self._redactor.text(error)} if error else {}
        count = self.nb.cells[cell].get("execution_count")
        at = time.time()
        self._note("end", cell=cell, at=at, status=status, execution_count=count, **more)
        if self.log_output:
            logger.info(f"Ending Cell {cell + 1:-<43}")
            sys.stdout.flush()
            sys.stderr.flush()
        if self.pbar:
            self.pbar.update(1)
        self.autosave_cell()

    def autosave_cell(self) -> None:
        """Write the file, if there is no journal and it wasn't written just now."""
        if self._journal is None and time.monotonic() >= self._next_save:
            self.save()

    def save(self, **_: Any) -> None:
        """Write the file as papermill does."""
        began = time.monotonic()
        self._transcript.settle()
        if self.output_path:
            write_ipynb(self.nb, self.output_path)
        took = time.monotonic() - began
        self._next_save = began + max(_SAVE_EVERY_SECONDS, _SAVE_SHARE * took)

    def notebook_complete(self, widgets: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Note the end and write the file; what wasn't reached stays as it is."""
        self._show_held()
        more = {"widgets": self._clean(widgets)} if widgets else {}
        self._note("finish", at=time.time(), **more)
        self.cleanup_pbar()
        if self._journal is None or self._executed is None:
            self.save()
            return
        self._journal.close()
        self._journal = None
        import nbformat

        content = nbformat.writes(self.nb)
        write_whole(self._executed, f"{content}\n".encode("utf-8", "surrogateescape"))

    def _stream(self, cell: int, name: str, text: str) -> None:
        if self._held is not None and self._held[:2] == (cell, name):
            text = self._held[2] + text
            self._held = None
        self._show_held()
        shown, held = self._redactor.split(text)
        if held:
            self._held = (cell, name, held)
        if shown:
            self._note_stream(cell, name, shown)

    def _show_held(self) -> None:
        if self._held is not None:
            (cell, name, text), self._held = self._held, None
            self._note_stream(cell, name, self._redactor.text(text))

    def _note_stream(self, cell: int, name: str, text: str) -> None:
        self._note(
            "output", cell=cell, output={"output_type": "stream", "name": name, "text": text}
        )

    def _clean(self, value: Mapping[str, Any]) -> Any:
        return self._redactor.anything(value) if self._redactor else value

    def _note(self, event: str, **content: Any) -> None:
        """Write an event down, then do it; a journal that can't be written ends the job."""
        line = {"event": event, **content}
        if self._journal is not None and not self._broken:
            try:
                self._journal.write(line)
            except OSError as error:
                self._broken = True
                said = f"the journal can't be written: {error.strerror or error}"
                self._stop.ask("disk", said)
        self._transcript.apply(line)
