"""Files that are copied here first, since nothing can read a part of them where they are.

A copy's name is the digest of its content, and a small file beside it says which copy is the
newest and what its origin said of it. So a copy is whole or not there, a lazy frame of the one
before can still be collected, and what hasn't changed isn't fetched again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from workbench.data.sources.declared import Declared
from workbench.data.sources.files import LocalFiles
from workbench.data.sources.object_names import file_system
from workbench.data.sources.protocol import Source
from workbench.store import file_lock, write_atomic

__all__ = ["Copied", "Copy", "Keeper", "open_source"]

_CHUNK = 2**20


@dataclass(frozen=True)
class Copy:
    """A file that was fetched, and what its origin said of it."""

    sha256: str
    size: int
    fetched_at: str
    marks: dict[str, str]
    before: str = ""


class Keeper:
    """Keeps the copies of one source, in the project's state."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        # Looked up: another ${YEAR} in the address, or another token's view, is another file.
        origin = json.dumps([declared.address, declared.options], sort_keys=True)
        mark = hashlib.sha256(origin.encode()).hexdigest()[:12]
        name = quote(declared.name, safe="")
        self._folder = declared.project.state / "sources" / f"{name}-{mark}"
        self._suffix = Path(declared.path).suffix

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other process fetch it meanwhile; what one that was killed left is removed."""
        with file_lock(self._folder / "lock"):
            for half in self._folder.glob(".*.tmp"):
                half.unlink(missing_ok=True)
            yield

    def newest(self) -> Copy | None:
        """Return the newest copy, if there is one and it is whole."""
        try:
            copy = Copy(**json.loads((self._folder / "copy.json").read_text("utf-8")))
            whole = self.path(copy).stat().st_size == copy.size
        except (OSError, ValueError, TypeError):
            return None
        return copy if whole else None

    def path(self, copy: Copy) -> Path:
        """Return where a copy is."""
        return self._folder / f"{copy.sha256}{self._suffix}"

    def keep(
        self, chunks: Iterable[bytes], marks: dict[str, str], written: datetime | None
    ) -> Copy:
        """Store a copy; it has to hash to what is declared and be no larger than that.

        Raises
        ------
        DataError
            If it doesn't, or isn't; nothing is kept of it then.
        """
        before = self.newest()
        digest, size = hashlib.sha256(), 0
        with write_atomic(self._folder / f"arriving{self._suffix}") as beside:
            with beside.open("wb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    self.check_size(size)
                    digest.update(chunk)
                    file.write(chunk)
            self._check_digest(digest.hexdigest(), size)
            if written is not None:
                os.utime(beside, (written.timestamp(), written.timestamp()))
        copy = Copy(
            digest.hexdigest(), size, datetime.now(UTC).isoformat(), marks, _other(before, digest)
        )
        (self._folder / f"arriving{self._suffix}").replace(self.path(copy))
        with write_atomic(self._folder / "copy.json") as beside:
            beside.write_text(json.dumps(asdict(copy)), "utf-8")
        if before is not None and before.before not in ("", copy.sha256, copy.before):
            self.path(Copy(before.before, 0, "", {})).unlink(missing_ok=True)
        return copy

    def check_size(self, size: int) -> None:
        """Refuse what is larger than `max_mb`."""
        limit = self._declared.settings.max_mb
        if size > limit * 1e6:
            raise self._declared.error(
                f"larger than {limit:g} MB: raise max_mb of it in workbench.toml if that is right"
            )

    def _check_digest(self, found: str, size: int) -> None:
        expected = self._declared.settings.sha256
        if expected not in (None, found):
            raise self._declared.error(
                f"expected sha256 {expected}, found {found} ({size:,} bytes): it was changed, or "
                "came broken"
            )


class Copied:
    """A source whose file is fetched before it is read.

    Parameters
    ----------
    fetch
        Gives the newest copy, fetching it if what is here isn't.
    """

    def __init__(self, declared: Declared, fetch: Callable[[Keeper], Copy]) -> None:
        self._declared = declared
        self._keeper = Keeper(declared)
        self._fetch = fetch
        files = LocalFiles(declared, self._path)
        self.schema, self.scan, self.digest = files.schema, files.scan, files.digest
        self.freshness = files.freshness

    def stamp(self) -> str:
        """Return the address with the digest of the file's bytes."""
        return f"{self._declared.settings.address} {self._copy().sha256}"

    def _copy(self) -> Copy:
        with self._keeper.alone():
            return self._fetch(self._keeper)

    def _path(self) -> Path:
        return self._keeper.path(self._copy())


def open_source(declared: Declared) -> Source:
    """Open what fsspec reaches and polars doesn't."""
    return Copied(declared, lambda keeper: _fetch(declared, keeper))


def _fetch(declared: Declared, keeper: Keeper) -> Copy:
    newest = keeper.newest()
    with declared.reading():
        files = file_system(declared)
        info = files.info(declared.address)
        marks = {key: str(value) for key, value in info.items() if key != "name"}
        if newest is not None and newest.marks == marks:
            return newest
        keeper.check_size(info.get("size") or 0)
        with files.open(declared.address, "rb") as file:
            return keeper.keep(_chunks(declared, file), marks, None)


def _chunks(declared: Declared, file: Any) -> Iterator[bytes]:
    with declared.reading():
        yield from iter(lambda: file.read(_CHUNK), b"")


def _other(before: Copy | None, digest: Any) -> str:
    """Name the copy before the newest one, whose content is another."""
    if before is None:
        return ""
    return before.before if before.sha256 == digest.hexdigest() else before.sha256
