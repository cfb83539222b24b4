"""What a merge would give, worked out beside the work tree: a tree, and what is to be chosen.

One idea: Git's own merge does the files, in memory; notebooks that both sides changed are merged by
their cells instead, and whatever neither can do is a conflict with an id, answered by a choice.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import GitError, NotebookError, NotFoundError, UsageError
from workbench.git.command import shown
from workbench.git.notebook_merge import Choice, Own, merge3, merge_lines
from workbench.git.notebooks import parse, to_bytes
from workbench.git.trees import Entry, load_tree, set_entries, temporary_index, write_tree

if TYPE_CHECKING:
    from workbench.git.repository import Repository

__all__ = ["Conflict", "Merged", "Standing", "merge_trees", "read_blob"]

Standing = Literal["merged", "fast-forward", "diverged"]

_LARGEST_SHOWN = 2**20  # bytes of a file that are shown in a conflict


class Conflict(BaseModel):
    """A place that both sides changed; each side's text, or None where it has none to show."""

    model_config = ConfigDict(frozen=True)

    id: str  # what a choice is given for: the path, and for a notebook `path#cell`
    path: str
    cell_id: str | None
    kind: Literal["source", "deleted", "added", "order", "metadata", "text", "binary", "repository"]
    base: str | None
    ours: str | None
    theirs: str | None


@dataclass
class Merged:
    """A merge that isn't committed: its tree, and the conflicts without a choice."""

    standing: Standing
    tree: str
    conflicts: list[Conflict] = field(default_factory=list)


@dataclass
class _Work:
    """A merge in the making: what is put over the tree that Git's own merge gave."""

    repository: Repository
    choices: Mapping[str, Choice]
    entries: dict[str, Entry | None] = field(default_factory=dict)
    open: list[Conflict] = field(default_factory=list)
    known: list[str] = field(default_factory=list)


def merge_trees(
    repository: Repository, ours: str, theirs: str, choices: Mapping[str, Choice]
) -> Merged:
    """Merge two commits without touching anything but Git's store of objects.

    Raises
    ------
    GitError
        If they have no common ancestor, or Git's merge ends in a way that no choice answers.
    NotFoundError
        For a choice whose conflict doesn't exist.
    """
    done = repository.git("merge-base", "--all", ours, theirs, accept=(0, 1))
    bases = done.stdout.decode().split()
    if not bases:
        raise GitError("the two have no commit in common: `git merge --allow-unrelated-histories`")
    work = _Work(repository, choices)
    if theirs in bases:
        merged = Merged("merged", ours)
    elif ours in bases:
        merged = Merged("fast-forward", theirs)
    else:
        tree = _merge_diverged(work, bases[0], ours, theirs)
        merged = Merged("diverged", tree, work.open)
    for name in choices:
        if name not in work.known:
            raise NotFoundError.named("conflict", name, work.known)
    return merged


def _merge_diverged(work: _Work, base: str, ours: str, theirs: str) -> str:
    asked = ("merge-tree", "--write-tree", "-z", ours, theirs)
    done = work.repository.git(*asked, accept=(0, 1))
    tree, stages, said = _parse_merge(os.fsdecode(done.stdout))
    if done.returncode and not stages:
        raise GitError(f"git can't merge these without you: {shown(said)}; `git merge` by hand")
    for path, versions in _changed_notebooks(work.repository, base, ours, theirs).items():
        if _merge_notebook(work, path, versions):
            stages.pop(path, None)
    for path, by_stage in stages.items():
        _choose_file(work, path, by_stage)
    with temporary_index(work.repository) as index:
        load_tree(work.repository, tree, index)
        set_entries(work.repository, work.entries, index)
        return write_tree(work.repository, index)


def _parse_merge(text: str) -> tuple[str, dict[str, dict[int, Entry]], str]:
    """Parse `git merge-tree --write-tree -z` (git-merge-tree(1)): tree, conflicts, messages."""
    tree, _, rest = text.partition("\0")
    listing, _, messages = rest.partition("\0\0")
    stages: dict[str, dict[int, Entry]] = {}
    for line in listing.lstrip("\0").split("\0") if listing else []:
        told, tab, path = line.partition("\t")
        if not tab:  # there were none, and this is the first message
            break
        mode, blob, stage = told.split(" ")
        stages.setdefault(path, {})[int(stage)] = Entry(mode, blob)
    return tree, stages, messages.strip("\0\n").rpartition("\0")[2].strip()


@dataclass(frozen=True)
class _Versions:
    base: Entry
    ours: Entry
    theirs: Entry


def _changed_notebooks(
    repository: Repository, base: str, ours: str, theirs: str
) -> dict[str, _Versions]:
    """Find the notebooks that both sides changed, by the path that they have in the merge."""
    here, there = _followed(repository, base, ours), _followed(repository, base, theirs)
    found = {}
    for path in here.keys() & there.keys():
        (our_path, was, our_entry), (their_path, _, their_entry) = here[path], there[path]
        paths = {our_path, their_path} - {path} or {path}
        differ = our_entry != their_entry
        plain = all(entry.is_file for entry in (was, our_entry, their_entry))
        if path.endswith(".ipynb") and len(paths) == 1 and differ and plain:
            found[paths.pop()] = _Versions(was, our_entry, their_entry)
    return found


def _followed(repository: Repository, base: str, side: str) -> dict[str, tuple[str, Entry, Entry]]:
    """Map the paths of changed and renamed files to where and what they are in `side`."""
    asked = ("diff-tree", "-r", "-z", "-M", "--diff-filter=MRT", "--no-abbrev", base, side)
    fields = iter(os.fsdecode(repository.git(*asked).stdout).split("\0")[:-1])
    found = {}
    for told in fields:
        mode, new_mode, blob, new_blob, status = told[1:].split(" ")
        path = next(fields)
        place = next(fields) if status.startswith("R") else path
        found[path] = place, Entry(mode, blob), Entry(new_mode, new_blob)
    return found


def _merge_notebook(work: _Work, path: str, versions: _Versions) -> bool:
    """Merge a notebook by its cells; false if one of the three isn't a notebook that we read."""
    entries = (versions.base, versions.ours, versions.theirs)
    try:
        base, ours, theirs = (parse(read_blob(work.repository, entry)) for entry in entries)
    except NotebookError:
        return False
    mark = f"{path}#"
    unanswered = merge3(base, ours, theirs)
    ids = [conflict.id for conflict in unanswered.conflicts]
    work.known += [mark + name for name in ids]
    chosen = {name: work.choices[mark + name] for name in ids if mark + name in work.choices}
    merged = merge3(base, ours, theirs, chosen) if chosen else unanswered
    for conflict in merged.conflicts:
        told = conflict.model_dump() | {"id": mark + conflict.id, "path": path}
        work.open.append(Conflict.model_validate(told))
    mode = versions.theirs.mode if versions.ours.mode == versions.base.mode else versions.ours.mode
    work.entries[path] = Entry(mode, _store(work.repository, to_bytes(merged.notebook)))
    return True


def _choose_file(work: _Work, path: str, by_stage: Mapping[int, Entry]) -> None:
    """Settle a file that Git couldn't merge by its choice, or note it as a conflict."""
    work.known.append(path)
    base, ours, theirs = (by_stage.get(stage) for stage in (1, 2, 3))
    choice = work.choices.get(path)
    if choice is None:
        work.open.append(_file_conflict(work.repository, path, base, ours, theirs))
        work.entries[path] = ours
    elif isinstance(choice, Own):
        mode = next((entry.mode for entry in (ours, theirs) if entry), "100644")
        work.entries[path] = Entry(mode, _store(work.repository, choice.text.encode()))
    elif choice == "both":
        work.entries[path] = _both(work.repository, path, base, ours, theirs)
    else:
        work.entries[path] = {"ours": ours, "theirs": theirs, "base": base}[choice]


def _both(
    repository: Repository,
    path: str,
    base: Entry | None,
    ours: Entry | None,
    theirs: Entry | None,
) -> Entry | None:
    if ours is None or theirs is None:
        return ours or theirs
    was, here, there = (read_blob(repository, entry) for entry in (base, ours, theirs))
    if not all(entry.is_file for entry in (ours, theirs)) or b"\0" in here + there:
        raise UsageError(f"{path}: not text, so 'both' can't be chosen: ours, theirs, base")
    return Entry(ours.mode, _store(repository, merge_lines(was, here, there, both=True)[0]))


def _file_conflict(
    repository: Repository,
    path: str,
    base: Entry | None,
    ours: Entry | None,
    theirs: Entry | None,
) -> Conflict:
    sides = [entry for entry in (base, ours, theirs) if entry]
    if any(entry.is_repository for entry in sides):
        return _conflict(
            path, "repository", *(entry and entry.blob for entry in (base, ours, theirs))
        )
    texts = [
        _text(read_blob(repository, entry)) if entry else None for entry in (base, ours, theirs)
    ]
    if ours is None or theirs is None:
        kind = "deleted"
    elif any(
        text is None for text, entry in zip(texts, (base, ours, theirs), strict=True) if entry
    ):
        kind = "binary"
    else:
        kind = "text" if base else "added"
    return _conflict(path, kind, *texts)


def _conflict(
    path: str, kind: str, base: str | None, ours: str | None, theirs: str | None
) -> Conflict:
    told = {"id": path, "path": path, "cell_id": None, "kind": kind}
    return Conflict.model_validate({**told, "base": base, "ours": ours, "theirs": theirs})


def _text(content: bytes) -> str | None:
    if b"\0" in content or len(content) > _LARGEST_SHOWN:
        return None
    return content.decode("utf-8", "replace")


def read_blob(repository: Repository, entry: Entry | None) -> bytes:
    """Read what Git has stored of a file; nothing for none."""
    if entry is None or entry.is_repository:
        return b""
    return repository.git("cat-file", "blob", entry.blob).stdout


def _store(repository: Repository, content: bytes) -> str:
    return repository.git("hash-object", "-w", "--stdin", stdin=content).stdout.decode().strip()
