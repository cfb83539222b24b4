"""From the kernel's messages to events: the part of the client that says what came out."""

from __future__ import annotations

from typing import Any

from nbclient.exceptions import CellExecutionComplete
from nbclient.util import ensure_async
from nbformat import NotebookNode, from_dict

__all__ = ["Outlet"]

_FIELDS = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}
_LATE = {*_FIELDS, "update_display_data", "clear_output"}


class Outlet:
    """Takes the place of nbclient's handling of outputs; what belongs to a widget stays with it.

    What a task says after its cell has ended goes to its cell, as it would in JupyterLab.
    """

    nb: Any
    nb_man: Any
    kc: Any
    output_hook_stack: Any

    def reset_execution_trackers(self) -> None:
        """Begin anew."""
        super().reset_execution_trackers()  # type: ignore[misc]
        self._cells: dict[str, int] = {}
        self._clear_next: set[int] = set()

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: Any, cell_index: int) -> None:
        self._cells[parent_msg_id] = cell_index
        self._clear_next.discard(cell_index)
        while True:
            message = await ensure_async(self.kc.iopub_channel.get_msg(timeout=None))
            parent = message["parent_header"].get("msg_id")
            if parent == parent_msg_id:
                try:
                    self.process_message(message, cell, cell_index)  # type: ignore[attr-defined]
                except CellExecutionComplete:
                    return
            elif parent in self._cells and message["msg_type"] in _LATE:
                earlier = self._cells[parent]
                self.process_message(message, self.nb.cells[earlier], earlier)  # type: ignore[attr-defined]

    def output(
        self, outs: Any, msg: dict[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Show an output, or hand it to the widget that catches it."""
        if self.output_hook_stack[msg["parent_header"].get("msg_id")]:
            super().output(outs, msg, display_id, cell_index)  # type: ignore[misc]
            return None
        kind, content = msg["msg_type"], msg["content"]
        if kind not in _FIELDS:
            return None
        if cell_index in self._clear_next:
            self._clear_next.discard(cell_index)
            self.nb_man.clear(cell_index)
        output = {"output_type": kind, **{name: content[name] for name in _FIELDS[kind]}}
        self.nb_man.output(cell_index, output, display_id)
        return from_dict(output)

    def clear_output(self, outs: Any, msg: dict[str, Any], cell_index: int) -> None:
        """Take a cell's outputs away, now or when the next one comes."""
        if self.output_hook_stack[msg["parent_header"].get("msg_id")]:
            super().clear_output(outs, msg, cell_index)  # type: ignore[misc]
        elif msg["content"].get("wait"):
            self._clear_next.add(cell_index)
        else:
            self.nb_man.clear(cell_index)

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        cell = self._cells[msg["parent_header"]["msg_id"]]
        self.nb_man.update(cell, display_id, msg["content"])
