"""MLflow's registry, whole: it answers a page at a time, and a hundred models are one.

Nothing of ours may ask it otherwise: a model that is on the second page exists as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.errors import NotFoundError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

__all__ = ["model_version", "model_versions", "registered_model", "registered_models"]

_MODELS, _VERSIONS = 1_000, 10_000
"""How many of them to ask for at once."""

_QUOTES = frozenset("'\"`\\")
"""What MLflow's filters can't have in a text."""


def registered_models(mlflow: MlflowClient) -> list[RegisteredModel]:
    """List all registered models, by name."""
    return _all(lambda token: mlflow.search_registered_models(None, _MODELS, page_token=token))


def registered_model(mlflow: MlflowClient, name: str) -> RegisteredModel:
    """Return the registered model of a name.

    Raises
    ------
    NotFoundError
        If there is none; it says which there are.
    """
    # Asked for by its name MLflow reads all of its versions, and shows the newest.
    asked = None if _QUOTES & set(name) else f"name = '{name}'"
    found = mlflow.search_registered_models(asked) if asked else registered_models(mlflow)
    for model in found:
        if model.name == name:
            return model
    known = [model.name for model in registered_models(mlflow)]
    raise NotFoundError.named("model", name, known)


def model_versions(mlflow: MlflowClient, name: str | None = None) -> list[ModelVersion]:
    """List all versions, of one model or of every one, in no order."""
    asked = f"name = '{name}'" if name is not None and not _QUOTES & set(name) else None
    found = _all(lambda token: mlflow.search_model_versions(asked, _VERSIONS, page_token=token))
    return [version for version in found if name in {None, version.name}]


def model_version(mlflow: MlflowClient, name: str, version: str) -> ModelVersion:
    """Return a version of a model, by its number as it is written.

    Raises
    ------
    NotFoundError
        If there is no such model or version; it says which there are.
    """
    from mlflow.exceptions import MlflowException

    try:
        found = mlflow.get_model_version(name, version)
    except MlflowException:
        found = None
    if found is not None and str(found.version) == version:  # "01" isn't what it is called
        return found
    model = registered_model(mlflow, name).name
    known = [str(each.version) for each in model_versions(mlflow, model)]
    raise NotFoundError.named("version", version, known, f" of model {name}")


def _all(page: Callable[[str | None], Any]) -> list[Any]:
    """Ask page by page."""
    found: list[Any] = []
    token: str | None = None
    while True:
        some = page(token)
        found += some
        token = some.token
        if not token:
            return found
