"""File formats: which one it is, and how it is scanned with nothing guessed from a few rows."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from glob import escape
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import polars as pl

from workbench.data.sources.declared import Declared

__all__ = ["Format", "format_of", "has_format", "scan", "unzipped"]

Format = Literal["parquet", "csv", "jsonl", "arrow", "delta"]
Content = str | Path | list[Path] | BytesIO

_SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".zip": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".arrow": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
}


def has_format(path: Path, wanted: Format | None) -> bool:
    """Say whether a file's name tells of the format wanted, or of any."""
    found = _SUFFIXES.get(path.suffix.lower())
    return found is not None and wanted in (None, found) and path.suffix != ".zip"


def format_of(declared: Declared, path: str | Path) -> Format:
    """Tell the format of `path`: as declared, or by its name.

    Raises
    ------
    DataError
        If neither tells.
    """
    found = declared.settings.format or _SUFFIXES.get(Path(path).suffix.lower())
    if found is None:
        raise declared.error(
            "expected .csv, .zip (of one CSV) or .parquet, .jsonl, .arrow, a folder of these, "
            "or a `format` in workbench.toml"
        )
    return found


def scan(
    declared: Declared,
    kind: Format,
    content: Content,
    storage: Mapping[str, Any] | None = None,
    *,
    glob: bool = False,
) -> pl.LazyFrame:
    """Scan files of one format.

    Parameters
    ----------
    content
        A path or an address, several paths, or the bytes of a file.
    storage
        Options of the object storage that `content` is an address in.
    """
    options = dict(storage) if storage else None
    return _SCANNERS[kind](declared, content, options, glob)


def _parquet(_: Declared, content: Any, storage: Any, glob: bool) -> pl.LazyFrame:  # noqa: FBT001
    # A list is a folder's files, whose own names (month=1/...) may hold columns; so does glob.
    hive = _hive(content) if isinstance(content, list) else glob
    return pl.scan_parquet(content, storage_options=storage, glob=glob, hive_partitioning=hive)


def _csv(declared: Declared, content: Any, storage: Any, glob: bool) -> pl.LazyFrame:  # noqa: FBT001
    # Types from all rows: a guess from the first hundred breaks on the first odd one.
    return pl.scan_csv(
        content,
        infer_schema_length=None,
        infer_schema_files=len(content) if isinstance(content, list) else 1,
        null_values=declared.settings.null_values,
        storage_options=storage,
        glob=glob,
    )


def _jsonl(_: Declared, content: Any, storage: Any, glob: bool) -> pl.LazyFrame:  # noqa: FBT001
    if not glob:  # this reader can't be told that a name is meant as it is
        several = content if isinstance(content, list) else [content]
        content = [escape(str(name)) if not isinstance(name, BytesIO) else name for name in several]
    return pl.scan_ndjson(content, infer_schema_length=None, storage_options=storage)


def _arrow(_: Declared, content: Any, storage: Any, glob: bool) -> pl.LazyFrame:  # noqa: FBT001
    return pl.scan_ipc(content, storage_options=storage, glob=glob)


def _hive(files: list[Path]) -> bool:
    folders = [file.parent.name for file in files]
    return all("=" in folder for folder in folders)


_SCANNERS: dict[str, Callable[[Declared, Any, Any, bool], pl.LazyFrame]] = {
    "parquet": _parquet,
    "csv": _csv,
    "jsonl": _jsonl,
    "arrow": _arrow,
}


def unzipped(declared: Declared, path: Path) -> BytesIO:
    """Return the one file that is inside an archive.

    Raises
    ------
    DataError
        If there isn't exactly one, or it is larger than `max_mb`.
    """
    limit = declared.settings.max_mb
    with zipfile.ZipFile(path) as archive:
        inner = archive.namelist()
        if len(inner) != 1:
            raise declared.error(f"expected one file inside, found {len(inner)}")
        with archive.open(inner[0]) as file:
            content = file.read(int(limit * 1e6) + 1)  # what it says of its own size may be a lie
    if len(content) > limit * 1e6:
        raise declared.error(
            f"larger than {limit:g} MB inside: raise max_mb of it in workbench.toml if that is so"
        )
    return BytesIO(content)
