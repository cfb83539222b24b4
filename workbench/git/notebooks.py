"""Notebooks as they are committed: what was written, without what running them left.

One idea: a notebook's outputs, execution counts and view state belong to a run, not to its text.
`clean` takes them off, and everything here that compares notebooks compares cleaned ones.
"""

from __future__ import annotations

import difflib
import json
from bisect import bisect_left
from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import NotebookError
from workbench.git.cells import match_ids

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["CellChange", "NotebookDiff", "clean", "clean_bytes", "diff", "parse", "to_bytes"]

VOLATILE = frozenset({"papermill", "signature", "widgets"})
"""Keys of a notebook's metadata that a run or a machine writes."""

VOLATILE_OF_CELLS = frozenset(
    {
        "ExecuteTime",
        "autoscroll",
        "collapsed",
        "execution",
        "papermill",
        "scrolled",
        "trusted",
    }
)
"""The same of a cell's; its tags and everything else that somebody wrote stay."""


class CellChange(BaseModel):
    """A cell that one notebook has and another hasn't, or has otherwise."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["added", "removed", "changed", "moved"]
    cell_id: str | None
    cell_type: str
    base_index: int | None
    other_index: int | None
    diff: str  # of the source, in the unified form; empty where the source is the same
    changed: tuple[str, ...] = ()  # the cell's other fields that differ


class NotebookDiff(BaseModel):
    """What differs between two notebooks apart from their outputs."""

    model_config = ConfigDict(frozen=True)

    cells: tuple[CellChange, ...]
    metadata: tuple[str, ...]  # keys of the notebook's own metadata that differ

    def __bool__(self) -> bool:
        return bool(self.cells or self.metadata)


def parse(content: bytes) -> NotebookNode:
    """Read a notebook of format 4 as it is: no conversion, no validation against its schema.

    Raises
    ------
    NotebookError
        If it isn't one, or not in a shape that cells can be told in.
    """
    from nbformat.v4 import reads

    try:
        notebook = reads(content.decode("utf-8"))
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise NotebookError(f"not a notebook of format 4: {error}") from error
    if not _is_notebook(notebook):
        raise NotebookError("not a notebook of format 4: no cells that have a type and a source")
    return notebook


def _is_notebook(notebook: Any) -> bool:
    return (
        isinstance(notebook, dict)
        and notebook.get("nbformat") == 4
        and isinstance(notebook.get("nbformat_minor", 0), int)
        and isinstance(notebook.get("metadata", {}), dict)
        and isinstance(notebook.get("cells"), list)
        and all(map(_is_cell, notebook["cells"]))
    )


def _is_cell(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and isinstance(cell.get("cell_type"), str)
        and isinstance(cell.get("source"), str)
        and isinstance(cell.get("metadata", {}), dict)
        and isinstance(cell.get("id", ""), str)
        and isinstance(cell.get("outputs", []), list)
    )


def to_bytes(notebook: NotebookNode) -> bytes:
    """Write a notebook as Jupyter does, with a newline at its end."""
    from nbformat.v4 import writes

    return (str(writes(notebook)).rstrip("\n") + "\n").encode("utf-8")


def clean(notebook: NotebookNode) -> NotebookNode:
    """Give a copy without outputs, execution counts, widget state and times.

    Cell ids, tags and the kernel's name stay; of the language the version goes.
    """
    cleaned = deepcopy(notebook)
    metadata = cleaned.setdefault("metadata", {})
    _drop(metadata, VOLATILE)
    if isinstance(metadata.get("language_info"), dict):
        _drop(metadata["language_info"], {"version"})
    if isinstance(metadata.get("vscode"), dict):
        _drop(metadata["vscode"], {"interpreter"})  # a digest of a path on one machine
    for cell in cleaned["cells"]:
        _drop(cell.setdefault("metadata", {}), VOLATILE_OF_CELLS)
        if cell["cell_type"] == "code":
            cell["outputs"] = []
            cell["execution_count"] = None
    return cleaned


def _drop(mapping: dict[str, Any], keys: Iterable[str]) -> None:
    for key in keys:
        mapping.pop(key, None)


def clean_bytes(content: bytes) -> bytes:
    """Clean a notebook's file; what isn't a notebook that we understand is given back as it is."""
    try:
        return to_bytes(clean(parse(content)))
    except (NotebookError, UnicodeEncodeError):  # half a surrogate pair is JSON, but no text
        return content


def diff(base: NotebookNode, other: NotebookNode) -> NotebookDiff:
    """Compare two notebooks cell by cell.

    Cells are the same by their ids, and where these don't tell, by nbdime's comparison of their
    text. nbdime sees nothing else of them: it can't take every metadata that people have.
    """
    before, after = clean(base), clean(other)
    old, new = before["cells"], after["cells"]
    pairs = match_ids(old, new)
    left = [place for place in range(len(old)) if place not in pairs.values()]
    came = [place for place in range(len(new)) if place not in pairs]
    found = _match_texts([old[place] for place in left], [new[place] for place in came])
    # With ids that tell, a new one is a new cell, unless all of its text is an old one's.
    ids_tell = bool(pairs) and all(cell.get("id") for cell in [*old, *new])
    pairs |= {
        came[there]: left[here]
        for there, here in found.items()
        if not ids_tell or new[came[there]]["source"] == old[left[here]]["source"]
    }
    in_order = _longest_in_order([pairs[place] for place in sorted(pairs)])
    changes = [_change(place, None, old, new) for place in left if place not in pairs.values()]
    for place in range(len(new)):
        change = _change(pairs.get(place), place, old, new)
        if change.kind != "moved" or change.base_index not in in_order:
            changes.append(change)
    return NotebookDiff(
        cells=tuple(sorted(changes, key=_place)),
        metadata=tuple(_differing(before["metadata"], after["metadata"])),
    )


def _place(change: CellChange) -> tuple[int, int]:
    there = change.base_index if change.other_index is None else change.other_index
    return there or 0, 0 if change.other_index is None else 1


def _match_texts(before: list[Any], after: list[Any]) -> dict[int, int]:
    """Map places in `after` to places in `before`, as nbdime sees them."""
    if not before or not after:
        return {}
    from nbdime import diff_notebooks

    steps = [
        step["diff"]
        for step in diff_notebooks(_text_alone(before), _text_alone(after))
        if step["op"] == "patch" and step["key"] == "cells"
    ]
    gone: set[int] = set()
    come: set[int] = set()
    ahead = 0  # how much further a cell stands in `after`
    for step in steps[0] if steps else []:
        if step["op"] == "addrange":
            count = len(step["valuelist"])
            come |= {step["key"] + ahead + n for n in range(count)}
            ahead += count
        elif step["op"] == "removerange":
            gone |= {step["key"] + n for n in range(step["length"])}
            ahead -= step["length"]
    stayed = [place for place in range(len(before)) if place not in gone]
    return dict(zip([n for n in range(len(after)) if n not in come], stayed, strict=True))


def _text_alone(cells: list[Any]) -> NotebookNode:
    from nbformat.v4 import new_notebook, new_raw_cell

    # All of one type: a cell stays itself when its type changes. Its id would make it another.
    texts = [new_raw_cell(cell["source"], id=f"cell-{n}") for n, cell in enumerate(cells)]
    return new_notebook(cells=texts)


def _longest_in_order(places: list[int]) -> set[int]:
    """Pick the most cells that stand in the order that they had; the others are what moved."""
    best: list[list[int]] = []
    for place in places:
        at = bisect_left([chain[-1] for chain in best], place)
        chain = [*(best[at - 1] if at else []), place]
        best[at : at + 1] = [chain]
    return set(best[-1]) if best else set()


def _change(
    base_index: int | None, other_index: int | None, before: list[Any], after: list[Any]
) -> CellChange:
    old = {} if base_index is None else before[base_index]
    new = {} if other_index is None else after[other_index]
    fields = [key for key in _differing(old, new) if key not in ("id", "source", "outputs")]
    source = _unified(old.get("source", ""), new.get("source", ""))
    kind: Literal["added", "removed", "changed", "moved"] = "changed"
    if not old:
        kind = "added"
    elif not new:
        kind = "removed"
    elif not source and not fields:
        kind = "moved"
    return CellChange(
        kind=kind,
        cell_id=(new or old).get("id"),
        cell_type=(new or old)["cell_type"],
        base_index=base_index,
        other_index=other_index,
        diff=source,
        changed=tuple(fields) if old and new else (),
    )


def _unified(old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3)
    return "\n".join(list(lines)[2:])  # without the two lines that name files


def _differing(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [key for key in sorted({*old, *new}) if not _same(old.get(key), new.get(key))]


def _same(one: Any, other: Any) -> bool:
    """Compare as the file would: 1 and 1.0, or 1 and True, are equal in Python only."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
