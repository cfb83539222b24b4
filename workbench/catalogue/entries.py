"""What each kind of thing says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from workbench.data import Dataset, list_datasets
from workbench.features import FeatureEntry
from workbench.features.search import UNUSED, usage
from workbench.functions import list_functions
from workbench.project import Project
from workbench.registry import Model
from workbench.store import EdgeRow, FeatureViewRow, GateRow, database

__all__ = ["KINDS", "Entry", "Kind", "entries_but_features", "of_feature"]

Kind = Literal["source", "dataset", "view", "function", "feature", "model"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


class Entry(BaseModel):
    """A thing of the catalogue.

    Attributes
    ----------
    address
        Where it is: a source's address, a view's file, the newest version of a function (`late@2`),
        a model's name in the registry.
    columns
        What it has; of a function, what it takes.
    used_by
        What uses it, as `view:NAME`, `model:NAME`, `notebook:PATH` or `factory:NAME`.
    uses
        How much it is used, in one number: runs, models, scored windows.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    name: str
    description: str = ""
    owner: str = ""
    tags: list[str] = []
    columns: list[str] = []
    address: str = ""
    used_by: list[str] = []
    uses: int = 0
    updated_at: datetime | None = None


def entries_but_features(project: Project, models: Iterable[Model]) -> list[Entry]:
    """List sources, datasets, views, functions and models, each kind by name.

    Features have an index of their own: there may be very many.
    """
    views = _views(project)
    datasets = _newest(list_datasets(project))
    return [
        *_sources(project, datasets, views),
        *_datasets(project, datasets),
        *_of_views(project, views),
        *_functions(project),
        *_models(project, models),
    ]


def of_feature(feature: FeatureEntry) -> Entry:
    """Say of a feature what is said of everything."""
    return Entry(
        kind="feature",
        name=feature.name,
        description=feature.description,
        owner=feature.owner,
        tags=feature.tags,
        columns=[feature.column, *feature.entity],
        address=f"{feature.view}:{feature.feature}",
        used_by=feature.used_by,
        uses=feature.uses,
        updated_at=feature.materialized_at,
    )


def _views(project: Project) -> list[FeatureViewRow]:
    with database(project).session() as session:
        return list(session.scalars(select(FeatureViewRow).order_by(FeatureViewRow.name)))


def _newest(datasets: Iterable[Dataset]) -> dict[str, Dataset]:
    """Keep the newest of each name; they come newest first."""
    found: dict[str, Dataset] = {}
    for dataset in datasets:
        found.setdefault(dataset.name, dataset)
    return found


def _sources(
    project: Project, datasets: Mapping[str, Dataset], views: Iterable[FeatureViewRow]
) -> Iterator[Entry]:
    used = usage(project, "dataset", project.settings.sources)
    readers: dict[str, list[str]] = {}
    for view in views:
        for name in view.definition["sources"]:
            readers.setdefault(name, []).append(f"view:{view.name}")
    for name, source in sorted(project.settings.sources.items()):
        dataset = datasets.get(name)
        yield Entry(
            kind="source",
            name=name,
            description=source.description,
            owner=source.owner,
            tags=source.tags,
            columns=list(dataset.columns) if dataset else [],
            address=_CREDENTIALS.sub("", source.address),
            used_by=[*readers.get(name, []), *used.get(name, UNUSED).names],
            uses=used.get(name, UNUSED).weight,
            updated_at=dataset.read_at if dataset else None,
        )


def _datasets(project: Project, datasets: Mapping[str, Dataset]) -> Iterator[Entry]:
    used = usage(project, "dataset", datasets)
    for name, dataset in sorted(datasets.items()):
        yield Entry(
            kind="dataset",
            name=name,
            description=f"{dataset.rows:,} rows as they were read",
            columns=list(dataset.columns),
            address=_CREDENTIALS.sub("", dataset.address),
            used_by=used.get(name, UNUSED).names,
            uses=used.get(name, UNUSED).weight,
            updated_at=dataset.read_at,
        )


def _of_views(project: Project, views: Iterable[FeatureViewRow]) -> Iterator[Entry]:
    used = usage(project, "view")
    for view in views:
        definition = view.definition
        yield Entry(
            kind="function" if definition["kind"] == "request" else "view",
            name=view.name,
            description=definition["description"],
            owner=definition["owner"],
            tags=definition["tags"],
            columns=[*definition["entity"], *definition["features"]],
            address=definition.get("file", ""),
            used_by=used.get(view.name, UNUSED).names,
            uses=used.get(view.name, UNUSED).weight,
            updated_at=view.applied_at,
        )


def _functions(project: Project) -> Iterator[Entry]:
    """List the registered functions, each as its newest version is."""
    functions = list_functions(project)
    used = usage(project, "function", [function.name for function in functions])
    for function in functions:
        yield Entry(
            kind="function",
            name=function.name,
            description=f"{function.description} {function.signature['text']}",
            owner=function.owner or function.created_by,
            tags=function.tags,
            columns=[parameter["name"] for parameter in function.signature["parameters"]],
            address=function.label,
            used_by=used.get(function.name, UNUSED).names,
            uses=used.get(function.name, UNUSED).weight,
            updated_at=function.created_at,
        )


def _models(project: Project, models: Iterable[Model]) -> Iterator[Entry]:
    factories, made = _factories(project), _made(project)
    for model in sorted(models, key=lambda model: model.name):
        newest = model.versions[0] if model.versions else None
        yield Entry(
            kind="model",
            name=model.name,
            description=f"{len(model.versions)} versions",
            tags=sorted(model.aliases),
            address=f"models:/{model.name}",
            used_by=[f"factory:{name}" for name in factories.get(model.name, [])],
            uses=made.get(model.name, 0),
            updated_at=newest.created_at if newest else None,
        )


def _factories(project: Project) -> dict[str, list[str]]:
    """List the factories that put versions of each model through their gate."""
    query = select(GateRow.model, GateRow.factory).distinct().order_by(GateRow.factory)
    found: dict[str, list[str]] = {}
    with database(project).session() as session:
        for row in session.execute(query):
            found.setdefault(row.model, []).append(row.factory)
    return found


def _made(project: Project) -> dict[str, int]:
    """Count what was made with each model: windows scored, decisions taken."""
    query = (
        select(EdgeRow.source, func.count().label("made"))
        .where(EdgeRow.source.startswith("model:", autoescape=True))
        .group_by(EdgeRow.source)
    )
    found: dict[str, int] = {}
    with database(project).session() as session:
        for row in session.execute(query):
            name = row.source.partition(":")[2].rpartition("/")[0]
            found[name] = found.get(name, 0) + row.made
    return found
