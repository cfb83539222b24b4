"""Where a view's rows are stored, and what tells one version of them from another."""

from __future__ import annotations

import hashlib
import os
import re
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from workbench.features.definitions import FeatureView, Spine
from workbench.features.offline.manifest import MANIFEST, discard
from workbench.project import Project
from workbench.store import file_lock

__all__ = ["base_of", "definition_of", "digest_of", "locked", "log_of", "spine_of", "tidy", "touch"]

_UNUSED = 86_400.0
"""Seconds after which a version that nobody asked for is removed, once there is another."""


def base_of(project: Project, view: FeatureView, digest: str) -> Path:
    """Return the folder of what a view's function made of its sources."""
    return project.state / "offline" / "views" / f"{view.name}-{digest}"


def spine_of(project: Project, spine: Spine, digest: str) -> Path:
    """Return the file of a spine's rows."""
    return project.state / "offline" / "spines" / f"{spine.name}-{digest}.parquet"


def log_of(project: Project, view: FeatureView) -> Path:
    """Return the folder of what was appended to a view.

    It stays while rows look the same, whatever the function's text: nobody could append them again.
    """
    columns = view.inputs if view.aggregates else tuple(sorted(view.features))
    digest = digest_of(_shape(view), *columns)
    return project.state / "offline" / "appended" / f"{view.name}-{digest}"


def definition_of(view: FeatureView) -> str:
    """Digest what the stored rows depend on: neither a word nor a window or TTL changes them."""
    columns = view.inputs if view.aggregates else tuple(view.features)
    return digest_of(view.code_digest, _shape(view), *columns)


def _shape(view: FeatureView) -> str:
    kind = "events" if view.aggregates else "rows"
    return "\0".join([kind, *view.entity, str(view.event_time), str(view.created)])


def digest_of(*parts: str) -> str:
    """Return what tells these parts from any others."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def locked(project: Project, name: str) -> AbstractContextManager[None]:
    """Hold the lock of a view, or of a spine, for the block."""
    return file_lock(project.state / "offline" / "locks" / f"{name}.lock")


def touch(stored: Path) -> None:
    """Mark a version as used now."""
    with suppress(OSError):  # it isn't there yet, or is somebody else's: then it isn't removed here
        os.utime(_mark(stored))


def tidy(stored: Path) -> None:
    """Remove the other versions of what is in `stored` that nobody has used for a day.

    Whoever calls it holds the table's lock.
    """
    name, digest = stored.name.rsplit("-", 1)
    other = re.compile(re.escape(name) + "-[0-9a-f]{16}" + re.escape(digest[16:]))
    for entry in list(stored.parent.iterdir()):
        if entry == stored or not other.fullmatch(entry.name):
            continue
        with suppress(OSError):  # somebody else's, then
            mark = _mark(entry)
            used = (mark if mark.exists() else entry).stat().st_mtime
            if time.time() - used > _UNUSED:
                discard(entry)


def _mark(stored: Path) -> Path:
    return stored if stored.suffix else stored / MANIFEST
