"""The cells that were executed, and whether they ran as the notebook reads: from top to bottom.

A result is only worth something if the notebook alone gives it. Cells that ran out of order, twice
or in a version that is gone leave a state in the kernel which the notebook can't make again.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = [
    "CellRun",
    "Linearity",
    "assigned_names",
    "code_cells",
    "judge",
    "parameters_source",
    "with_source",
]


class CellRun(BaseModel):
    """One execution of a cell."""

    model_config = ConfigDict(frozen=True)

    source: str
    cell_id: str | None = None
    succeeded: bool = True
    count: int = 0
    """The number that the kernel gave the execution; 0 of one that isn't known."""


class Linearity(BaseModel):
    """Whether the executions are the notebook from the top: None where nobody can tell."""

    model_config = ConfigDict(frozen=True)

    linear: bool | None
    reason: str


def judge(runs: Sequence[CellRun], document: Sequence[str] | None) -> Linearity:
    """Compare what was executed since the kernel started with the notebook's code cells.

    Parameters
    ----------
    runs
        Every execution, in order.
    document
        The sources of the notebook's code cells, in order; None where its file isn't known. Cells
        at its end that were not reached yet don't matter.
    """
    executed = [run for run in runs if run.source.strip()]
    ids = [run.cell_id for run in executed if run.cell_id]
    again = next((cell for cell in ids if ids.count(cell) > 1), None)
    if again is not None:
        times = ids.count(again)
        return Linearity(linear=False, reason=f"a cell was run {times} times")
    if document is None:
        return Linearity(linear=None, reason="the notebook's file isn't known")
    cells = [source.strip() for source in document if source.strip()]
    for position, run in enumerate(executed):
        if position < len(cells) and run.source.strip() == cells[position]:
            continue
        return Linearity(linear=False, reason=_difference(position, run, executed, cells))
    return Linearity(linear=True, reason="every cell once, from the top")


def _difference(
    position: int, run: CellRun, executed: Sequence[CellRun], cells: Sequence[str]
) -> str:
    source = run.source.strip()
    if source in [earlier.source.strip() for earlier in executed[:position]]:
        return "a cell was run 2 times"
    if source not in cells:
        return f"execution {position + 1} ran a cell that the notebook doesn't have (any more)"
    if cells.index(source) > position:
        return f"cell {cells.index(source) + 1} was run before cell {position + 1}"
    return f"cell {cells.index(source) + 1} was run after cell {position}"


def code_cells(path: Path | None) -> list[dict[str, Any]] | None:
    """Read the code cells of the notebook at `path` as it is on disk; None if that can't be."""
    import json

    if path is None:
        return None
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [with_source(cell) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it has another format, or is half saved; then there is nothing to compare


def with_source(cell: dict[str, Any]) -> dict[str, Any]:
    """Give a cell of a notebook's file its source as one text."""
    source = cell["source"]
    return {**cell, "source": source if isinstance(source, str) else "".join(source)}


def parameters_source(cells: Sequence[dict[str, Any]] | None) -> str | None:
    """Return the source of the cell tagged `parameters`, if there is one."""
    for cell in cells or ():
        if "parameters" in cell.get("metadata", {}).get("tags", ()):
            return str(cell["source"])
    return None


def assigned_names(source: str) -> list[str]:
    """List the names that a cell assigns at its top level, in order.

    >>> assigned_names("month: int = 3\\na = b = 2  # two at once")
    ['month', 'a', 'b']
    """
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return []  # a magic, or a mistake which the kernel will tell of
    targets: list[ast.expr] = []
    for statement in body:
        if isinstance(statement, ast.Assign):
            targets += statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets.append(statement.target)
    return list(dict.fromkeys(target.id for target in targets if isinstance(target, ast.Name)))
