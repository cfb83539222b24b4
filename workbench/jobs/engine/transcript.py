"""What events make of a notebook: the same while a job runs and when its journal is replayed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from nbformat import NotebookNode, from_dict

__all__ = ["Transcript", "blank"]

Event = Mapping[str, Any]


def blank(notebook: Any) -> None:
    """Take what an earlier execution left out of `notebook`; every cell is pending."""
    notebook.metadata.papermill.update(start_time=None, end_time=None, duration=None)
    notebook.metadata.papermill["exception"] = None
    for cell in notebook.cells:
        times = {"start_time": None, "end_time": None, "duration": None}
        cell.metadata.papermill = from_dict({"exception": None, **times, "status": "pending"})
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []


class Transcript:
    """Applies events, one after the other, to a notebook that it owns meanwhile.

    Chunks of a stream are joined when something else follows them, or on `settle`: joined one by
    one, what a talkative cell prints would be copied again for every chunk.
    """

    def __init__(self, notebook: Any) -> None:
        self.notebook = notebook
        self._displays: dict[str, list[tuple[int, Any]]] = {}
        self._stream: tuple[int, Any] | None = None
        self._chunks: list[str] = []
        self._appliers = {
            "begin": self._begin,
            "start": self._start,
            "output": self._output,
            "clear": self._clear,
            "update": self._update,
            "end": self._end,
            "finish": self._finish,
        }

    def apply(self, event: Event) -> None:
        """Do to the notebook what `event` says; what it doesn't know is left alone."""
        applier = self._appliers.get(event["event"])
        if applier is not None:
            applier(event)

    def knows(self, display_id: str) -> bool:
        """Say whether an output with this id was shown."""
        return display_id in self._displays

    def settle(self) -> None:
        """Make the notebook complete as it stands."""
        if self._stream is not None:
            self._stream[1].text = "".join(self._chunks)
            self._stream, self._chunks = None, []

    def _begin(self, event: Event) -> None:
        self.notebook.metadata.papermill["start_time"] = _iso(event["at"])
        if event.get("language_info"):
            self.notebook.metadata.language_info = from_dict(event["language_info"])

    def _start(self, event: Event) -> None:
        record = self._cell(event).metadata.papermill
        record.update(start_time=_iso(event["at"]), status="running", exception=False)

    def _output(self, event: Event) -> None:
        output, cell = event["output"], event["cell"]
        outputs = self._cell(event).outputs
        if output["output_type"] == "stream":
            self._add_to_stream(cell, output, outputs)
            return
        self.settle()
        outputs.append(from_dict(output))
        if event.get("display_id"):
            shown = self._displays.setdefault(event["display_id"], [])
            shown.append((cell, outputs[-1]))

    def _add_to_stream(self, cell: int, output: Event, outputs: list[Any]) -> None:
        last: Any = outputs[-1] if outputs else None
        goes_on = last and last.output_type == "stream" and last.name == output["name"]
        if not goes_on:
            last = from_dict(output)
            outputs.append(last)
        if self._stream is None or self._stream[1] is not last:
            self.settle()
            self._stream, self._chunks = (cell, last), [last.text] if goes_on else []
        self._chunks.append(output["text"])

    def _clear(self, event: Event) -> None:
        self.settle()
        self._cell(event).outputs[:] = []
        for display_id, shown in self._displays.items():
            self._displays[display_id] = [at for at in shown if at[0] != event["cell"]]

    def _update(self, event: Event) -> None:
        for _, output in self._displays.get(event["display_id"], ()):
            output.data = from_dict(event["data"])
            output.metadata = from_dict(event["metadata"])

    def _end(self, event: Event) -> None:
        self.settle()
        cell, failed = self._cell(event), event["status"] == "failed"
        record = cell.metadata.papermill
        record.update(status=event["status"], end_time=_iso(event["at"]), exception=failed)
        record["duration"] = _seconds(record["start_time"], event["at"])
        if cell.cell_type == "code":
            cell.execution_count = event.get("execution_count")
        if failed:
            self.notebook.metadata.papermill["exception"] = True

    def _finish(self, event: Event) -> None:
        self.settle()
        record = self.notebook.metadata.papermill
        record["end_time"] = _iso(event["at"])
        record["duration"] = _seconds(record["start_time"], event["at"])
        if event.get("widgets"):
            self.notebook.metadata.widgets = from_dict(event["widgets"])

    def _cell(self, event: Event) -> NotebookNode:
        return self.notebook.cells[event["cell"]]


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _seconds(start: str | None, end: float) -> float | None:
    return None if start is None else round(end - datetime.fromisoformat(start).timestamp(), 6)
