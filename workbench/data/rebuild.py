"""Rebuilding: does a dataset's recipe still give what it gave?"""

from __future__ import annotations

import importlib
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

from workbench.data.datasets import Dataset, find_dataset
from workbench.data.digest import digest_parts
from workbench.data.observers import observing
from workbench.data.readers import READERS
from workbench.data.recipes import Recipe
from workbench.data.sources import read
from workbench.errors import DataError
from workbench.project import Project

__all__ = ["Rebuild", "changes", "look_again", "read_again", "rebuild", "rebuild_dataset"]


class Rebuild(BaseModel):
    """What reading a dataset by its recipe again gave; `changes` is empty where it is the same."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    recipe: str
    same: bool
    digest: str
    now: str
    changes: list[str]


def rebuild(label: str, project: Project | None = None) -> Rebuild:
    """Read a dataset by its recipe again and say whether its content is the same.

    Raises
    ------
    NotFoundError
        If no dataset is called that.
    DataError
        If its recipe can't be followed: it was derived by code, or read with options of a reader
        that aren't kept; or if its source can't be read.
    """
    project = project or Project.find()
    return rebuild_dataset(project, find_dataset(project, label))


def rebuild_dataset(project: Project, dataset: Dataset) -> Rebuild:
    """Read a dataset by its recipe again, which another project's records may have had.

    Raises
    ------
    DataError
        As `rebuild` does.
    """
    again = look_again(project, dataset) if dataset.stamped else _read(project, dataset)
    same = again.digest == dataset.digest
    return Rebuild(
        dataset=dataset.label,
        recipe=dataset.recipe.told(),
        same=same,
        digest=dataset.digest,
        now=again.digest,
        changes=[] if same else changes(dataset, again),
    )


def _read(project: Project, dataset: Dataset) -> Dataset:
    frame = read_again(project, dataset)
    parts = digest_parts(frame)
    return dataset.model_copy(
        update={
            "columns": {name: str(dtype) for name, dtype in frame.schema.items()},
            "rows": parts.rows,
            "digest": parts.value,
            "recipe": dataset.recipe.model_copy(update={"cells": parts.cells}),
        }
    )


def look_again(project: Project, dataset: Dataset) -> Dataset:
    """Look again at what was too large to digest: its rows and its source's stamp."""
    found: list[Dataset] = []
    with observing(found.append):
        read(dataset.recipe.source, project, lazy=True, **_asked(dataset.recipe))
    return found[-1]


def read_again(project: Project, dataset: Dataset) -> pl.DataFrame:
    """Follow a dataset's recipe."""
    recipe = dataset.recipe
    if recipe.kind == "source":
        return _read_source(project, recipe)
    if recipe.kind == "reader" and not recipe.options:
        return _read_with_reader(project, dataset)
    if recipe.kind == "unknown" and dataset.name in project.settings.sources:
        return read(dataset.name, project)  # recorded before there were recipes
    raise DataError(f"{dataset.label}: {recipe.told()}: only that code can make it again")


def _read_source(project: Project, recipe: Recipe) -> pl.DataFrame:
    frame: pl.DataFrame = read(recipe.source, project, **_asked(recipe))
    return frame


def _asked(recipe: Recipe) -> dict[str, Any]:
    return {"columns": recipe.columns, "where": recipe.expression(), "as_of": recipe.as_of}


def _read_with_reader(project: Project, dataset: Dataset) -> pl.DataFrame:
    library, _, name = dataset.recipe.reader.partition(".")
    path = project.root / dataset.address
    if name not in READERS.get(library, ()) or "://" in dataset.address or not path.exists():
        raise DataError(f"{dataset.label}: {dataset.recipe.told()}: {dataset.address} isn't a file")
    try:
        content = getattr(importlib.import_module(library), name)(path)
    except Exception as error:  # the reader's own, of many kinds
        reason = str(error).partition("\n")[0]
        raise DataError(f"{dataset.address}: can't be read: {reason}") from error
    return content if isinstance(content, pl.DataFrame) else pl.from_pandas(content)


def changes(dataset: Dataset, again: Dataset) -> list[str]:
    """Say what is different between two contents of a dataset: rows, columns, types, cells."""
    before, after = dataset.columns, again.columns
    found = []
    if dataset.rows != again.rows:
        found.append(f"rows: {dataset.rows:,}, now {again.rows:,}")
    found += [f"column {name}: gone" for name in before if name not in after]
    found += [f"column {name}: new ({after[name]})" for name in after if name not in before]
    common = [name for name in after if name in before]
    found += [
        f"column {name}: type {before[name]}, now {after[name]}"
        for name in common
        if before[name] != after[name]
    ]
    if list(before) != list(after) and set(before) == set(after):
        found.append("columns: another order")
    return [*found, *_other_cells(dataset, again, common)]


def _other_cells(dataset: Dataset, again: Dataset, common: list[str]) -> list[str]:
    kept, now = dataset.recipe.cells, again.recipe.cells
    if not kept or not now:
        return ["cells: the record has no digests of columns to say which of them changed"]
    return [
        f"column {name}: other cells"
        for name in common
        if dataset.columns[name] == again.columns[name] and kept.get(name) != now[name]
    ]
