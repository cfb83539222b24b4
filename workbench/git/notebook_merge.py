"""A three-way merge of notebooks, in which only what somebody wrote can be in conflict.

One idea: cells are matched by id, and merged one by one. Outputs, execution counts and view state
come with the side whose source the merged cell has; a source that is neither side's has none. What
both sides changed in ways that don't go together comes back as a conflict, to be answered by a
choice; the same merge with the choices is the answer.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import GitError, NotFoundError, UsageError
from workbench.git.cells import Key, merge_order, moved_apart, side_keys
from workbench.git.command import run_git
from workbench.git.notebooks import VOLATILE, VOLATILE_OF_CELLS, clean

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["CellConflict", "Choice", "NotebookMerge", "Own", "merge3", "merge_lines"]

_MERGED_ELSEWHERE = {"id", "cell_type", "source", "metadata", "outputs", "execution_count"}

_ABSENT = object()  # a key that isn't there, which isn't one whose value is null

_Apart = dict[str, tuple[Any, ...]]
"""Keys that both sides changed, with the values of base, ours and theirs."""

# What of a notebook's metadata differs by the machine, so that nobody need choose.
_OF_THE_MACHINE = ("language_info", "kernelspec.display_name")


class Own(BaseModel):
    """An answer to a conflict in one's own words."""

    model_config = ConfigDict(frozen=True)

    text: str


Side = Literal["ours", "theirs", "both", "base"]
Choice = Side | Own
"""`both` is ours and then theirs where they differ."""

ConflictKind = Literal["source", "deleted", "added", "order", "metadata"]

_ALLOWED: dict[str, tuple[Side, ...]] = {
    "added": ("ours", "theirs", "both"),
    "order": ("ours", "theirs"),
    "metadata": ("ours", "theirs", "base"),
}


class CellConflict(BaseModel):
    """A place where both sides changed a notebook; each side's text, or None where it has none."""

    model_config = ConfigDict(frozen=True)

    id: str  # what a choice is given for
    cell_id: str | None
    kind: ConflictKind
    base: str | None
    ours: str | None
    theirs: str | None


@dataclass(frozen=True)
class NotebookMerge:
    """A merged notebook; where a conflict is left it has ours for the time being."""

    notebook: NotebookNode
    conflicts: tuple[CellConflict, ...]  # those without a choice


@dataclass
class _Merging:
    """The choices as they are asked for, and the conflicts that were met."""

    choices: Mapping[str, Choice]
    known: list[str] = field(default_factory=list)
    open: list[CellConflict] = field(default_factory=list)

    def ask(
        self,
        kind: ConflictKind,
        conflict_id: str,
        cell_id: str | None,
        texts: tuple[str | None, str | None, str | None],
    ) -> Choice:
        self.known.append(conflict_id)
        choice = self.choices.get(conflict_id)
        if choice is None:
            base, ours, theirs = texts
            self.open.append(
                CellConflict(
                    id=conflict_id,
                    cell_id=cell_id,
                    kind=kind,
                    base=base,
                    ours=ours,
                    theirs=theirs,
                )
            )
            return "ours"
        _check(choice, kind, conflict_id)
        return choice


def _check(choice: Choice, kind: ConflictKind, conflict_id: str) -> None:
    allowed = _ALLOWED.get(kind, ("ours", "theirs", "both", "base"))
    if isinstance(choice, Own) and "both" in allowed:
        return
    if choice not in allowed:
        raise UsageError(f"{conflict_id}: {choice!r} can't be chosen here: {', '.join(allowed)}")


def merge3(
    base: NotebookNode | None,
    ours: NotebookNode,
    theirs: NotebookNode,
    choices: Mapping[str, Choice] | None = None,
) -> NotebookMerge:
    """Merge what `ours` and `theirs` have made of `base`, which is None if each began on its own.

    Parameters
    ----------
    choices
        Answers to conflicts of an earlier call with the same notebooks, by the conflict's id.

    Raises
    ------
    NotFoundError
        For a choice whose conflict doesn't exist.
    UsageError
        For a choice that its conflict doesn't allow.
    """
    from nbformat import from_dict

    merging = _Merging(choices or {})
    old = clean(base)["cells"] if base is not None else []
    our_keys, their_keys = side_keys(old, ours["cells"], theirs["cells"])
    here = dict(zip(our_keys, ours["cells"], strict=True))
    there = dict(zip(their_keys, theirs["cells"], strict=True))
    before: dict[Key, Any] = {("base", place): cell for place, cell in enumerate(old)}
    prefer_theirs = moved_apart(our_keys, their_keys) and _ask_order(merging, here, there)
    merged = {
        key: cell
        for key in dict.fromkeys([*our_keys, *their_keys])
        if (cell := _merge_cell(merging, key, before.get(key), here.get(key), there.get(key)))
    }
    order = merge_order(our_keys, their_keys, set(merged), prefer_theirs=prefer_theirs)
    notebook = _frame(merging, base, ours, theirs)
    notebook["cells"] = [merged[key] for key in order]
    _give_ids(notebook)
    for name in merging.choices:
        if name not in merging.known:
            raise NotFoundError.named("conflict", name, merging.known)
    return NotebookMerge(from_dict(notebook), tuple(merging.open))


def _ask_order(merging: _Merging, here: dict[Key, Any], there: dict[Key, Any]) -> bool:
    def listing(cells: dict[Key, Any]) -> str:
        return "\n".join(
            cell["source"].partition("\n")[0] for key, cell in cells.items() if key[0] == "base"
        )

    return merging.ask("order", "order", None, (None, listing(here), listing(there))) == "theirs"


def _merge_cell(merging: _Merging, key: Key, base: Any, ours: Any, theirs: Any) -> Any | None:
    """Merge one cell; None where it goes."""
    if ours is None and theirs is None:
        return None
    if ours is None or theirs is None:
        if base is None:
            return ours or theirs
        return _merge_deleted(merging, key, base, ours, theirs)
    name = _name(key, base, ours, theirs)
    source, kind, giver = _merge_source(merging, name, base, ours, theirs)
    # Outputs and view state are of a source; a source that neither side has run has none.
    cell = deepcopy(giver or ours)
    cell["source"], cell["cell_type"] = source, kind
    metadata = _merge_table(merging, name, "metadata", base, ours, theirs)
    if giver is None:
        _forget_run(cell)
    volatile = {k: v for k, v in cell.get("metadata", {}).items() if k in VOLATILE_OF_CELLS}
    cell["metadata"] = {**metadata, **volatile}
    if any("attachments" in side for side in (ours, theirs)):
        cell["attachments"] = _merge_table(merging, name, "attachments", base, ours, theirs)
    for field_name in {*ours, *theirs} - _MERGED_ELSEWHERE - {"attachments"}:
        _merge_field(cell, field_name, base or {}, ours, theirs)
    _shape(cell)
    _keep_id(cell, base or {}, ours, theirs)
    return cell


def _keep_id(cell: Any, base: Any, ours: Any, theirs: Any) -> None:
    """Let the cell have the id that the side which changed it gave it."""
    wanted = theirs.get("id") if ours.get("id") in (None, base.get("id")) else ours.get("id")
    if wanted or ours.get("id"):
        cell["id"] = wanted or ours["id"]


def _merge_field(cell: Any, name: str, base: Any, ours: Any, theirs: Any) -> None:
    """Merge a field that we don't know of: the side that changed it has it, ours if both did."""
    value = (theirs if _equal(base.get(name), ours.get(name)) else ours).get(name)
    cell.pop(name, None)
    if value is not None:
        cell[name] = deepcopy(value)


def _merge_deleted(merging: _Merging, key: Key, base: Any, ours: Any, theirs: Any) -> Any | None:
    """Merge a cell that one side has deleted: it goes, unless the other has worked on it."""
    left = ours if theirs is None else theirs
    if _equal(_written(left), _written(base)):
        return None
    name = _name(key, base, ours, theirs)
    texts = (base["source"], ours and ours["source"], theirs and theirs["source"])
    choice = merging.ask("deleted", name, _id(base, ours, theirs), texts)
    if isinstance(choice, Own):
        cell = _forget_run(deepcopy(left))
        cell["source"] = choice.text
        return cell
    return {"ours": ours, "theirs": theirs, "both": left, "base": deepcopy(base)}[choice]


def _merge_source(
    merging: _Merging, name: str, base: Any, ours: Any, theirs: Any
) -> tuple[str, str, Any | None]:
    """Merge source and type; the third is the side that has run this source, if one has."""
    old = base or {"source": "", "cell_type": ours["cell_type"]}
    texts = tuple((cell["cell_type"], cell["source"]) for cell in (old, ours, theirs))
    was, here, there = texts
    if here == there:
        ran = ours.get("outputs") or not theirs.get("outputs")
        return here[1], here[0], ours if ran else theirs
    if base is not None and here == was:
        return there[1], there[0], theirs
    if base is not None and there == was:
        return here[1], here[0], ours
    kind = there[0] if here[0] == was[0] else here[0]
    lines, clean_merge = _merge_text(was[1], here[1], there[1])
    one_kind = len({was[0], here[0], there[0]}) < 3
    if base is not None and clean_merge and one_kind:
        return lines, kind, None
    asked: ConflictKind = "source" if base is not None else "added"
    shown = (base and was[1], here[1], there[1])
    choice = merging.ask(asked, name, _id(base, ours, theirs), shown)
    if isinstance(choice, Own):
        return choice.text, kind, None
    if choice == "both":
        return _merge_text(was[1], here[1], there[1], both=True)[0], kind, None
    return {
        "ours": (here[1], here[0], ours),
        "theirs": (there[1], there[0], theirs),
        "base": (was[1], was[0], None),
    }[choice]


def _merge_text(base: str, ours: str, theirs: str, *, both: bool = False) -> tuple[str, bool]:
    # Ended lines: to add one below the last is no change of the last.
    texts = [_encoded(f"{text}\n") for text in (base, ours, theirs)]
    merged, fits = merge_lines(texts[0], texts[1], texts[2], both=both)
    return merged.decode("utf-8", "surrogatepass").removesuffix("\n"), fits


def merge_lines(
    base: bytes, ours: bytes, theirs: bytes, *, both: bool = False
) -> tuple[bytes, bool]:
    """Merge text line by line with Git's own merge; the second is whether nothing is in conflict.

    `both` puts ours and then theirs where they are.
    """
    with tempfile.TemporaryDirectory(prefix="workbench-merge-") as folder:
        for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
            (Path(folder) / name).write_bytes(text)
        union = ["--union"] if both else []
        asked = ("merge-file", "-p", "-q", *union, "ours", "base", "theirs")
        try:
            done = run_git(Path(folder), *asked, accept=tuple(range(128)))
        except GitError:  # bytes that Git doesn't take for text
            return ours + theirs if both else ours, False
    return done.stdout, done.returncode == 0


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _merge_table(
    merging: _Merging, name: str, what: str, base: Any, ours: Any, theirs: Any
) -> dict[str, Any]:
    """Merge a cell's metadata or attachments key by key."""
    tables = tuple(
        {k: v for k, v in ((cell or {}).get(what) or {}).items() if k not in VOLATILE_OF_CELLS}
        for cell in (base, ours, theirs)
    )
    cell_id = _id(base, ours, theirs)
    return _merge_tables(merging, f"{name}:{what}", cell_id, tables)


def _merge_tables(
    merging: _Merging,
    conflict_id: str,
    cell_id: str | None,
    tables: tuple[dict[str, Any], ...],
    ignored: tuple[str, ...] = (),
) -> dict[str, Any]:
    base, ours, theirs = tables
    apart: _Apart = {}
    merged = _merge_keys(base, ours, theirs, 1, "", apart)
    asked = {path: v for path, v in apart.items() if not path.startswith(ignored or ("\0",))}
    if not asked:
        return merged
    texts = [
        json.dumps({path: v[n] for path, v in asked.items() if v[n] is not _ABSENT})
        for n in range(3)
    ]
    choice = merging.ask("metadata", conflict_id, cell_id, (texts[0], texts[1], texts[2]))
    side = ("base", "ours", "theirs").index(str(choice))
    return _merge_keys(base, ours, theirs, side, "", {})


def _merge_keys(
    base: dict[str, Any],
    ours: dict[str, Any],
    theirs: dict[str, Any],
    side: int,
    above: str,
    apart: _Apart,
) -> dict[str, Any]:
    """Merge tables; where both changed a value it is that of `side`, and is noted in `apart`."""
    merged: dict[str, Any] = {}
    for key in dict.fromkeys([*ours, *theirs, *base]):
        was, here, there = values = tuple(side.get(key, _ABSENT) for side in (base, ours, theirs))
        if _equal(here, there) or _equal(there, was):
            value = here
        elif _equal(here, was):
            value = there
        elif isinstance(here, dict) and isinstance(there, dict):
            old = was if isinstance(was, dict) else {}
            value = _merge_keys(old, here, there, side, f"{above}{key}.", apart)
        elif key == "tags" and isinstance(here, list) and isinstance(there, list):
            value = _merge_tags(was if isinstance(was, list) else [], here, there)
        else:
            apart[f"{above}{key}"] = values
            value = values[side]
        if value is not _ABSENT:
            merged[key] = deepcopy(value)
    return merged


def _merge_tags(base: list[Any], ours: list[Any], theirs: list[Any]) -> list[Any]:
    gone = [tag for tag in base if tag not in ours or tag not in theirs]
    return [tag for tag in [*ours, *(t for t in theirs if t not in ours)] if tag not in gone]


def _frame(merging: _Merging, base: Any, ours: Any, theirs: Any) -> Any:
    """Merge what a notebook has besides its cells."""
    sides = (base if base is not None else {"cells": []}, ours, theirs)
    tables = tuple(clean(side)["metadata"] for side in sides)
    metadata = _merge_tables(merging, "metadata", None, tables, _OF_THE_MACHINE)
    kept = {key: value for key, value in ours.get("metadata", {}).items() if key in VOLATILE}
    frame = deepcopy({key: value for key, value in ours.items() if key != "cells"})
    frame["metadata"] = {**metadata, **deepcopy(kept)}
    frame["nbformat_minor"] = max(side.get("nbformat_minor", 0) for side in (ours, theirs))
    return frame


def _give_ids(notebook: Any) -> None:
    """Let every cell have an id of its own where the format wants one, the same each time."""
    if notebook["nbformat_minor"] < 5:
        return
    taken: set[str] = set()
    for place, cell in enumerate(notebook["cells"]):
        wanted = cell.get("id") or sha256(_encoded(f"{place} {cell['source']}")).hexdigest()[:8]
        while wanted in taken:
            wanted = sha256(wanted.encode()).hexdigest()[:8]
        if cell.get("id") != wanted:
            cell = notebook["cells"][place] = deepcopy(cell)
            cell["id"] = wanted
        taken.add(wanted)


def _name(key: Key, base: Any, ours: Any, theirs: Any) -> str:
    """Name a cell's conflict: by its id, or by its place in the base; neither has a colon's."""
    return _id(base, ours, theirs) or f"{'cell' if key[0] == 'base' else 'new'}:{key[1] + 1}"


def _id(*cells: Any) -> str | None:
    return next((str(cell["id"]) for cell in cells if cell and cell.get("id")), None)


def _written(cell: Any) -> dict[str, Any]:
    """Give what somebody wrote of a cell."""
    fields = {k: v for k, v in cell.items() if k not in ("id", "outputs", "execution_count")}
    metadata = cell.get("metadata", {}).items()
    fields["metadata"] = {k: v for k, v in metadata if k not in VOLATILE_OF_CELLS}
    return fields


def _forget_run(cell: Any) -> Any:
    for key in VOLATILE_OF_CELLS:
        cell.get("metadata", {}).pop(key, None)
    if cell["cell_type"] == "code":
        cell["outputs"], cell["execution_count"] = [], None
    return cell


def _shape(cell: Any) -> None:
    """Let the cell have the fields of its type, which a merge may have changed."""
    if cell["cell_type"] == "code":
        cell.setdefault("outputs", [])
        cell.setdefault("execution_count", None)
        cell.pop("attachments", None)
    else:
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def _equal(one: Any, other: Any) -> bool:
    if one is _ABSENT or other is _ABSENT:
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
