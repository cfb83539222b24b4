"""The manifest: the one file that says which files a table consists of.

Files are written once, under names of their own, and become part of the table when the manifest
that names them takes the old one's place. So a reader sees an old or a new state, whatever is
killed when; what no manifest names is nobody's, and the next writer removes it.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from workbench.errors import FeatureError
from workbench.store import write_atomic

__all__ = [
    "MANIFEST",
    "SCRATCH",
    "Bound",
    "File",
    "Manifest",
    "damaged",
    "discard",
    "load",
    "save",
    "sweep",
]

MANIFEST = "manifest.json"
"""The name of the file that says which others count; its time is when it was used last."""

SCRATCH = "scratch-"
"""How the folder begins in which a large table is cut; of a killed writer it stays behind."""

_GRACE = 3600.0
"""Seconds that a file outlives its replacement, for those who are reading it."""

Bound = list[int | str]
"""An entity, as the values of its columns."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class File(_Record):
    """A Parquet file of rows, ordered by entity and time. `low` is its first entity; None: any."""

    name: str
    rows: int
    size: int
    low: Bound | None = None


class Manifest(_Record):
    """One state of a table: its runs, the oldest first.

    A run is a table by itself, whose files follow one another by entity. `batches` are the names of
    what was appended, the last ones only. `described` says of how many rows there are statistics,
    for each definition by its digest.
    """

    runs: list[list[File]] = []
    batches: list[str] = []
    retired: dict[str, float] = {}
    described: dict[str, int] = {}

    @property
    def names(self) -> set[str]:
        """The names of its files."""
        return {file.name for run in self.runs for file in run}


def load(folder: Path) -> Manifest | None:
    """Read the manifest in `folder`, if there is one.

    Raises
    ------
    FeatureError
        If it can't be read.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (ValidationError, OSError) as error:
        raise damaged(path, str(error)) from error


def save(folder: Path, manifest: Manifest) -> Manifest:
    """Put a manifest in the place of the old one, and remove what nobody can be reading.

    Whoever calls it holds the table's lock.
    """
    old = load(folder) or Manifest()
    replaced = dict.fromkeys(old.names - manifest.names, time.time())
    retired = {
        name: at for name, at in {**replaced, **old.retired}.items() if time.time() - at < _GRACE
    }
    manifest = manifest.model_copy(update={"retired": retired})
    with write_atomic(folder / MANIFEST) as beside:
        beside.write_text(manifest.model_dump_json(), encoding="utf-8")
    sweep(folder, manifest)
    return manifest


def sweep(folder: Path, manifest: Manifest | None) -> None:
    """Remove what a killed writer left. Whoever calls it holds the table's lock."""
    kept = {MANIFEST, *((manifest.names | set(manifest.retired)) if manifest else ())}
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            if entry.name in kept:
                continue
            if entry.is_file(follow_symlinks=False):
                Path(entry.path).unlink(missing_ok=True)
            elif entry.name.startswith(SCRATCH):
                shutil.rmtree(entry.path, ignore_errors=True)


def discard(stored: Path) -> None:
    """Remove a whole version. The manifest goes first: who comes then finds none, and makes it."""
    if stored.is_dir():
        (stored / MANIFEST).unlink(missing_ok=True)
        sweep(stored, None)
        stored.rmdir()
    else:
        stored.unlink()


def damaged(path: Path, reason: str) -> FeatureError:
    """Build the error for a file of a table that can't be read."""
    folder = f"{path.parent.parent.name}/{path.parent.name}"
    todo = "append its rows" if path.parent.parent.name == "appended" else "materialize the view"
    return FeatureError(
        f"{path}: can't be read: {reason.partition(chr(10))[0]}; "
        f"delete the folder {folder} and {todo} again"
    )
