"""Cells: which of them ran for a run, and what each of them did with data.

A cell is named by its notebook, its id and a digest of its source as it ran: the same cell with
another text is another node. It leads to the runs that it was executed for, and only to those.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from workbench.lineage.edges import Edge

__all__ = ["ExecutedCell", "Touch", "cell_edges", "cell_node", "executed_cells"]

_INJECTED = "injected-parameters"
"""papermill's tag of the cell with a job's values, whose id is another one in each job."""


class ExecutedCell(BaseModel):
    """A cell as it ran; `count` is the number that the kernel gave the execution."""

    model_config = ConfigDict(frozen=True)

    id: str
    source: str
    count: int


class Touch(BaseModel):
    """What the cell with this count did: `relation` is `reads`, `joins`, `makes` or `logged`."""

    model_config = ConfigDict(frozen=True)

    count: int
    relation: str
    node: str


def cell_node(notebook: str, cell_id: str, source: str) -> str:
    """Name a cell in the lineage.

    >>> cell_node("notebooks/train.ipynb", "fit", "model.fit(x, y)")
    'cell:notebooks/train.ipynb#fit@e17f04bf58e7'
    """
    digest = hashlib.sha256(source.strip().encode("utf-8", "surrogatepass")).hexdigest()
    return f"cell:{notebook}#{cell_id}@{digest[:12]}"


def executed_cells(notebook: bytes) -> list[ExecutedCell]:
    """Read which code cells of an executed notebook ran; none where it can't be read."""
    try:
        cells = json.loads(notebook)["cells"]
        return [
            ExecutedCell(id=_id(cell, place), source=source, count=cell["execution_count"])
            for place, cell in enumerate(cells, start=1)
            if cell["cell_type"] == "code"
            and cell.get("execution_count")
            and (source := _source(cell)).strip()
        ]
    except (ValueError, KeyError, TypeError):
        return []


def cell_edges(
    notebook: str, cells: Iterable[ExecutedCell], touches: Sequence[Touch], target: str
) -> list[Edge]:
    """Lead cells to the run or the job `target` that they ran for, and say what each one did.

    Parameters
    ----------
    touches
        Which of the cells did what; one whose cell isn't among `cells` says nothing.
    """
    nodes = {cell.count: cell_node(notebook, cell.id, cell.source) for cell in cells}
    ran = [Edge(source=node, target=target, relation="ran") for node in nodes.values()]
    did = [
        Edge(source=nodes[touch.count], target=touch.node, relation=touch.relation)
        for touch in touches
        if touch.count in nodes
    ]
    return list(dict.fromkeys([*ran, *did]))


def _id(cell: Mapping[str, Any], place: int) -> str:
    tagged = _INJECTED in cell.get("metadata", {}).get("tags", ())
    return _INJECTED if tagged else str(cell.get("id") or place)


def _source(cell: Mapping[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)
