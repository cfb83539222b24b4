"""What a snapshot is, and how its commit tells it again.

A snapshot is a commit under a hidden ref: its tree is the code, its message says of what run and
how the tree came about. So nothing else has to be kept to read it, and `git show` reads it too.
"""

from __future__ import annotations

import json
import re

from pydantic import BaseModel, ConfigDict

from workbench.errors import GitError, UsageError

__all__ = ["REFS", "LeftOut", "Snapshot", "ref_of"]

REFS = "refs/workbench/snapshots/"
"""Where the hidden refs are: no branch, no tag, and nothing that a plain push or fetch takes."""

# A name that Git takes as the last part of a ref, and that no file system or shell stumbles over.
_RUN_ID = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.|lock$|$))*")


class LeftOut(BaseModel):
    """A file of the work tree that isn't in the snapshot as it was, and why."""

    model_config = ConfigDict(frozen=True)

    path: str
    bytes: int
    reason: str


class Snapshot(BaseModel):
    """The code behind a run. Paths are from the project's root, `../x` for one beside it.

    Attributes
    ----------
    base
        The commit that was checked out; None before the first one and outside Git.
    dirty
        Whether the work tree was different from `base`.
    changed
        The files that differ from `base` and are in the snapshot, deleted ones among them.
    left_out
        The files that differ from `base` and are not: there they are as in `base`, or missing.
    added
        What the run added later: its cells as executed, modules from elsewhere.
    folder
        Where the project is in the snapshot, whose top is the repository's: empty at the top.
    notes
        What went differently than one would expect.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    ref: str
    commit: str
    tree: str
    base: str | None
    dirty: bool
    changed: list[str]
    left_out: list[LeftOut] = []
    added: list[str] = []
    folder: str = ""
    notes: list[str] = []

    def message(self) -> str:
        """Write the message of the commit; `read` makes the snapshot of it again."""
        told = self.model_dump_json(exclude={"ref", "commit", "tree"})
        return f"Workbench snapshot of run {self.run_id}\n\n{told}\n"

    @classmethod
    def read(cls, commit: str, raw: bytes) -> Snapshot:
        """Read the snapshot from its commit, as `git cat-file commit` prints it."""
        headers, _, message = raw.decode("utf-8", "replace").partition("\n\n")
        tree = headers.partition("\n")[0].removeprefix("tree ")
        try:
            told = json.loads(message.partition("\n\n")[2])
            return cls(**told, ref=ref_of(told["run_id"]), commit=commit, tree=tree)
        except (ValueError, TypeError, KeyError) as error:
            raise GitError(f"{commit} is below {REFS}, and no snapshot of Workbench's") from error


def ref_of(run_id: str) -> str:
    """Name the ref of the run's snapshot.

    >>> ref_of("0f3a")
    'refs/workbench/snapshots/0f3a'
    """
    if not _RUN_ID.fullmatch(run_id):
        raise UsageError(
            f"{run_id!r} can't name a snapshot: a run's id is letters, digits, '-', '_' and '.'"
        )
    return f"{REFS}{run_id}"
