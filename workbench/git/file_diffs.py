"""One file in two versions, as a person reads the difference.

One idea: a version is a commit, a branch, or the work tree (None); what is read of it is cleaned
where it is a notebook, for outputs are no change.
"""

from __future__ import annotations

import difflib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from workbench.errors import NotebookError, NotFoundError, UsageError
from workbench.git.notebooks import NotebookDiff, clean, diff, parse

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from workbench.git.repository import Repository

__all__ = ["FileDiff", "diff_file"]

LARGEST = 5 * 2**20
"""Bytes of a file that are compared line by line."""


class FileDiff(BaseModel):
    """How a file differs. Of a notebook there are the base and nbdime's steps, too."""

    model_config = ConfigDict(frozen=True)

    path: str
    kind: Literal["notebook", "text", "binary"]
    state: Literal["added", "deleted", "modified", "same"]
    lines: str  # the difference of a text, in the unified form
    cells: NotebookDiff | None
    base: dict[str, Any] | None  # a notebook without its outputs
    steps: list[dict[str, Any]] | None  # nbdime's


def diff_file(
    repository: Repository,
    path: str,
    *,
    base: str | None = "HEAD",
    other: str | None = None,
    was: str | None = None,
) -> FileDiff:
    """Compare a file (from the root) in `base` with itself in `other`.

    Parameters
    ----------
    base, other
        A branch or a commit; None for the file on disk.
    was
        Its path in `base`, where it was renamed.

    Raises
    ------
    NotFoundError
        If neither has the file, or there is no such branch or commit.
    UsageError
        If the path leads out of the project.
    """
    repository.require()
    before = _read(repository, base, was or path)
    after = _read(repository, other, path)
    if before is None and after is None:
        raise NotFoundError(f"{path}: neither version has this file")
    state: Literal["added", "deleted", "modified", "same"] = "modified"
    if before is None or after is None:
        state = "added" if before is None else "deleted"
    elif before == after:
        state = "same"
    if path.endswith(".ipynb") and (told := _of_notebooks(path, state, before, after)):
        return told
    texts = [_text(content) for content in (before, after)]
    is_text = None not in texts
    lines = _unified(*(text or "" for text in texts)) if is_text else ""
    kind: Literal["text", "binary"] = "text" if is_text else "binary"
    return FileDiff(
        path=path, kind=kind, state=state, lines=lines, cells=None, base=None, steps=None
    )


def _read(repository: Repository, version: str | None, path: str) -> bytes | None:
    """Read a version of a file; None if it isn't there."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or "\0" in path:
        raise UsageError(f"{path!r}: expected a path in the project")
    if version is None:
        return _on_disk(repository, path)
    commit = repository.resolve(version)
    if commit is None:
        if version == "HEAD":  # before the first commit
            return None
        raise NotFoundError.named("branch or commit", version, repository.branches())
    inside = (repository.folder / path).as_posix()
    done = repository.git("cat-file", "blob", f"{commit}:{inside}", accept=(0, 128))
    return done.stdout if done.returncode == 0 else None


def _on_disk(repository: Repository, path: str) -> bytes | None:
    place = repository.root / path
    if not place.parent.resolve().is_relative_to(repository.root.resolve()):
        raise UsageError(f"{path!r}: leads out of the project")
    if place.is_symlink():  # Git keeps where it leads, and nothing behind it is read
        return str(Path.readlink(place)).encode("utf-8", "replace")
    return place.read_bytes() if place.is_file() else None


def _text(content: bytes | None) -> str | None:
    """Decode a text, that of no file too; None if it is none, or too long."""
    if content is None:
        return ""
    if b"\0" in content or len(content) > LARGEST:
        return None
    return content.decode("utf-8", "replace")


def _unified(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    return "\n".join(list(lines)[2:])  # without the two lines that name files


def _of_notebooks(
    path: str,
    state: Literal["added", "deleted", "modified", "same"],
    before: bytes | None,
    after: bytes | None,
) -> FileDiff | None:
    """Compare two notebooks by their cells; None if one of them can't be read as one."""
    from nbformat.v4 import new_notebook

    try:
        empty = new_notebook()
        old, new = (empty if one is None else parse(one) for one in (before, after))
    except NotebookError:
        return None
    cells = diff(old, new)
    base, other = clean(old), clean(new)
    return FileDiff(
        path=path,
        kind="notebook",
        state="same" if state == "modified" and not cells else state,
        lines="",
        cells=cells,
        base=base,
        steps=_steps(base, other),
    )


def _steps(base: NotebookNode, other: NotebookNode) -> list[dict[str, Any]]:
    """Say in nbdime's way how `base` becomes `other`."""
    from nbdime import diff_notebooks

    found: list[dict[str, Any]] = diff_notebooks(base, other)
    return found
