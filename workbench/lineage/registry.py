"""Which version an alias names, asked of MLflow itself: the registry stands above this floor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.errors import NotFoundError, StoreError
from workbench.project import Project

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["alias_version"]


def alias_version(project: Project, name: str, alias: str) -> str:
    """Return the version of a model that has an alias.

    Raises
    ------
    NotFoundError
        If there is no such model, or none of its versions has the alias.
    StoreError
        If the registry can't be asked.
    """
    if not (project.settings.tracking_uri or (project.state / "mlflow.db").exists()):
        raise NotFoundError.named("model", name, [])  # asking MLflow would only set it up
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    mlflow = MlflowClient(project.tracking_uri, project.tracking_uri)
    try:
        models = dict(_models(mlflow))
    except MlflowException as error:
        raise StoreError(f"MLflow's registry: {error.message}") from error
    if name not in models:
        raise NotFoundError.named("model", name, models)
    aliases = models[name]
    if alias not in aliases:
        raise NotFoundError.named("alias", alias, aliases, f" of model {name}")
    return str(aliases[alias])


def _models(mlflow: MlflowClient) -> Iterator[tuple[str, dict[str, str]]]:
    """Give all models with their aliases: MLflow answers a page at a time."""
    token = None
    while True:
        page = mlflow.search_registered_models(page_token=token)
        yield from ((model.name, model.aliases) for model in page)
        token = page.token
        if not token:
            return
