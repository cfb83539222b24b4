"""Adding the modules that a run imported and its snapshot doesn't have."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from workbench.git.snapshots.place import Place
from workbench.git.snapshots.reading import find_snapshot
from workbench.git.snapshots.records import Snapshot
from workbench.git.snapshots.session import GitSession
from workbench.git.snapshots.taking import LIMIT_FILE, executed_path, place_files

__all__ = ["MODULES_FOLDER", "add_modules"]

MODULES_FOLDER = executed_path("modules")
"""Where modules from outside the repository are, by the path that they are imported by."""


def add_modules(
    root: Path,
    state_dir: Path,
    run_id: str,
    files: Iterable[Path],
    *,
    limit_file: int = LIMIT_FILE,
) -> Snapshot:
    """Add the modules among `files` (see `local_modules`) that the run's snapshot doesn't have.

    One that Git ignores comes to its own place; one from outside the repository, and one that was
    changed since the snapshot, below `MODULES_FOLDER`, which can be put on `sys.path`.
    """
    place, snapshot = find_snapshot(root, state_dir, run_id)
    contents = _read({file.resolve() for file in files}, limit_file)
    inside = {
        file: file.relative_to(place.top).as_posix()
        for file in contents
        if file.is_relative_to(place.top)
    }
    there = _there(place, snapshot, inside)
    missing: dict[str, bytes] = {}
    for file, content in contents.items():
        if there.get(file):
            continue
        if file in inside and file not in there:
            missing[os.path.relpath(inside[file], place.folder or ".")] = content
        else:
            missing[_aside(file, content, missing)] = content
    return place_files(root, state_dir, run_id, missing) if missing else snapshot


def _read(files: Iterable[Path], limit: int) -> dict[Path, bytes]:
    contents: dict[Path, bytes] = {}
    for file in sorted(files):
        try:
            if file.stat().st_size <= limit:
                contents[file] = file.read_bytes()
        except OSError:
            continue  # gone since it was imported: nobody can keep it any more
    return contents


def _there(place: Place, snapshot: Snapshot, inside: Mapping[Path, str]) -> dict[Path, bool]:
    """Say of each file that the snapshot has whether it has it as it is now."""
    git = GitSession(place)
    listing = git("ls-tree", "-r", "-z", "--full-tree", snapshot.commit)
    entries = (entry.partition(b"\t") for entry in listing.split(b"\0") if entry)
    stored = {os.fsdecode(path): told.split(b" ")[2] for told, _, path in entries}
    known = {file: path for file, path in inside.items() if path in stored}
    if not known:
        return {}
    hashed = (git.tries("hash-object", "--", *known.values()) or b"").split()
    now = dict(zip(known, hashed, strict=False))
    return {file: now.get(file, stored[path]) == stored[path] for file, path in known.items()}


def _aside(file: Path, content: bytes, taken: Mapping[str, bytes]) -> str:
    """Choose a path below `MODULES_FOLDER`: that of the import, as far as packages say it."""
    above = file.parent
    while (above / "__init__.py").exists() and above != above.parent:
        above = above.parent
    name = file.relative_to(above).as_posix()
    path = f"{MODULES_FOLDER}/{name}"
    if path not in taken:
        return path
    return f"{MODULES_FOLDER}-{hashlib.sha256(content).hexdigest()[:8]}/{name}"
