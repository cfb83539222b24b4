"""Object storage: polars' own cloud reader takes columns and filters to it.

What polars doesn't say of an object, its size and age, fsspec does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import polars as pl

from workbench.data.digest import frame_digest
from workbench.data.sources.copies import open_source as open_copy
from workbench.data.sources.declared import Declared
from workbench.data.sources.delta import DeltaFiles
from workbench.data.sources.formats import format_of, scan
from workbench.data.sources.narrowing import narrow
from workbench.data.sources.object_names import file_system
from workbench.data.sources.protocol import Source

__all__ = ["open_source"]


def open_source(declared: Declared) -> Source:
    """Open an object, or all under a prefix that ends in a slash."""
    storage = {key: _spelt(value) for key, value in declared.options.items()}
    if declared.settings.format == "delta":
        texts = {key: str(value) for key, value in storage.items()}
        return DeltaFiles(declared, declared.address, texts)
    if declared.path.endswith(".zip"):  # the archive has to be here to be opened
        return open_copy(declared)
    return _Objects(declared, storage)


class _Objects:
    def __init__(self, declared: Declared, storage: Mapping[str, Any]) -> None:
        self._declared = declared
        self._storage = storage

    def schema(self) -> pl.Schema:
        """Return the columns and their types."""
        with self._declared.reading(ValueError):
            return self._rows().collect_schema()

    def scan(
        self, columns: Sequence[str] | None = None, where: pl.Expr | None = None
    ) -> pl.LazyFrame:
        """Return rows and columns; of Parquet and Arrow, only the parts needed are fetched."""
        with self._declared.reading(ValueError):
            rows = self._rows()
        return narrow(self._declared, rows, columns, where)

    def stamp(self) -> str:
        """Return the address with a digest of the objects' names and versions."""
        files = self._listing()
        marks = "\n".join(f"{name} {_version(info)}" for name, info in sorted(files.items()))
        return f"{self._declared.settings.address} {hashlib.sha256(marks.encode()).hexdigest()}"

    def freshness(self) -> datetime | None:
        """Return when the newest of the objects was written."""
        written = [_written(info) for info in self._listing().values()]
        return max((moment for moment in written if moment is not None), default=None)

    def digest(self) -> str:
        """Return the digest of all rows."""
        with self._declared.reading(ValueError):
            return frame_digest(self.scan().collect())

    def _rows(self) -> pl.LazyFrame:
        address, is_wild = self._declared.address, self._declared.settings.glob
        folder = address.endswith("/")
        kind = format_of(self._declared, self._declared.path)
        return scan(self._declared, kind, address, self._storage, glob=is_wild or folder)

    def _listing(self) -> dict[str, Mapping[str, Any]]:
        """List the objects that are read, each with what the storage says of it."""
        address = self._declared.address
        with self._declared.reading(*_errors()):
            files = file_system(self._declared)
            if self._declared.settings.glob:
                found = files.glob(address, detail=True)
            elif address.endswith("/"):
                found = files.find(address, detail=True)
            else:
                found = {address: files.info(address)}
            if not found:
                raise FileNotFoundError(address)
        return cast("dict[str, Mapping[str, Any]]", found)


def _spelt(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _version(info: Mapping[str, Any]) -> str:
    parts = [info.get(key) for key in ("ETag", "etag", "md5Hash", "generation", "VersionId")]
    known = [str(part) for part in parts if part]
    return " ".join(known or [str(_written(info))]) + f" {info.get('size')}"


def _written(info: Mapping[str, Any]) -> datetime | None:
    for key in ("LastModified", "last_modified", "updated", "mtime"):
        value = info.get(key)
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            return value
    return None


def _errors() -> tuple[type[Exception], ...]:
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return ()
    return (BotoCoreError, ClientError)
