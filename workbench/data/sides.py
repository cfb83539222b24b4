"""What a word names: a file, a source as it reads now, or a dataset of the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from workbench.data.datasets import Dataset, find_dataset
from workbench.data.digest import digest_parts
from workbench.data.rebuild import look_again, read_again
from workbench.data.sources import read
from workbench.errors import DataError, NotFoundError, UsageError
from workbench.project import Project

__all__ = ["Side", "frame_of", "row_keys", "side_of", "side_of_frame"]

_FILES: dict[str, Callable[[Any], pl.DataFrame]] = {
    ".parquet": lambda path: pl.read_parquet(path, glob=False),
    ".csv": lambda path: pl.read_csv(
        path, glob=False, infer_schema_length=None, null_values=["", "NA"]
    ),
    ".jsonl": lambda path: pl.read_ndjson(path, infer_schema_length=None),
    ".ndjson": lambda path: pl.read_ndjson(path, infer_schema_length=None),
    ".arrow": pl.read_ipc,
    ".feather": pl.read_ipc,
}


@dataclass(frozen=True)
class Side:
    """One of the two that are compared, with as much of its content as can be had."""

    label: str
    columns: dict[str, str]
    rows: int
    digest: str
    cells: dict[str, str]
    """Each column's digest; empty if the record is older than these."""
    frame: pl.DataFrame | None
    keys: list[list[str]] = field(default_factory=list)
    """Columns that may tell every row from the others; the first that do count."""


def side_of(text: str, project: Project) -> Side:
    """Find what `text` names.

    Raises
    ------
    NotFoundError
        If it names nothing; the message has what exists.
    DataError
        If it can't be read.
    """
    if Path(text).suffix in _FILES:
        return side_of_frame(text, _read_file(Path(text)))
    if text in project.settings.sources:
        return side_of_frame(text, read(text, project), row_keys(project, text))
    return _side_of_dataset(_dataset(project, text), project)


def frame_of(text: str, project: Project) -> pl.DataFrame:
    """Read what `text` names; of a dataset, what its recipe gives now.

    Raises
    ------
    NotFoundError
        If it names nothing; the message has what exists.
    DataError
        If it can't be read.
    """
    if Path(text).suffix in _FILES:
        return _read_file(Path(text))
    if text in project.settings.sources:
        return read(text, project)
    dataset = _dataset(project, text)
    frame = read_again(project, dataset)
    if not _is_content(frame, dataset, project):
        raise DataError(f"{dataset.label}: its recipe gives other content now")
    return frame


def row_keys(project: Project, source: str) -> list[list[str]]:
    """Return the columns that a source declares to tell its rows apart, alone or with their time.

    A key says what a row is about; of a source of events there are many rows about the same.
    """
    declared = project.settings.sources.get(source)
    if declared is None or not declared.key:
        return []
    key = list(declared.key)
    return [key, [*key, declared.event_time]] if declared.event_time else [key]


def side_of_frame(label: str, frame: pl.DataFrame, keys: list[list[str]] | None = None) -> Side:
    """Make a side of a frame that is at hand."""
    parts = digest_parts(frame)
    types = {name: str(dtype) for name, dtype in frame.schema.items()}
    return Side(label, types, parts.rows, parts.value, parts.cells, frame, keys or [])


def _dataset(project: Project, text: str) -> Dataset:
    try:
        return find_dataset(project, text)
    except NotFoundError as error:
        sources = ", ".join(sorted(project.settings.sources)) or "none"
        raise NotFoundError(f"{error}; sources: {sources}") from error


def _side_of_dataset(dataset: Dataset, project: Project) -> Side:
    frame, keys = _content(dataset, project), row_keys(project, dataset.name)
    if dataset.stamped and frame is not None:  # the record has no digest to compare
        return side_of_frame(dataset.label, frame, keys)
    cells = dataset.recipe.cells
    return Side(dataset.label, dataset.columns, dataset.rows, dataset.digest, cells, frame, keys)


def _content(dataset: Dataset, project: Project) -> pl.DataFrame | None:
    """Return a dataset's rows, if they can still be had."""
    try:
        frame = read_again(project, dataset)
        return frame if _is_content(frame, dataset, project) else None
    except (DataError, UsageError):  # the source is gone, or only code can make it again
        return None


def _is_content(frame: pl.DataFrame, dataset: Dataset, project: Project) -> bool:
    """Tell whether what a recipe gave now is what it gave; of a large one by its source's stamp."""
    if dataset.stamped:
        return look_again(project, dataset).digest == dataset.digest
    return digest_parts(frame).value == dataset.digest


def _read_file(path: Path) -> pl.DataFrame:
    try:
        return _FILES[path.suffix](path)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path}: can't be read: {reason}") from error
