"""Delta tables, on disk and in object storage: their log says what they hold and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from workbench.data.digest import frame_digest
from workbench.data.sources.declared import Declared
from workbench.data.sources.narrowing import narrow
from workbench.errors import MissingExtraError

if TYPE_CHECKING:
    from deltalake import DeltaTable

__all__ = ["DeltaFiles"]


class DeltaFiles:
    """The newest version of a Delta table."""

    def __init__(
        self, declared: Declared, where: Path | str, storage: Mapping[str, str] | None = None
    ) -> None:
        self._declared = declared
        self._where = where
        self._storage = dict(storage) if storage else None

    def schema(self) -> pl.Schema:
        """Return the columns and their types, from the log."""
        with self._declared.reading(*_errors()):
            return self._rows().collect_schema()

    def scan(
        self, columns: Sequence[str] | None = None, where: pl.Expr | None = None
    ) -> pl.LazyFrame:
        """Return rows and columns of the version that is the newest now."""
        with self._declared.reading(*_errors()):
            rows = self._rows()
        return narrow(self._declared, rows, columns, where)

    def stamp(self) -> str:
        """Return the table's identity and its version."""
        with self._declared.reading(*_errors()):
            table = self._table()
            return f"{self._declared.settings.address} {table.metadata().id} {table.version()}"

    def freshness(self) -> datetime | None:
        """Return when the newest version was committed."""
        with self._declared.reading(*_errors()):
            [newest] = self._table().history(1)
            return datetime.fromtimestamp(newest["timestamp"] / 1000, UTC)

    def digest(self) -> str:
        """Return the digest of all rows."""
        with self._declared.reading(*_errors()):
            return frame_digest(self.scan().collect())

    def _table(self) -> DeltaTable:
        try:
            from deltalake import DeltaTable
        except ImportError as error:
            raise MissingExtraError.of("deltalake", "delta") from error
        return DeltaTable(str(self._where), storage_options=self._storage)

    def _rows(self) -> pl.LazyFrame:
        # polars reads a path as the log has it, percent-encoded: pyarrow reads what it means.
        odd = isinstance(self._where, Path) and str(self._where) != self._where.as_uri()[7:]
        return pl.scan_delta(self._table(), use_pyarrow=odd, storage_options=self._storage)


def _errors() -> tuple[type[Exception], ...]:
    try:
        from deltalake.exceptions import DeltaError
    except ImportError:
        return ()
    known: Any = DeltaError
    return (known,)
